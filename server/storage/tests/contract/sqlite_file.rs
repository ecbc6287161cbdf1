//! Tests specific to database files: reopening, damage, and access by other processes.

use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{Appended, Claim, CommitOutcome, Freshness, StoreError, Topic};
use izanagi_storage::{OpenError, StorageConfig, migrate, open};
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct File {
    folder: TempDir,
}

impl File {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("izanagi.db")
    }

    async fn open(&self) -> TestStore {
        TestStore::open(&url(&self.path()), None).await
    }

    /// Opens a separate connection, like another process.
    async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path());
        SqliteConnection::connect_with(&options).await.unwrap()
    }
}

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

#[tokio::test]
async fn data_survives_closing_and_reopening() {
    let file = File::new();
    let store = file.open().await;
    let user = a_user(&store).await;
    let document = a_document(&store, user).await;
    store.relational.log.append(&[batch(document, vec![update(user, "a")])]).await.unwrap();
    let version = a_version(&store, document, user).await;
    let record = izanagi_domain::storage::NewRecord {
        path: izanagi_domain::storage::RecordPath::content(document, version.commit_id),
        data: data("words"),
    };
    store.documents.create(&record, at(5)).await.unwrap();
    let row = store.relational.catalog.get(document).await.unwrap();
    store.close().await;

    let store = file.open().await;
    assert_eq!(store.relational.catalog.get(document).await.unwrap(), row);
    assert_eq!(
        store.relational.versions.get(Freshness::Fresh, document, 1).await.unwrap(),
        version
    );
    assert_eq!(store.documents.get(&record.path).await.unwrap().data, record.data);
    let updates = vec![update(user, "a"), update(user, "b")];
    let answers = store.relational.log.append(&[batch(document, updates)]).await.unwrap();
    assert_eq!(answers, [Ok(vec![Appended::Known(1), Appended::New(2)].into())]);
}

#[tokio::test]
async fn acknowledged_writes_survive_a_crash() {
    let file = File::new();
    let store = file.open().await;
    let user = a_user(&store).await;
    let document = a_document(&store, user).await;
    let (_, version) = attempt(&store, document, user).await;
    let atomic = store.relational.atomic.clone().unwrap();
    let records = [content_record(&version)];
    let outcome = atomic.commit_with_content(&records, &version).await.map(|done| done.unwrap());
    assert_eq!(outcome, Ok(CommitOutcome::Committed));
    // Copies the files as a crash at this point would leave them.
    let copy = File::new();
    for suffix in ["", "-wal"] {
        let name = format!("izanagi.db{suffix}");
        std::fs::copy(file.folder.path().join(&name), copy.folder.path().join(&name)).unwrap();
    }
    let store = copy.open().await;
    assert!(store.relational.versions.by_commit(version.commit_id).await.is_ok());
    assert_eq!(store.relational.inspect.integrity().await, Ok(vec![]));
}

#[tokio::test]
async fn closed_stores_are_unavailable() {
    let file = File::new();
    let store = file.open().await;
    let user = a_user(&store).await;
    store.close().await;
    assert!(matches!(store.relational.users.by_id(user).await, Err(StoreError::Unavailable(_))));
    let written = store.relational.users.delete(user, &event(1)).await;
    assert!(matches!(written, Err(StoreError::Unavailable(_))));
    store.close().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_an_explanation() {
    let file = File::new();
    file.open().await.close().await;
    let mut connection = file.connect().await;
    connection
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (9999, 'from the future', 1, x'00', 0)",
        )
        .await
        .unwrap();
    connection.close().await.unwrap();
    let error = open(&StorageConfig::new(url(&file.path()))).await.unwrap_err();
    assert!(matches!(error, OpenError::NewerSchema { found: 9999, .. }), "{error:?}");
    assert!(error.to_string().contains("A newer Izanagi has used it"), "{error}");
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let file = File::new();
    let config = StorageConfig::new(url(&file.path()));
    migrate(&config).await.unwrap();
    migrate(&config).await.unwrap();
    let store = file.open().await;
    assert_eq!(store.relational.inspect.documents(None, 10).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_starts_succeed() {
    for _ in 0..10 {
        let file = File::new();
        let starts = [(); 4].map(|()| {
            let config = StorageConfig::new(url(&file.path()));
            tokio::spawn(async move { open(&config).await })
        });
        for start in starts {
            start.await.unwrap().unwrap().close().await;
        }
    }
}

#[tokio::test]
async fn the_folder_is_created_and_any_file_name_works() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new folder").join("50% #ü.db");
    let store = TestStore::open(&url(&path), None).await;
    let user = a_user(&store).await;
    assert!(path.exists());
    assert!(store.relational.users.by_id(user).await.is_ok());
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_refused() {
    let file = File::new();
    std::fs::write(file.path(), "no database".repeat(1_000)).unwrap();
    let error = open(&StorageConfig::new(url(&file.path()))).await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
}

#[tokio::test]
async fn damage_is_found() {
    let file = File::new();
    let store = file.open().await;
    let user = a_user(&store).await;
    a_document(&store, user).await;
    store.close().await;
    let mut connection = file.connect().await;
    let damage = "PRAGMA foreign_keys = OFF; DELETE FROM users";
    connection.execute(damage).await.unwrap();
    connection.close().await.unwrap();
    let found = file.open().await.relational.inspect.integrity().await.unwrap();
    assert!(found.iter().any(|line| line.contains("missing row of users")), "{found:?}");
}

#[tokio::test]
async fn an_unreadable_job_does_not_stop_its_topic() {
    let file = File::new();
    let store = file.open().await;
    for key in ["bad", "good"] {
        store.relational.outbox.ensure(Topic::Erase, key, at(1)).await.unwrap();
    }
    store.close().await;
    let mut connection = file.connect().await;
    let damage = "UPDATE outbox SET key = CAST(x'ff' AS TEXT) WHERE key = 'bad'";
    connection.execute(damage).await.unwrap();
    connection.close().await.unwrap();
    let store = file.open().await;
    let (worker, topic) = (fresh_uuid(), Topic::Erase);
    let claim = Claim { topic, worker, limit: 10, now: at(10), until: at(20), horizon: at(1_000) };
    for _ in 0..2 {
        let items = store.relational.outbox.claim(&claim).await.unwrap();
        let keys: Vec<_> = items.iter().map(|item| item.key.as_str()).collect();
        assert_eq!(keys, ["good"]);
    }
    let parked = store.relational.outbox.parked(10).await;
    assert!(matches!(parked, Err(StoreError::Corrupt(_))), "{parked:?}");
}

/// Takes five seconds, the time a writer waits for another process's lock.
#[tokio::test]
async fn a_file_locked_by_another_process_is_unavailable() {
    let file = File::new();
    let store = file.open().await;
    let user = a_user(&store).await;
    let mut other = file.connect().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let refused = store.relational.users.delete(user, &event(1)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    other.execute("ROLLBACK").await.unwrap();
    assert!(store.relational.users.by_id(user).await.is_ok());
    store.relational.users.delete(user, &event(2)).await.unwrap();
    assert_eq!(store.relational.users.by_id(user).await.err(), Some(StoreError::NotFound));
}
