//! The document store moves from SQLite to MongoDB and back while versions are committed, and the
//! process ends at any point. Without a server, the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

#[path = "../../storage/tests/contract/services.rs"]
mod services;

use izanagi_domain::{
    accounts::Caller,
    fsck::Repair,
    jobs::LEASE,
    moves::{Asked, Cancelling},
    sealing::SealKeys,
    storage::{MovePhase, MovedStore, RecordIndex, RecordPath},
};
use izanagi_shared::{id::DocumentId, rules::Secret};
use izanagi_storage::StorageConfig;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use support::{KEY, Plan, World};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

const DOCUMENTS: usize = 6;
const BEFORE: usize = 8;
const STORE: MovedStore = MovedStore::Documents;

/// Acknowledged versions, each with its text.
type Ledger = Arc<Mutex<BTreeMap<(DocumentId, u64), String>>>;

/// What outlives the processes.
struct Home {
    folder: TempDir,
    mongo: String,
    ledger: Ledger,
    failures: Arc<Mutex<Vec<String>>>,
    callers: Option<(Caller, Caller)>,
    documents: Vec<DocumentId>,
}

/// A process: everything in it ends with its runtime.
struct Process {
    runtime: Runtime,
    world: Arc<World>,
    stops: Arc<AtomicBool>,
}

impl Home {
    fn new() -> Option<Self> {
        let url = services::url("TEST_MONGODB_URL")?;
        let mongo = url.replace("/?", &format!("/izanagi_test_{}?", Uuid::now_v7().simple()));
        Some(Self {
            folder: tempfile::tempdir().unwrap(),
            mongo,
            ledger: Ledger::default(),
            failures: Arc::default(),
            callers: None,
            documents: Vec::new(),
        })
    }

    fn start(&mut self) -> Process {
        let runtime = Runtime::new().unwrap();
        let url = format!("sqlite://{}/izanagi.db", self.folder.path().display());
        let storage = StorageConfig {
            seal: SealKeys::derive([&*KEY]).unwrap(),
            exclusive: Some("serve"),
            ..StorageConfig::new(url)
        };
        let plan = Plan { storage, ..Plan::default() };
        let world = runtime.block_on(async {
            match self.callers {
                None => World::with(plan).await,
                Some(callers) => World::again(plan, callers).await,
            }
        });
        self.callers = Some((world.ada, world.bob));
        let world = Arc::new(world);
        // The leases of the process before have lapsed.
        world.clock.advance(LEASE * 2);
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
                    if let Err(error) = commit_one(&world, id, &ledger).await {
                        failures.lock().push(error);
                    }
                }
            });
        }
    }

    /// All that was acknowledged is there, once, and nothing is broken.
    fn check(&self, process: &Process) {
        let world = &process.world;
        let ledger = self.ledger.lock().clone();
        process.runtime.block_on(async {
            for ((id, number), text) in &ledger {
                assert_eq!(world.content(*id, *number).await, *text, "{id} {number}");
            }
            let mut known: Vec<_> = ledger.keys().map(|(id, _)| *id).collect();
            known.dedup();
            assert_eq!(known.len(), DOCUMENTS);
            let report = world.services.fsck.run(Repair::No).await.unwrap();
            assert!(report.faults.is_empty(), "{:#?}", report.faults);
        });
        assert!(self.failures.lock().is_empty(), "{:?}", self.failures.lock());
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
            std::thread::sleep(Duration::from_millis(3));
        }
    }

    fn ask(&self, to: &str, overwrite: bool) -> Asked {
        let to = Secret::new(to);
        self.runtime.block_on(self.world.services.moves.begin(STORE, &to, overwrite)).unwrap()
    }

    /// Ends everything where it stands.
    fn kill(self) {
        let Self { runtime, world, .. } = self;
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
        println!("killed in {:?}", process.phase());
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
    let mongo = home.mongo.clone();
    let process = moves_with_kills(&mut home, process, &mongo, false);
    home.check(&process);
    let in_sqlite = home.records_in_sqlite();
    // The relational database has the records of before, and gets no more.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(home.records_in_sqlite(), in_sqlite);
    assert!(
        matches!(process.ask("users", false), Asked::Refused(why) if why.contains("--overwrite"))
    );
    assert!(matches!(process.ask(&mongo, false), Asked::Refused(why) if why.contains("already")));
    let process = moves_with_kills(&mut home, process, "users", true);
    home.check(&process);
    assert!(home.records_in_sqlite() > in_sqlite);
    process.end();
    // The settings name the place again, so nothing is left of the moves.
    let process = home.start();
    assert_eq!(process.phase(), None);
    home.check(&process);
    println!("{} versions were acknowledged", home.ledger.lock().len());
    process.end();
}

#[test]
fn a_cancelled_move_leaves_everything_where_it_was() {
    let Some(mut home) = Home::new() else { return };
    let process = home.start();
    home.fill(&process);
    home.write(&process);
    assert_eq!(process.ask(&home.mongo, false), Asked::Begun);
    let cancelled = process.runtime.block_on(process.world.services.moves.cancel(STORE)).unwrap();
    assert_eq!(cancelled, Cancelling::Cancelled);
    let begun = Instant::now();
    while process.phase().is_some() {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(20));
    }
    home.check(&process);
    process.end();
    let process = home.start();
    home.check(&process);
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
