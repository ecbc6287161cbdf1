//! Tests specific to MongoDB: indexes, damage, concurrency, the settings of a connection.

use crate::{
    fixtures::*,
    provider::{Provider, TestMongo, TestStore},
    records::path,
    services,
};
use izanagi_domain::storage::{
    Constraint, Data, NewRecord, RecordChangeKind, RecordIndex, RecordPatch, RecordPath,
    StoreError, Value,
};
use izanagi_shared::id::{CommitId, DocumentId};
use izanagi_storage::{DocumentsConfig, StorageConfig, open};
use mongodb::{
    Collection,
    bson::{Binary, Bson, Document, doc, spec::BinarySubtype},
};
use std::time::{Duration, Instant};

pub(crate) async fn collection(store: &TestStore) -> Collection<Document> {
    store.mongo.as_ref().unwrap().connect().await.collection("documents")
}

async fn create(store: &TestStore, path: &RecordPath) {
    let record = NewRecord { path: path.clone(), data: data("words") };
    store.documents.create(&record, at(5)).await.unwrap();
}

#[tokio::test]
async fn the_server_and_its_place_are_described_without_secrets() {
    let Some(url) = services::url("TEST_MONGODB_URL") else { return };
    let mongo = TestMongo::new(&url).with_options("appName=secret");
    let mut config = StorageConfig::new("memory://");
    config.documents = Some(mongo.config());
    let opened = open(&config).await.unwrap();
    println!("{}", opened.description);
    assert!(opened.description.contains("MongoDB ") && opened.description.contains(".documents"));
    assert!(!opened.description.contains("secret"));
    assert_eq!(opened.stores.routing.as_ref().unwrap().pending().await, Ok(0));
    opened.close().await;
    mongo.connect().await.drop().await.unwrap();
}

#[tokio::test]
async fn a_missing_index_is_named_with_its_statement() {
    let Some(store) = Provider::Mongo.open().await else { return };
    let path = path();
    create(&store, &path).await;
    let names = collection(&store).await.list_index_names().await.unwrap();
    for name in ["collection_id", "parent", "deleted_updatedAt"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    let index = RecordIndex::CollectionId;
    let query = || store.documents.query(index, path.collection(), None, 10, false);
    assert_eq!(query().await.unwrap().len(), 1);
    collection(&store).await.drop_index("collection_id").await.unwrap();
    let paths = store.documents.paths(index, path.collection(), None, 10, false).await;
    for refused in [query().await.err(), paths.err()] {
        let Some(StoreError::Unavailable(why)) = refused else { panic!("{refused:?}") };
        let statement = "db.getCollection(\"documents\").createIndex({collection: 1, _id: 1}, \
                         {name: \"collection_id\"})";
        assert!(why.contains(statement), "{why}");
    }
    // A start creates what is missing.
    let again = store.reopen().await.unwrap();
    let found = again.stores.documents.query(index, path.collection(), None, 10, false).await;
    assert_eq!(found.unwrap().len(), 1);
    again.close().await;
    store.close().await;
}

#[tokio::test]
async fn damaged_documents_are_corrupt_and_can_be_removed() {
    let Some(store) = Provider::Mongo.open().await else { return };
    let mut bomb = vec![0x28, 0xB5, 0x2F, 0xFD, 0xE0];
    bomb.extend((u64::MAX / 2).to_le_bytes());
    bomb.extend([1, 0, 0]);
    let compressed = |bytes: Vec<u8>| {
        let frame = Binary { subtype: BinarySubtype::Generic, bytes };
        doc! { "content": { "encoding": "zstd", "content": frame } }
    };
    let damages = [
        ("version", Bson::from("one")),
        ("version", Bson::from(-1)),
        ("createdAt", Bson::Null),
        ("updatedAt", Bson::from(1.5)),
        ("deleted", Bson::from("no")),
        ("data", Bson::from("text")),
        ("data", Bson::from(doc! { "content": 1.5 })),
        ("data", Bson::from(doc! { "content": { "encoding": "rot13", "content": "jbeqf" } })),
        ("data", Bson::from(compressed(vec![0; 9]))),
        ("data", Bson::from(compressed(bomb))),
    ];
    for (field, value) in damages {
        let path = path();
        create(&store, &path).await;
        let filter = doc! { "fullpath": path.to_string() };
        let damage = doc! { "$set": { field: value.clone() } };
        collection(&store).await.update_one(filter, damage).await.unwrap();
        let read = store.documents.get(&path).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{field} {value}: {read:?}");
        let index = RecordIndex::CollectionId;
        let read = store.documents.query(index, path.collection(), None, 9, false).await;
        assert!(matches!(read, Err(StoreError::Corrupt(_))), "{field} {value}: {read:?}");
        let paths = store.documents.paths(index, path.collection(), None, 9, true).await;
        assert_eq!(paths, Ok(vec![path.clone()]));
        store.documents.purge(&path).await.unwrap();
        let paths = store.documents.paths(index, path.collection(), None, 9, true).await;
        assert_eq!(paths, Ok(vec![]), "{field} {value}");
    }
    store.close().await;
}

/// One that was damaged on disk, for example.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_documents_stop_neither_retention_nor_watches() {
    const MONTHS: i64 = 60 * 24 * 60 * 60 * 1_000_000;
    let Some(store) = Provider::Mongo.open().await else { return };
    let (damaged, sound) = (path(), path());
    for path in [&damaged, &sound] {
        create(&store, path).await;
        store.documents.delete(path, at(10)).await.unwrap();
    }
    let mut watch = store.documents.watch(None, None).await.unwrap();
    let filter = doc! { "fullpath": damaged.to_string() };
    let damage = doc! { "$set": { "fullpath": "nowhere" } };
    collection(&store).await.update_one(filter, damage).await.unwrap();
    store.documents.forget(at(MONTHS)).await.unwrap();
    let left = collection(&store).await.count_documents(doc! {}).await.unwrap();
    assert_eq!(left, 1, "the damaged one is left for fsck");
    let next = tokio::time::timeout(Duration::from_secs(20), watch.next()).await.unwrap().unwrap();
    assert_eq!((next.path, next.kind), (sound, RecordChangeKind::Purged));
    store.close().await;
}

