//! The document store moves from SQLite to MongoDB and back while versions are committed, and the
//! process ends at any point. Without a server, the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod support;

#[path = "../../storage/tests/contract/services.rs"]
mod services;

use izanagi_domain::{
    accounts::Caller,
    fsck::Repair,
    hash::sha256,
    jobs::LEASE,
    moves::{Asked, Cancelling},
    sealing::Sealer,
    services::Settings,
    storage::{MovePhase, MovedStore, RecordIndex, RecordPath},
};
use izanagi_shared::{id::DocumentId, rules::Secret};
use izanagi_storage::StorageConfig;
use mongodb::bson::doc;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use support::{Plan, World};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

const DOCUMENTS: usize = 6;
const BEFORE: usize = 8;
/// Between two versions of a document: what is written has to be checked in the end.
const PACE: Duration = Duration::from_millis(200);
const STORE: MovedStore = MovedStore::Documents;

/// Acknowledged versions, each with its text.
type Ledger = Arc<Mutex<BTreeMap<(DocumentId, u64), String>>>;

/// What outlives the processes.
struct Home {
    folder: TempDir,
    mongo: Mongo,
    ledger: Ledger,
    failures: Arc<Mutex<Vec<String>>>,
    callers: Option<(Caller, Caller)>,
    documents: Vec<DocumentId>,
    starts: u32,
}

/// A database of the MongoDB server.
struct Mongo {
    url: String,
    name: String,
}

impl Mongo {
    fn new() -> Option<Self> {
        let server = services::url("TEST_MONGODB_URL")?;
        let name = format!("izanagi_test_{}", Uuid::now_v7().simple());
        // Commands can be made to fail for this name.
        let url = format!("{}&appName={name}", server.replace("/?", &format!("/{name}?")));
        Some(Self { url, name })
    }

    /// Lets every write of records fail, or none.
    async fn refuse_writes(&self, refuse: bool) {
        let data =
            doc! { "failCommands": ["update", "insert"], "errorCode": 8000, "appName": &self.name };
        let mode = if refuse { "alwaysOn" } else { "off" };
        let set = doc! { "configureFailPoint": "failCommand", "mode": mode, "data": data };
        let client = mongodb::Client::with_uri_str(&self.url).await.unwrap();
        client.database("admin").run_command(set).await.unwrap();
    }
}

/// A process: everything in it ends with its runtime.
struct Process {
    runtime: Runtime,
    world: Arc<World>,
    stops: Arc<AtomicBool>,
}

impl Home {
    fn new() -> Option<Self> {
        let mongo = Mongo::new()?;
        Some(Self {
            folder: tempfile::tempdir().unwrap(),
            mongo,
            ledger: Ledger::default(),
            failures: Arc::default(),
            callers: None,
            documents: Vec::new(),
            starts: 0,
        })
    }

