//! Records beside other transactions, and beside damaged ones.

use crate::{fixtures::*, pg_server::PgDatabase, provider::TestStore, records::path};
use izanagi_domain::storage::{NewRecord, RecordChange, RecordChangeKind, RecordPath, StoreError};
use sqlx::Connection as _;
use std::time::Duration;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

async fn create(store: &TestStore, path: &RecordPath) {
    let record = NewRecord { path: path.clone(), data: data("words") };
    store.documents.create(&record, at(5)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_notes_the_version_that_it_removes() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let path = path();
    create(&store, &path).await;
    let mut watch = store.documents.watch(None, None).await.unwrap();
    let mut other = database.connect().await;
    let mut changing = other.begin().await.unwrap();
    sqlx::query("UPDATE records SET version = 7").execute(&mut *changing).await.unwrap();
    let (stores, purged) = (store.stores(), path.clone());
    let purging = tokio::spawn(async move { stores.documents.purge(&purged).await });
    database.until_blocked().await;
    changing.commit().await.unwrap();
    assert_eq!(purging.await.unwrap(), Ok(()));
    let expected = RecordChange { path, version: 8, kind: RecordChangeKind::Purged };
    assert_eq!(watch.next().await, Ok(expected));
    other.close().await.unwrap();
    store.close().await;
    database.recycle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_spares_a_record_that_has_come_back() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let path = path();
    create(&store, &path).await;
    store.documents.delete(&path, at(10)).await.unwrap();
    let mut other = database.connect().await;
    let mut changing = other.begin().await.unwrap();
    sqlx::query("UPDATE records SET deleted = false").execute(&mut *changing).await.unwrap();
    let stores = store.stores();
    let forgetting = tokio::spawn(async move { stores.documents.forget(at(40 * DAY)).await });
    database.until_blocked().await;
    changing.commit().await.unwrap();
    assert_eq!(forgetting.await.unwrap(), Ok(()));
    assert!(store.documents.get(&path).await.is_ok());
    other.close().await.unwrap();
    store.close().await;
    database.recycle().await;
}

/// More of them than are removed at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_records_stop_neither_retention_nor_watches() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let (old, new) = (path(), path());
    create(&store, &old).await;
    store.documents.delete(&old, at(10)).await.unwrap();
    let mut watch = store.documents.watch(None, None).await.unwrap();
    database
        .run(
            "INSERT INTO records SELECT collection, convert_to(lpad(CAST(n AS text), 6, '0'), 'UTF8'), 1, 1, 1, \
             true, data FROM records CROSS JOIN generate_series(1, 1500) AS n; \
             INSERT INTO record_changes SELECT nextval('record_numbers'), collection, '\\x41', 1, 1 \
             FROM record_changes CROSS JOIN generate_series(1, 300) AS n LIMIT 300",
        )
        .await;
    store.documents.forget(at(40 * DAY)).await.unwrap();
    assert_eq!(store.documents.get(&old).await, Err(StoreError::NotFound));
    let purged = RecordChange { path: old, version: 3, kind: RecordChangeKind::Purged };
    let next = tokio::time::timeout(Duration::from_secs(20), watch.next());
    assert_eq!(next.await.unwrap(), Ok(purged));
    create(&store, &new).await;
    let created = RecordChange { path: new, version: 1, kind: RecordChangeKind::Created };
    assert_eq!(watch.next().await, Ok(created));
    store.close().await;
    database.recycle().await;
}
