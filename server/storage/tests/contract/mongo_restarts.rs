//! MongoDB is killed and started again while writers go on: nothing acknowledged is lost, nothing is
//! done twice, and everybody recovers without help.

use crate::{
    fixtures::*,
    provider::{TestMongo, TestStore},
    records::path,
    services,
};
use izanagi_domain::storage::{
    NewRecord, Record, RecordPath, ResumeToken, StoreError, StoreResult, Stores,
};
use std::{
    collections::HashMap,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// Between two looks at something that others change.
const BEAT: Duration = Duration::from_millis(20);

/// A server of its own, stopped when dropped.
struct Server {
    folder: TempDir,
}

impl Server {
    /// Starts a server; `None` if tests have none.
    fn start() -> Option<Self> {
        services::url("TEST_MONGODB_URL")?;
        let server = Self { folder: tempfile::tempdir().unwrap() };
        server.services("start", &["mongo"]);
        Some(server)
    }

    fn url(&self) -> String {
        let env = std::fs::read_to_string(self.folder.path().join("mongo.env")).unwrap();
        env.trim().split_once('=').unwrap().1.to_owned()
    }

    fn services(&self, command: &str, names: &[&str]) {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let status = Command::new("bash")
            .arg("scripts/services")
            .arg(command)
            .arg(self.folder.path())
            .args(names)
            .current_dir(root)
            .status();
        assert!(status.unwrap().success(), "scripts/services {command}");
    }

    /// Ends the server without warning.
    fn kill(&self) {
        let pid = std::fs::read_to_string(self.folder.path().join("mongo.pid")).unwrap();
        let killed = Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap();
        assert!(killed.success());
    }

    /// Starts it again, with its data.
    fn restart(&self) {
        self.services("restart", &["mongo"]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.services("stop", &[]);
    }
}

/// Repeats a read until the server is there again.
async fn patiently(stores: &Stores, path: &RecordPath) -> StoreResult<Record> {
    let mut beat = tokio::time::interval(BEAT);
    loop {
        match stores.documents.get(path).await {
            Err(StoreError::Unavailable(_)) => drop(beat.tick().await),
            read => return read,
        }
    }
}

/// What a writer knows.
#[derive(Default)]
struct Known {
    created: Vec<RecordPath>,
    /// Its own record, and the number of the last update that is known to be stored.
    counter: Option<(RecordPath, u64)>,
    unknown: usize,
}

/// Creates records and updates one of its own until told to end.
async fn write(stores: Stores, progress: Arc<AtomicU64>, mut end: oneshot::Receiver<()>) -> Known {
    let counter = path();
    let mut known = Known::default();
    let mut version = 0;
    while end.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
        let created = path();
        let record = NewRecord { path: created.clone(), data: data("words") };
        let is_there = match stores.documents.create(&record, at(5)).await {
            Ok(()) => true,
            Err(StoreError::Unavailable(_)) => false,
            Err(StoreError::Unknown(_)) => {
                known.unknown += 1;
                patiently(&stores, &created).await.is_ok()
            }
            // Its id is fresh, so this would be its own record.
            Err(error) => panic!("create: {error}"),
        };
        if is_there {
            known.created.push(created);
            progress.fetch_add(1, Ordering::SeqCst);
        }
        let next = data(&(version + 1).to_string());
        let record = NewRecord { path: counter.clone(), data: next.clone() };
        let written = match version {
            0 => stores.documents.create(&record, at(5)).await.map(|()| 1),
            _ => stores.documents.update(&counter, version, &next, at(6)).await,
        };
        match written {
            Ok(next) => {
                assert_eq!(next, version + 1);
                version = next;
            }
            Err(StoreError::Unavailable(_)) => {}
            Err(StoreError::Unknown(_)) => {
                known.unknown += 1;
                match patiently(&stores, &counter).await {
                    Ok(record) => {
                        assert!(record.version == version || record.version == version + 1);
                        version = record.version;
                    }
                    Err(error) => assert!(error == StoreError::NotFound && version == 0),
                }
            }
            // Nobody else writes it.
            Err(error) => panic!("update {version}: {error}"),
        }
    }
    known.counter = Some((counter, version));
    known
}

/// Follows the changes across restarts: per record, the versions in the order in which they came.
async fn follow(
    stores: Stores,
    token: ResumeToken,
    mut end: oneshot::Receiver<RecordPath>,
) -> HashMap<RecordPath, Vec<u64>> {
    let mut seen: HashMap<RecordPath, Vec<u64>> = HashMap::new();
    let (mut token, mut last) = (token, None);
    let mut beat = tokio::time::interval(BEAT);
    loop {
        let mut watch = match stores.documents.watch(None, Some(&token)).await {
            Ok(watch) => watch,
            Err(StoreError::Unavailable(_)) => {
                beat.tick().await;
                continue;
            }
            Err(error) => panic!("watch: {error}"),
        };
        loop {
            if last.is_none() {
                last = end.try_recv().ok();
            }
            if last.as_ref().is_some_and(|last| seen.contains_key(last)) {
                return seen;
            }
            match tokio::time::timeout(Duration::from_millis(500), watch.next()).await {
                Err(_) => {}
                Ok(Ok(change)) => {
                    seen.entry(change.path).or_default().push(change.version);
                    token = watch.token();
                }
                Ok(Err(StoreError::Unavailable(_))) => break,
                Ok(Err(error)) => panic!("watch: {error}"),
            }
        }
    }
}

const WRITERS: usize = 4;
const ROUNDS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let Some(server) = Server::start().map(Arc::new) else { return };
    let work = story(&server);
    tokio::time::timeout(Duration::from_secs(120), work).await.expect("the test hangs");
}

