use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Data, NewRecord, Record, RecordIndex, RecordPath, StoreError, Value,
};

suite!(
    records: a_copy_has_the_version_and_times_of_the_record,
    an_older_copy_changes_nothing,
    a_newer_copy_replaces_the_record,
    a_copy_of_a_deleted_record_is_deleted,
    soft_deleted_records_are_found_where_they_are_asked_for,
    collections_are_named_in_order,
    a_copy_is_as_good_as_the_record,
);

fn record(id: &str, version: u64, content: &str) -> Record {
    let data: Data = [("content".to_owned(), Value::from(content))].into_iter().collect();
    let path = RecordPath::from_parts("documents/7/contents", id);
    let (created_at, updated_at, deleted) = (at(5), at(5 + i64::try_from(version).unwrap()), false);
    Record { path, version, created_at, updated_at, deleted, data }
}

async fn stored(store: &TestStore, record: &Record) -> Option<Record> {
    store.documents.get_stored(std::slice::from_ref(&record.path)).await.unwrap().pop()
}

async fn a_copy_has_the_version_and_times_of_the_record(store: &TestStore) {
    let large = "all work and no play ".repeat(5_000);
    for (id, content) in [("a", "words"), ("b", large.as_str())] {
        let record = record(id, 3, content);
        for _ in 0..2 {
            store.documents.replicate(&record).await.unwrap();
            assert_eq!(store.documents.get(&record.path).await, Ok(record.clone()));
        }
    }
}

async fn an_older_copy_changes_nothing(store: &TestStore) {
    let newer = record("a", 4, &"new ".repeat(1_000));
    store.documents.replicate(&newer).await.unwrap();
    for version in [1, 3, 4] {
        store.documents.replicate(&record("a", version, "old")).await.unwrap();
        assert_eq!(stored(store, &newer).await, Some(newer.clone()));
    }
}

async fn a_newer_copy_replaces_the_record(store: &TestStore) {
    let (first, second) = (record("a", 1, &"long ".repeat(1_000)), record("a", 2, "short"));
    let new = NewRecord { path: first.path.clone(), data: first.data.clone() };
    store.documents.create(&new, at(5)).await.unwrap();
    store.documents.replicate(&second).await.unwrap();
    assert_eq!(store.documents.get(&first.path).await, Ok(second.clone()));
    let third = record("a", 3, &"long again ".repeat(1_000));
    store.documents.replicate(&third).await.unwrap();
    assert_eq!(store.documents.get(&first.path).await, Ok(third));
}

async fn a_copy_of_a_deleted_record_is_deleted(store: &TestStore) {
    let deleted = Record { deleted: true, ..record("a", 2, "gone") };
    store.documents.replicate(&deleted).await.unwrap();
    assert_eq!(store.documents.get(&deleted.path).await, Err(StoreError::NotFound));
    assert_eq!(stored(store, &deleted).await, Some(deleted));
}

async fn soft_deleted_records_are_found_where_they_are_asked_for(store: &TestStore) {
    let [kept, deleted] = ["a", "b"].map(|id| record(id, 1, "words"));
    for one in [&kept, &deleted] {
        store.documents.replicate(one).await.unwrap();
    }
    store.documents.delete(&deleted.path, at(9)).await.unwrap();
    let paths = [kept.path.clone(), deleted.path.clone(), record("c", 1, "").path];
    assert_eq!(store.documents.get_many(&paths).await, Ok(vec![kept.clone()]));
    assert_eq!(store.documents.get_copies(&paths).await, Ok(vec![kept]));
    let mut found = store.documents.get_stored(&paths).await.unwrap();
    found.sort_by_key(|record| record.path.clone());
    assert_eq!(found.iter().map(|record| record.deleted).collect::<Vec<_>>(), [false, true]);
}

async fn collections_are_named_in_order(store: &TestStore) {
    let names = ["documents/1/contents", "documents/1/edits", "documents/10/contents"];
    for name in names.iter().rev() {
        for id in ["x", "y"] {
            let path = RecordPath::from_parts(*name, id);
            store.documents.create(&NewRecord { path, data: Data::new() }, at(1)).await.unwrap();
        }
    }
    assert_eq!(store.documents.collections(None, 10).await.unwrap(), names);
    assert_eq!(store.documents.collections(None, 2).await.unwrap(), names[..2]);
    assert_eq!(store.documents.collections(Some(names[0]), 10).await.unwrap(), names[1..]);
    assert!(store.documents.collections(Some(names[2]), 10).await.unwrap().is_empty());
}

async fn a_copy_is_as_good_as_the_record(store: &TestStore) {
    let first = record("a", 7, "words");
    store.documents.replicate(&first).await.unwrap();
    let data = record("a", 8, "other words").data;
    assert_eq!(store.documents.update(&first.path, 7, &data, at(20)).await, Ok(8));
    let collection = first.path.collection();
    let all = store.documents.query(RecordIndex::CollectionId, collection, None, 9, false).await;
    assert_eq!(all.unwrap()[0].data, data);
    store.documents.purge(&first.path).await.unwrap();
    assert_eq!(stored(store, &first).await, None);
}