/// The position of its last event would leave the server's log some day.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_without_events_keeps_up_with_the_log() {
    let Some(store) = Provider::Mongo.open().await else { return };
    let quiet = RecordPath::content(DocumentId(fresh_uuid()), CommitId(fresh_uuid()));
    let mut watch = store.documents.watch(Some(quiet.collection()), None).await.unwrap();
    let (first, begun) = (watch.token(), Instant::now());
    while watch.token() == first {
        assert!(begun.elapsed() < Duration::from_secs(40), "the position stays where it was");
        create(&store, &path()).await;
        let next = tokio::time::timeout(Duration::from_secs(3), watch.next()).await;
        assert!(next.is_err(), "{next:?}");
    }
    // Nothing is lost by that.
    create(&store, &quiet).await;
    let after = watch.token();
    let mut resumed = store.documents.watch(Some(quiet.collection()), Some(&after)).await.unwrap();
    assert_eq!(resumed.next().await.unwrap().path, quiet);
    assert_eq!(watch.next().await.unwrap().path, quiet);
    store.close().await;
}

#[tokio::test]
async fn a_patch_may_name_any_field() {
    let Some(store) = Provider::Mongo.open().await else { return };
    let path = path();
    create(&store, &path).await;
    let set: Data = [
        ("$set".to_owned(), Value::Int(1)),
        ("a.b".to_owned(), Value::Int(2)),
        (String::new(), Value::Int(3)),
    ]
    .into();
    let patch = RecordPatch { set: set.clone(), unset: vec!["content".to_owned()] };
    assert_eq!(store.documents.patch(&path, 1, &patch, at(6)).await, Ok(2));
    assert_eq!(store.documents.get(&path).await.unwrap().data, set);
    let stale = store.documents.patch(&path, 1, &patch, at(6)).await;
    assert_eq!(stale, Err(StoreError::Conflict(Constraint::RecordVersion)));
    store.close().await;
}

/// Each writer adds to a number; a lost update would make it too small.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_on_one_record_lose_nothing() {
    const WRITERS: i64 = 8;
    const STEPS: i64 = 15;
    let Some(store) = Provider::Mongo.open().await else { return };
    let path = path();
    let data: Data = [("number".to_owned(), Value::Int(0))].into();
    let record = NewRecord { path: path.clone(), data };
    store.documents.create(&record, at(5)).await.unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (stores, path) = (store.stores(), path.clone());
            tokio::spawn(async move {
                let mut done = 0;
                while done < STEPS {
                    let record = stores.documents.get(&path).await.unwrap();
                    let number = record.data["number"].as_int().unwrap() + 1;
                    let set = [("number".to_owned(), Value::Int(number))].into();
                    let patch = RecordPatch { set, unset: Vec::new() };
                    match stores.documents.patch(&path, record.version, &patch, at(6)).await {
                        Ok(version) => {
                            assert_eq!(version, record.version + 1);
                            done += 1;
                        }
                        Err(StoreError::Conflict(Constraint::RecordVersion)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let record = store.documents.get(&path).await.unwrap();
    assert_eq!(record.data["number"], Value::Int(WRITERS * STEPS));
    assert_eq!(record.version, 1 + (WRITERS * STEPS) as u64);
    store.close().await;
}

#[tokio::test]
async fn a_server_that_never_answers_stops_the_start_soon() {
    // It accepts connections, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let url = format!("mongodb://scott:tiger@{address}/?directConnection=true");
    let mut config = StorageConfig::new("memory://");
    config.documents = Some(DocumentsConfig::new(url));
    let begun = Instant::now();
    let refused = open(&config).await.unwrap_err().to_string();
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert!(refused.contains(&address.to_string()) && !refused.contains("tiger"), "{refused}");
}