#[allow(clippy::print_stdout)]
async fn story(server: &Arc<Server>) {
    let store = TestStore::open_mongo(TestMongo::new(&server.url())).await;
    let token = store.documents.watch(None, None).await.unwrap().token();
    let (watch_end, end) = oneshot::channel();
    let follower = tokio::spawn(follow(store.stores(), token, end));
    let progress = Arc::new(AtomicU64::new(0));
    let (mut ends, mut writers) = (Vec::new(), Vec::new());
    for _ in 0..WRITERS {
        let (end, ended) = oneshot::channel();
        ends.push(end);
        writers.push(tokio::spawn(write(store.stores(), Arc::clone(&progress), ended)));
    }
    for _ in 0..ROUNDS {
        more(&progress).await;
        server.kill();
        let again = Arc::clone(server);
        tokio::task::spawn_blocking(move || again.restart()).await.unwrap();
        // The same clients go on, without help.
        more(&progress).await;
    }
    drop(ends);
    let mut known = Vec::new();
    for writer in writers {
        known.push(writer.await.unwrap());
    }
    let last = path();
    let record = NewRecord { path: last.clone(), data: data("end") };
    store.documents.create(&record, at(5)).await.unwrap();
    watch_end.send(last).unwrap();
    let seen = follower.await.unwrap();
    let created: Vec<_> = known.iter().flat_map(|known| known.created.clone()).collect();
    let found = store.documents.get_many(&created).await.unwrap();
    assert_eq!(found.len(), created.len(), "acknowledged records are lost");
    assert!(found.iter().all(|record| record.data == data("words") && record.version == 1));
    for path in &created {
        assert_eq!(seen.get(path), Some(&vec![1]), "{path} was not seen exactly once");
    }
    for (path, version) in known.iter().filter_map(|known| known.counter.clone()) {
        let record = store.documents.get(&path).await.unwrap();
        assert_eq!((record.version, record.data), (version, data(&version.to_string())));
        assert_eq!(seen[&path], (1..=version).collect::<Vec<_>>());
    }
    let unknown: usize = known.iter().map(|known| known.unknown).sum();
    println!("{} records, {ROUNDS} kills, {unknown} unknown outcomes", created.len());
    store.close().await;
}

/// Waits until some more records are acknowledged.
async fn more(progress: &AtomicU64) {
    let enough = progress.load(Ordering::SeqCst) + 40;
    let mut beat = tokio::time::interval(BEAT);
    while progress.load(Ordering::SeqCst) < enough {
        beat.tick().await;
    }
}
