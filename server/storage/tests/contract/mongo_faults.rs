//! Commands of MongoDB that fail on purpose (failCommand): the caller learns what has become of its
//! write. Needs a server with test commands.

use crate::{
    fixtures::*,
    provider::{TestMongo, TestStore},
    records::path,
    services,
};
use izanagi_domain::storage::{
    Constraint, NewRecord, Record, RecordPatch, RecordPath, StoreError, StoreResult,
};
use mongodb::{
    Client,
    bson::{Document, doc},
};
use std::time::{Duration, Instant};

/// The answer to a write, if the server kept its promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The driver's second attempt succeeds.
    Done,
    /// Not written, and reported so.
    NotDone,
    /// `Unknown`; nothing was written.
    UnknownNotDone,
    /// `Unknown`; it was written.
    UnknownDone,
    /// Either of the first and the last: it was written.
    DoneOrUnknown,
    /// Either of the two: nothing was written.
    NotDoneOrUnknown,
}

/// A fault: how often, what the server does, and the answer to a write.
fn faults() -> Vec<(&'static str, i32, Document, Answer)> {
    let labels = ["RetryableWriteError"];
    vec![
        ("closed once", 1, doc! { "closeConnection": true }, Answer::Done),
        ("closed twice", 2, doc! { "closeConnection": true }, Answer::UnknownNotDone),
        (
            "stored, but not by a majority in time",
            1,
            doc! { "writeConcernError": { "code": 64, "errmsg": "waiting for replication timed out" } },
            Answer::UnknownDone,
        ),
        (
            "stored, while the server shuts down",
            1,
            doc! {
                "writeConcernError": { "code": 91, "errmsg": "shutting down" },
                "errorLabels": labels,
            },
            Answer::DoneOrUnknown,
        ),
        ("not primary once", 1, doc! { "errorCode": 10_107, "errorLabels": labels }, Answer::Done),
        (
            "not primary twice",
            2,
            doc! { "errorCode": 10_107, "errorLabels": labels },
            Answer::NotDoneOrUnknown,
        ),
        (
            "shut down twice",
            2,
            doc! { "errorCode": 11_600, "errorLabels": labels },
            Answer::UnknownNotDone,
        ),
        ("stepping down once", 1, doc! { "errorCode": 189, "errorLabels": labels }, Answer::Done),
        ("not allowed", 1, doc! { "errorCode": 13 }, Answer::NotDone),
        (
            "answered too late",
            1,
            doc! { "blockConnection": true, "blockTimeMS": 1_500 },
            Answer::UnknownDone,
        ),
    ]
}

#[derive(Debug, Clone, Copy)]
enum Write {
    Create,
    Update,
    Patch,
    Delete,
    Purge,
}

impl Write {
    const ALL: [Self; 5] = [Self::Create, Self::Update, Self::Patch, Self::Delete, Self::Purge];

    /// The command that it sends. The first of those of a purge marks the record.
    const fn command(self) -> &'static str {
        match self {
            Self::Create => "insert",
            Self::Update | Self::Patch | Self::Delete => "update",
            Self::Purge => "delete",
        }
    }

    async fn run(self, store: &TestStore, path: &RecordPath) -> StoreResult<()> {
        let documents = &store.documents;
        let record = NewRecord { path: path.clone(), data: data("new") };
        let patch = RecordPatch { set: data("new"), unset: Vec::new() };
        match self {
            Self::Create => documents.create(&record, at(7)).await,
            Self::Update => documents.update(path, 1, &data("new"), at(7)).await.map(drop),
            Self::Patch => documents.patch(path, 1, &patch, at(7)).await.map(drop),
            Self::Delete => documents.delete(path, at(7)).await,
            Self::Purge => documents.purge(path).await,
        }
    }

    /// Whether it has been done, exactly once.
    fn is_done(self, read: &StoreResult<Record>, stored: Option<&Document>) -> bool {
        match self {
            Self::Create => matches!(read, Ok(record) if record.version == 1),
            Self::Update | Self::Patch => match read {
                Ok(record) if record.version == 2 => {
                    assert_eq!(record.data, data("new"));
                    true
                }
                Ok(record) => {
                    assert_eq!((record.version, &record.data), (1, &data("words")));
                    false
                }
                Err(error) => panic!("{error}"),
            },
            Self::Delete => *read == Err(StoreError::NotFound),
            Self::Purge => stored.is_none(),
        }
    }
}

struct FailPoint {
    admin: mongodb::Database,
    app: String,
}

impl FailPoint {
    async fn new(url: &str, app: &str) -> Self {
        let admin = Client::with_uri_str(url).await.unwrap().database("admin");
        Self { admin, app: app.to_owned() }
    }

    async fn set(&self, command: &str, times: i32, fault: &Document) {
        let mut fault = fault.clone();
        fault.insert("failCommands", [command]);
        fault.insert("appName", &self.app);
        let mode = doc! { "times": times };
        let set = doc! { "configureFailPoint": "failCommand", "mode": mode, "data": fault };
        self.admin.run_command(set).await.unwrap();
    }