    fn start(&mut self) -> Process {
        let runtime = Runtime::new().unwrap();
        let url = format!("sqlite://{}/izanagi.db", self.folder.path().display());
        let storage = StorageConfig {
            sealer: Some(Sealer::new(Secret::new("a secret of the settings"), [])),
            exclusive: Some("serve"),
            ..StorageConfig::new(url)
        };
        // On a busy machine an append takes its time.
        let plan = Plan { storage, settings: Settings::default(), ..Plan::default() };
        let world = runtime.block_on(async {
            match self.callers {
                None => World::with(plan).await,
                Some(callers) => World::again(plan, callers).await,
            }
        });
        self.callers = Some((world.ada, world.bob));
        let world = Arc::new(world);
        // The leases of the process before have lapsed.
        self.starts += 1;
        world.clock.advance(LEASE * 10 * self.starts);
        let (clock, _guard) = (Arc::clone(&world.clock), runtime.enter());
        world.services.start();
        runtime.spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(50));
            loop {
                beat.tick().await;
                clock.advance(Duration::from_millis(50));
            }
        });
        drop(_guard);
        Process { runtime, world, stops: Arc::default() }
    }

    fn fill(&mut self, process: &Process) {
        let world = Arc::clone(&process.world);
        for _ in 0..DOCUMENTS {
            let id = process.runtime.block_on(world.create("begin\n"));
            self.documents.push(id);
            for _ in 0..BEFORE {
                process.runtime.block_on(commit_one(&world, id, &self.ledger)).unwrap();
            }
        }
    }

    /// Lets someone commit to each document until the process ends.
    fn write(&self, process: &Process) {
        for id in self.documents.clone() {
            let (world, ledger) = (Arc::clone(&process.world), Arc::clone(&self.ledger));
            let (stops, failures) = (Arc::clone(&process.stops), Arc::clone(&self.failures));
            process.runtime.spawn(async move {
                while !stops.load(Ordering::SeqCst) {
                    if let Err(error) = commit_one(&world, id, &ledger).await
                        && !stops.load(Ordering::SeqCst)
                    {
                        failures.lock().push(error);
                    }
                    tokio::time::sleep(PACE).await;
                }
            });
        }
    }

    /// All that was acknowledged is there, once, and nothing is broken.
    fn check(&self, process: &mut Process) {
        // A document that changes is checked again and again.
        process.stops.store(true, Ordering::SeqCst);
        process.pause(500);
        eprintln!("checking {} versions", self.ledger.lock().len());
        let world = &process.world;
        let ledger = self.ledger.lock().clone();
        process.runtime.block_on(async {
            for id in &self.documents {
                let all = world.stores.relational.versions.range(*id, 0, 1_000_000).await.unwrap();
                let hashes: BTreeMap<_, _> =
                    all.iter().map(|row| (row.number, row.content_hash)).collect();
                let distinct: HashSet<_> = hashes.values().collect();
                assert_eq!(distinct.len(), all.len(), "a version is there twice");
                let ours = ledger.iter().filter(|((of, _), _)| of == id);
                for ((_, number), text) in ours.clone() {
                    assert_eq!(hashes.get(number), Some(&sha256(text)), "{id} {number}");
                }
                // That the others have the texts of these hashes, fsck sees.
                for ((_, number), text) in ours.rev().take(3) {
                    assert_eq!(world.content(*id, *number).await, *text, "{id} {number}");
                }
            }
            let mut known: Vec<_> = ledger.keys().map(|(id, _)| *id).collect();
            known.dedup();
            assert_eq!(known.len(), DOCUMENTS);
            // Nobody has stopped to write.
            let newest = |id| ledger.keys().filter(|(of, _)| *of == id).map(|key| key.1).max();
            let newest: Vec<_> = known.into_iter().map(newest).collect();
            assert!(newest.iter().all(|number| *number > Some(BEFORE as u64)), "{newest:?}");
            let report = world.services.fsck.run(Repair::No).await.unwrap();
            assert!(report.faults.is_empty(), "{:#?}", report.faults);
        });
        assert!(self.failures.lock().is_empty(), "{:?}", self.failures.lock());
        process.stops = Arc::default();
        self.write(process);
    }
}

/// Writes a text that no other version has, and commits it.
async fn commit_one(world: &World, id: DocumentId, ledger: &Ledger) -> Result<(), String> {
    let text = format!("{}\n{}", Uuid::now_v7(), "a line that stays\n".repeat(20));
    world.write(id, &text).await;
    let row = world.commit(id, "why").await.map_err(|error| format!("{error:?}"))?;
    let before = ledger.lock().insert((id, row.number), text);
    assert_eq!(before, None, "version {} of {id} was acknowledged twice", row.number);
    Ok(())
}

impl Process {
    fn phase(&self) -> Option<MovePhase> {
        let row = self.runtime.block_on(self.world.services.moves.get(STORE)).unwrap();
        row.map(|row| row.phase)
    }

    /// Waits until the move has reached a phase.
    fn reaches(&self, phase: MovePhase) {
        let begun = Instant::now();
        while self.phase().is_some_and(|now| now < phase) {
            assert!(begun.elapsed() < Duration::from_secs(60), "stays {:?}", self.phase());
            self.pause(3);
        }
    }

    /// Leaves the rest of the process some time.
    fn pause(&self, millis: u64) {
        let pause = async { tokio::time::sleep(Duration::from_millis(millis)).await };
        self.runtime.block_on(pause);
    }

    fn ask(&self, to: &str, overwrite: bool) -> Asked {
        let to = Secret::new(to);
        self.runtime.block_on(self.world.services.moves.begin(STORE, &to, overwrite)).unwrap()
    }

    /// Ends everything where it stands.
    fn kill(self) {
        let Self { runtime, world, stops } = self;
        // What is cut off may fail.
        stops.store(true, Ordering::SeqCst);
        runtime.shutdown_timeout(Duration::from_secs(5));
        drop(world);
    }

    /// Ends the writers, then the process.
    fn end(self) {
        self.stops.store(true, Ordering::SeqCst);
        self.runtime.block_on(async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            self.world.shut_down().await;
        });
        self.kill();
    }
}

