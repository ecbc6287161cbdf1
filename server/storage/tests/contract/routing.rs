//! A document store in two places.

use crate::{
    fixtures::*,
    provider::{Provider, TestStore},
};
use izanagi_domain::storage::{Data, Differences, DocumentRouting, NewRecord, RecordPath, Value};
use izanagi_storage::{DocumentsConfig, DocumentsRouting, Opened, Reads, StorageConfig, open};
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

/// The records in the first place alone.
async fn first(store: &TestStore) -> Opened {
    let url = store.url().replace("izanagi.db", "documents.db");
    open(&StorageConfig { documents: None, ..StorageConfig::new(url) }).await.unwrap()
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
        // Nobody is known to have removed it, so it may be the last copy.
        assert!(copies.get(&extra).await.is_ok());
        assert_eq!(store.documents.get(&extra).await.is_ok(), mend);
    }
    assert_eq!(routing.compare(false).await, Ok(Some(Differences::default())));
    assert_eq!(copies.get(&b).await.unwrap(), store.documents.get(&b).await.unwrap());
    assert_eq!(copies.get(&a).await.unwrap(), store.documents.get(&a).await.unwrap());
    assert_eq!(copies.get(&extra).await.unwrap(), store.documents.get(&extra).await.unwrap());
    assert!(copies.get(&c).await.is_ok());
    assert_eq!(routing.counters().repaired, 2);
    beside.close().await;
    store.close_differing().await;
}

/// A damaged database, or one that was taken for the first place by mistake.
#[tokio::test]
async fn a_record_that_only_the_second_place_has_is_brought_back() {
    let store = Provider::Routed.open().await.unwrap();
    let [a, _, _] = created(&store).await;
    let first = first(&store).await;
    let lost = store.documents.get(&a).await.unwrap();
    first.stores.documents.purge(&a).await.unwrap();
    let routing = routing(&store);
    let expected = Differences { paths: vec![a.clone()], count: 1 };
    for mend in [false, true] {
        assert_eq!(routing.compare(mend).await, Ok(Some(expected.clone())));
        let beside = second(&store).await;
        assert_eq!(beside.stores.documents.get(&a).await, Ok(lost.clone()));
        beside.close().await;
    }
    assert_eq!(store.documents.get(&a).await, Ok(lost));
    first.close().await;
    store.close_differing().await;
}

#[tokio::test]
async fn an_empty_first_place_beside_a_filled_second_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("sqlite://{}/{name}.db", folder.path().display());
    let single = StorageConfig::new(at("izanagi"));
    let opened = open(&single).await.unwrap();
    let path = RecordPath::from_parts("documents/7/contents", "a");
    let new = NewRecord { path: path.clone(), data: data("words") };
    opened.stores.documents.create(&new, crate::fixtures::at(1)).await.unwrap();
    opened.close().await;
    let dual = |own_first| StorageConfig {
        documents: Some(DocumentsConfig::new(at("documents"))),
        routing: DocumentsRouting::DualWrite { own_first, reads: Reads::Primary, mirrors: true },
        ..single.clone()
    };
    let refused = open(&dual(true)).await.err().unwrap().to_string();
    assert!(refused.contains("is empty"), "{refused}");
    let opened = open(&dual(false)).await.unwrap();
    assert_eq!(opened.stores.documents.get(&path).await.unwrap().data, data("words"));
    opened.close().await;
}

/// The second place has what the first one lacks, and the marks say so.
#[tokio::test]
async fn places_are_not_exchanged_while_writes_wait() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("sqlite://{}/{name}.db", folder.path().display());
    let dual = |own_first| StorageConfig {
        documents: Some(DocumentsConfig::new(at("documents"))),
        routing: DocumentsRouting::DualWrite { own_first, reads: Reads::Primary, mirrors: true },
        ..StorageConfig::new(at("izanagi")).for_one("serve")
    };
    let opened = open(&dual(false)).await.unwrap();
    let path = RecordPath::from_parts("documents/7/contents", "a");
    let new = NewRecord { path: path.clone(), data: data("words") };
    opened.stores.documents.create(&new, crate::fixtures::at(1)).await.unwrap();
    opened
        .tamper(
            "INSERT INTO shadow_marks (id, collection, record, truth, purges) \
             VALUES (randomblob(16), 'documents/7/contents', 'b', 'users', 0)",
        )
        .await
        .unwrap();
    opened.close().await;
    let refused = open(&dual(true)).await.err().unwrap().to_string();
    assert!(refused.contains("writes wait") && refused.contains("primary: users"), "{refused}");
    let single = StorageConfig { routing: DocumentsRouting::Single, ..dual(true) };
    assert!(open(&single).await.is_err());
    let opened = open(&dual(false)).await.unwrap();
    assert_eq!(opened.stores.routing.as_ref().unwrap().pending().await, Ok(1));
    opened.close().await;
    let ignoring = StorageConfig { ignores_moves: true, ..dual(true) };
    let opened = open(&ignoring).await.unwrap();
    assert_eq!(opened.stores.routing.as_ref().unwrap().forget_marks().await, Ok(1));
    opened.close().await;
    open(&dual(true)).await.unwrap().close().await;
}

/// The first place decides, and marks remember what the second lacks.
#[tokio::test]
async fn a_second_place_that_is_down_does_not_prevent_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/izanagi.db", folder.path().display());
    let config = StorageConfig {
        documents: Some(DocumentsConfig::new("postgres://ann:tiger@127.0.0.1:1/notes")),
        routing: DocumentsRouting::DualWrite {
            own_first: false,
            reads: Reads::Primary,
            mirrors: true,
        },
        ..StorageConfig::new(url)
    };
    let opened = open(&config).await.unwrap();
    let path = RecordPath::from_parts("documents/7/contents", "a");
    let new = NewRecord { path: path.clone(), data: data("words") };
    opened.stores.documents.create(&new, crate::fixtures::at(1)).await.unwrap();
    assert_eq!(opened.stores.documents.get(&path).await.unwrap().data, data("words"));
    assert_eq!(opened.stores.routing.as_ref().unwrap().pending().await, Ok(1));
    assert!(!opened.description.contains("tiger"), "{}", opened.description);
    opened.close().await;
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
