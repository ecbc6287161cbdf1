//! A document store in two places.

use crate::{
    fixtures::*,
    provider::{Provider, TestStore},
};
use izanagi_domain::storage::{Data, Differences, DocumentRouting, NewRecord, RecordPath, Value};
use izanagi_storage::{DocumentsConfig, Opened, StorageConfig, open};
use std::sync::Arc;

fn data(text: &str) -> Data {
    [("content".to_owned(), Value::from(text))].into_iter().collect()
}

fn routing(store: &TestStore) -> Arc<dyn DocumentRouting> {
    Arc::clone(store.routing.as_ref().unwrap())
}

/// The records in the second place alone: it has no document store of its own.
async fn second(store: &TestStore) -> Opened {
    open(&StorageConfig { documents: None, ..StorageConfig::new(store.url()) }).await.unwrap()
}

/// Creates records `a`, `b` and `c`.
async fn created(store: &TestStore) -> [RecordPath; 3] {
    let paths = ["a", "b", "c"].map(|id| RecordPath::from_parts("documents/7/contents", id));
    for path in &paths {
        let new = NewRecord { path: path.clone(), data: data(path.id()) };
        store.documents.create(&new, at(1)).await.unwrap();
    }
    paths
}

#[tokio::test]
async fn every_write_reaches_both_places() {
    let store = Provider::Routed.open().await.unwrap();
    let [a, b, c] = created(&store).await;
    store.documents.update(&a, 1, &data("changed"), at(2)).await.unwrap();
    store.documents.delete(&b, at(3)).await.unwrap();
    store.documents.purge(&c).await.unwrap();
    let beside = second(&store).await;
    let paths = [a.clone(), b.clone(), c.clone()];
    let mut copies = beside.stores.documents.get_stored(&paths).await.unwrap();
    let mut records = store.documents.get_stored(&paths).await.unwrap();
    copies.sort_by_key(|record| record.path.clone());
    records.sort_by_key(|record| record.path.clone());
    assert_eq!((copies.len(), &copies), (2, &records));
    beside.close().await;
    store.close().await;
}

#[tokio::test]
async fn copies_that_differ_are_named_and_mended() {
    let store = Provider::Routed.open().await.unwrap();
    let [a, b, c] = created(&store).await;
    let beside = second(&store).await;
    let copies = &beside.stores.documents;
    copies.update(&a, 1, &data("damaged"), at(1)).await.unwrap();
    copies.purge(&b).await.unwrap();
    let extra = RecordPath::from_parts("documents/8/contents", "x");
    let new = NewRecord { path: extra.clone(), data: Data::new() };
    copies.create(&new, at(1)).await.unwrap();
    let routing = routing(&store);
    let expected = Differences { paths: vec![a.clone(), b.clone(), extra.clone()], count: 3 };
    for mend in [false, true] {
        assert_eq!(routing.compare(mend).await, Ok(Some(expected.clone())));
    }
    assert_eq!(routing.compare(false).await, Ok(Some(Differences::default())));
    assert_eq!(copies.get(&b).await.unwrap(), store.documents.get(&b).await.unwrap());
    assert_eq!(copies.get(&a).await.unwrap(), store.documents.get(&a).await.unwrap());
    assert!(copies.get(&extra).await.is_err() && copies.get(&c).await.is_ok());
    assert_eq!(routing.counters().repaired, 3);
    beside.close().await;
    store.close().await;
}

#[tokio::test]
async fn reads_of_both_places_count_what_differs() {
    let store = Provider::Routed.open().await.unwrap();
    let [a, b, _] = created(&store).await;
    let beside = second(&store).await;
    beside.stores.documents.update(&a, 1, &data("damaged"), at(1)).await.unwrap();
    assert_eq!(store.documents.get(&a).await.unwrap().data, data("a"), "the first place answers");
    assert_eq!(store.documents.get(&b).await.unwrap().data, data("b"));
    let counters = routing(&store).counters();
    assert_eq!((counters.differences, counters.writes), (1, 3));
    beside.close().await;
    store.close_differing().await;
}

#[tokio::test]
async fn documents_may_have_a_postgresql_database_of_their_own() {
    let Some(database) = crate::pg_server::PgDatabase::migrated().await else { return };
    let documents = Some(DocumentsConfig::new(database.url()));
    let config = StorageConfig { documents, ..StorageConfig::new("memory://") };
    let opened = open(&config).await.unwrap();
    let path = RecordPath::from_parts("documents/7/contents", "a");
    let new = NewRecord { path: path.clone(), data: data("words") };
    opened.stores.documents.create(&new, at(1)).await.unwrap();
    opened.close().await;
    // What is in memory is gone, and the records are not.
    let opened = open(&config).await.unwrap();
    assert_eq!(opened.stores.documents.get(&path).await.unwrap().data, data("words"));
    opened.close().await;
    database.recycle().await;
}