    async fn clear(&self) {
        let clear = doc! { "configureFailPoint": "failCommand", "mode": "off" };
        self.admin.run_command(clear).await.unwrap();
    }
}

/// Failing commands are a setting of the whole server, so all is one test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_caller_learns_what_has_become_of_its_write() {
    let Some(url) = services::url("TEST_MONGODB_URL") else { return };
    let app = format!("faults-{}", fresh_uuid().simple());
    let options = format!("appName={app}&heartbeatFrequencyMS=500&serverMonitoringMode=poll");
    let store = TestStore::open_mongo(TestMongo::new(&url).with_options(&options)).await;
    // Gives up before a blocked command is answered.
    let options = format!("{options}&socketTimeoutMS=1000");
    let hasty = TestStore::open_mongo(TestMongo::new(&url).with_options(&options)).await;
    let point = FailPoint::new(&url, &app).await;
    for (name, times, fault, expected) in faults() {
        let is_late = fault.contains_key("blockTimeMS");
        let store = if is_late { &hasty } else { &store };
        for write in Write::ALL {
            let path = path();
            if !matches!(write, Write::Create) {
                let record = NewRecord { path: path.clone(), data: data("words") };
                store.documents.create(&record, at(5)).await.unwrap();
            }
            point.set(write.command(), times, &fault).await;
            let answer = write.run(store, &path).await;
            point.clear().await;
            println!("{name}: {write:?}: {answer:?}");
            let mut read = settled(store, &path).await;
            let mut done = write.is_done(&read, stored(store, &path).await.as_ref());
            if is_late {
                // The server goes on with it after its caller has given up.
                let late = Instant::now() + Duration::from_secs(10);
                while !done && Instant::now() < late {
                    read = settled(store, &path).await;
                    done = write.is_done(&read, stored(store, &path).await.as_ref());
                }
            }
            let fits = match (&answer, done) {
                (Ok(()), true) => matches!(expected, Answer::Done | Answer::DoneOrUnknown),
                (Err(StoreError::Unavailable(_)), false) => {
                    matches!(expected, Answer::NotDone | Answer::NotDoneOrUnknown)
                }
                (Err(StoreError::Unknown(_)), true) => {
                    matches!(expected, Answer::UnknownDone | Answer::DoneOrUnknown)
                }
                (Err(StoreError::Unknown(_)), false) => {
                    matches!(expected, Answer::UnknownNotDone | Answer::NotDoneOrUnknown)
                }
                _ => false,
            };
            assert!(fits, "{name}: {write:?}: {answer:?}, done: {done}, expected {expected:?}");
            // The same once more does what is missing, or says that nothing is.
            let again = write.run(store, &path).await;
            let conflict = match write {
                Write::Create => Some(Constraint::RecordExists),
                Write::Update | Write::Patch => Some(Constraint::RecordVersion),
                Write::Delete | Write::Purge => None,
            };
            match conflict.filter(|_| done) {
                Some(conflict) => assert_eq!(again, Err(StoreError::Conflict(conflict))),
                None => assert_eq!(again, Ok(())),
            }
        }
    }
    reads(&hasty, &point).await;
    store.close().await;
    hasty.close().await;
}

async fn reads(store: &TestStore, point: &FailPoint) {
    let path = path();
    let record = NewRecord { path: path.clone(), data: data("words") };
    store.documents.create(&record, at(5)).await.unwrap();
    for (times, fault, works) in [
        (1, doc! { "closeConnection": true }, true),
        (2, doc! { "closeConnection": true }, false),
        (1, doc! { "errorCode": 10_107 }, true),
        (2, doc! { "errorCode": 11_600 }, false),
        (1, doc! { "blockConnection": true, "blockTimeMS": 1_500 }, false),
    ] {
        point.set("find", times, &fault).await;
        let read = store.documents.get(&path).await;
        point.clear().await;
        match read {
            Ok(read) => assert!(works && read.data == data("words")),
            Err(error) => assert!(!works && matches!(error, StoreError::Unavailable(_))),
        }
        settled(store, &path).await.unwrap();
    }
}

/// Reads as soon as the driver has found the server again.
async fn settled(store: &TestStore, path: &RecordPath) -> StoreResult<Record> {
    let late = Instant::now() + Duration::from_secs(10);
    let mut beat = tokio::time::interval(Duration::from_millis(20));
    while Instant::now() < late {
        match store.documents.get(path).await {
            Err(StoreError::Unavailable(_)) => drop(beat.tick().await),
            read => return read,
        }
    }
    panic!("the store did not recover");
}

async fn stored(store: &TestStore, path: &RecordPath) -> Option<Document> {
    let documents = crate::mongo_server::collection(store).await;
    documents.find_one(doc! { "fullpath": path.to_string() }).await.unwrap()
}