/// Moves the documents while versions are committed, and kills the process in each phase.
fn moves_with_kills(home: &mut Home, mut process: Process, to: &str, overwrite: bool) -> Process {
    assert_eq!(process.ask(to, overwrite), Asked::Begun);
    for phase in [
        MovePhase::Asked,
        MovePhase::Copying,
        MovePhase::Verifying,
        MovePhase::Holding,
        MovePhase::Switched,
    ] {
        process.reaches(phase);
        eprintln!("killed in {:?}", process.phase());
        process.kill();
        process = home.start();
        home.write(&process);
    }
    process.reaches(MovePhase::Moved);
    process
}

#[test]
fn documents_move_there_and_back_while_versions_are_committed() {
    let Some(mut home) = Home::new() else { return };
    let process = home.start();
    home.fill(&process);
    home.write(&process);
    let mongo = home.mongo.url.clone();
    let mut process = moves_with_kills(&mut home, process, &mongo, false);
    home.check(&mut process);
    let in_sqlite = home.records_in_sqlite();
    // The relational database has the records of before, and gets no more.
    process.pause(500);
    assert_eq!(home.records_in_sqlite(), in_sqlite);
    assert!(
        matches!(process.ask("users", false), Asked::Refused(why) if why.contains("--overwrite"))
    );
    assert!(matches!(process.ask(&mongo, false), Asked::Refused(why) if why.contains("already")));
    let mut process = moves_with_kills(&mut home, process, "users", true);
    home.check(&mut process);
    eprintln!("back in the relational database");
    assert!(home.records_in_sqlite() > in_sqlite);
    process.end();
    // The settings name the place again, so nothing is left of the moves.
    let mut process = home.start();
    assert_eq!(process.phase(), None);
    home.check(&mut process);
    eprintln!("{} versions were acknowledged", home.ledger.lock().len());
    process.end();
}

#[test]
fn a_cancelled_move_leaves_everything_where_it_was() {
    let Some(mut home) = Home::new() else { return };
    let mut process = home.start();
    home.fill(&process);
    home.write(&process);
    assert_eq!(process.ask(&home.mongo.url, false), Asked::Begun);
    let cancelled = process.runtime.block_on(process.world.services.moves.cancel(STORE)).unwrap();
    assert_eq!(cancelled, Cancelling::Cancelled);
    let begun = Instant::now();
    while process.phase().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(30));
        process.pause(20);
    }
    home.check(&mut process);
    process.end();
    let mut process = home.start();
    home.check(&mut process);
    process.end();
}

#[test]
fn a_target_that_fails_midway_is_waited_for_and_nobody_notices() {
    let Some(mut home) = Home::new() else { return };
    let mut process = home.start();
    home.fill(&process);
    home.write(&process);
    process.runtime.block_on(home.mongo.refuse_writes(true));
    assert_eq!(process.ask(&home.mongo.url, false), Asked::Begun);
    process.reaches(MovePhase::Copying);
    eprintln!("copying begins");
    let begun = Instant::now();
    let note = loop {
        let row = process.runtime.block_on(process.world.services.moves.get(STORE)).unwrap();
        let row = row.unwrap();
        assert!(row.phase <= MovePhase::Copying && begun.elapsed() < Duration::from_secs(60));
        if !row.progress.note.is_empty() {
            break row.progress.note;
        }
        process.pause(20);
    };
    eprintln!("it waits: {note}");
    assert!(!note.contains(&home.mongo.url), "{note}");
    // Versions are committed meanwhile.
    let known = home.ledger.lock().len();
    process.pause(1_000);
    assert!(home.ledger.lock().len() > known);
    process.runtime.block_on(home.mongo.refuse_writes(false));
    process.reaches(MovePhase::Moved);
    eprintln!("moved, {} versions", home.ledger.lock().len());
    home.check(&mut process);
    process.end();
}

impl Home {
    /// Counts the records of all documents in the database file.
    fn records_in_sqlite(&self) -> usize {
        let url = format!("sqlite://{}/izanagi.db", self.folder.path().display());
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            // As a document store of its own, the file is not asked where the documents are.
            let documents = Some(izanagi_storage::DocumentsConfig::new(url));
            let config = StorageConfig { documents, ..StorageConfig::new("memory://") };
            let opened = izanagi_storage::open(&config).await.unwrap();
            let mut count = 0;
            for id in &self.documents {
                let (index, contents) = (RecordIndex::CollectionId, RecordPath::contents_of(*id));
                let paths = opened.stores.documents.paths(index, &contents, None, 10_000, true);
                count += paths.await.unwrap().len();
            }
            opened.close().await;
            count
        })
    }
}
