use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Constraint, Data, NewRecord, Record, RecordIndex, RecordPatch, RecordPath, StoreError,
    StoreResult, Value,
};
use izanagi_shared::id::{CommitId, DocumentId};

suite!(
    records:
    a_record_reads_back_as_written,
    a_record_is_created_once,
    an_update_requires_the_expected_version,
    a_patch_changes_only_its_fields,
    one_of_concurrent_patches_succeeds,
    missing_and_deleted_records_are_not_updated,
    a_soft_deleted_record_is_hidden_and_blocks_its_path,
    a_purged_record_frees_its_path,
    reading_many_records_skips_missing_ones,
    a_collection_is_read_in_pages,
    paths_match_the_records,
    a_large_record_reads_back,
    a_record_may_grow_and_shrink,
    a_record_of_more_than_16_mib_is_refused,
    one_of_concurrent_updates_succeeds,
    a_closed_store_is_unavailable,
);

pub(crate) fn path() -> RecordPath {
    RecordPath::content(DocumentId(fresh_uuid()), CommitId(fresh_uuid()))
}

async fn a_record(store: &TestStore, path: &RecordPath) {
    let record = NewRecord { path: path.clone(), data: data("words") };
    store.documents.create(&record, at(5)).await.unwrap();
}

async fn a_record_reads_back_as_written(store: &TestStore) {
    let path = path();
    let numbers = [0, -1, 23, 24, i64::MAX, i64::MIN].map(Value::Int);
    let nested = [("z".to_owned(), Value::Null), ("a".to_owned(), Value::List(vec![]))];
    let fields = [
        ("type", "snapshot".into()),
        ("content", "Ä \u{1F980}\r\n\"quoted\"\u{7F}".into()),
        ("long", "word ".repeat(2_000).into()),
        ("hash", [0x80; 32].into()),
        ("bytes", Value::Bytes((0..=u8::MAX).cycle().take(10_000).collect())),
        ("numbers", Value::List(numbers.into())),
        ("nested", Value::Map(nested.into())),
        ("flags", Value::List(vec![true.into(), false.into()])),
    ];
    let data: Data = fields.map(|(field, value)| (field.to_owned(), value)).into();
    store
        .documents
        .create(&NewRecord { path: path.clone(), data: data.clone() }, at(5))
        .await
        .unwrap();
    let expected = Record {
        path: path.clone(),
        version: 1,
        created_at: at(5),
        updated_at: at(5),
        deleted: false,
        data,
    };
    assert_eq!(store.documents.get(&path).await.unwrap(), expected);
    assert_eq!(store.documents.get(&crate::records::path()).await, Err(StoreError::NotFound));
}

async fn a_record_is_created_once(store: &TestStore) {
    let path = path();
    a_record(store, &path).await;
    let again = NewRecord { path: path.clone(), data: data("other") };
    let result = store.documents.create(&again, at(6)).await;
    assert_eq!(result, Err(StoreError::Conflict(Constraint::RecordExists)));
    assert_eq!(store.documents.get(&path).await.unwrap().data, data("words"));
}

async fn an_update_requires_the_expected_version(store: &TestStore) {
    let path = path();
    a_record(store, &path).await;
    assert_eq!(store.documents.update(&path, 1, &data("new"), at(7)).await, Ok(2));
    let record = store.documents.get(&path).await.unwrap();
    assert_eq!((record.version, record.data), (2, data("new")));
    assert_eq!((record.created_at, record.updated_at), (at(5), at(7)));
    // As after a lost reply: the writer sees that the version has changed.
    let again = store.documents.update(&path, 1, &data("new"), at(8)).await;
    assert_eq!(again, Err(StoreError::Conflict(Constraint::RecordVersion)));
    let ahead = store.documents.update(&path, u64::MAX, &data("new"), at(8)).await;
    assert_eq!(ahead, Err(StoreError::Conflict(Constraint::RecordVersion)));
}

fn patch(set: &[(&str, Value)], unset: &[&str]) -> RecordPatch {
    let set = set.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect();
    RecordPatch { set, unset: unset.iter().map(|field| (*field).to_owned()).collect() }
}

async fn a_patch_changes_only_its_fields(store: &TestStore) {
    let path = path();
    a_record(store, &path).await;
    let add = patch(
        &[("patch", Value::List(vec![1_i64.into(), "x".into()])), ("hash", [1; 32].into())],
        &[],
    );
    assert_eq!(store.documents.patch(&path, 1, &add, at(7)).await, Ok(2));
    let record = store.documents.get(&path).await.unwrap();
    assert_eq!((record.version, record.created_at, record.updated_at), (2, at(5), at(7)));
    let mut expected = data("words");
    expected.extend(add.set.clone());
    assert_eq!(record.data, expected);
    // As after a lost reply, and with a future version.
    for version in [1, 3, u64::MAX] {
        let stale = store.documents.patch(&path, version, &add, at(8)).await;
        assert_eq!(stale, Err(StoreError::Conflict(Constraint::RecordVersion)));
    }
    let replace = patch(&[("hash", [2; 32].into())], &["content", "nothing"]);
    assert_eq!(store.documents.patch(&path, 2, &replace, at(8)).await, Ok(3));
    expected.remove("content");
    expected.extend(replace.set.clone());
    assert_eq!(store.documents.get(&path).await.unwrap().data, expected);
    assert_eq!(store.documents.patch(&path, 3, &RecordPatch::default(), at(9)).await, Ok(4));
    assert_eq!(store.documents.get(&path).await.unwrap().data, expected);
}

async fn one_of_concurrent_patches_succeeds(store: &TestStore) {
    let path = path();
    a_record(store, &path).await;
    let patches = (0..8).map(|number| {
        let (stores, path) = (store.stores(), path.clone());
        let patch = patch(&[("number", Value::Int(number))], &[]);
        tokio::spawn(async move { stores.documents.patch(&path, 1, &patch, at(7)).await })
    });
    let mut results = Vec::new();
    for result in Vec::from_iter(patches) {
        results.push(result.await.unwrap());
    }
    let made = results.iter().position(Result::is_ok).unwrap();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let record = store.documents.get(&path).await.unwrap();
    assert_eq!(record.data["number"], Value::Int(made as i64));
    assert_eq!(record.data["content"], "words".into());
}

async fn missing_and_deleted_records_are_not_updated(store: &TestStore) {
    let (absent, deleted) = (path(), path());
    a_record(store, &deleted).await;
    store.documents.delete(&deleted, at(6)).await.unwrap();
    for path in [absent, deleted] {
        let result = store.documents.update(&path, 1, &data("new"), at(7)).await;
        assert_eq!(result, Err(StoreError::NotFound));
        let result = store.documents.patch(&path, 1, &RecordPatch::default(), at(7)).await;
        assert_eq!(result, Err(StoreError::NotFound));
    }
}

async fn a_soft_deleted_record_is_hidden_and_blocks_its_path(store: &TestStore) {
    let path = path();
    a_record(store, &path).await;
    for _ in 0..2 {
        store.documents.delete(&path, at(6)).await.unwrap();
    }
    assert_eq!(store.documents.get(&path).await, Err(StoreError::NotFound));
    assert!(store.documents.get_many(std::slice::from_ref(&path)).await.unwrap().is_empty());
    let record = NewRecord { path: path.clone(), data: data("other") };
    let result = store.documents.create(&record, at(7)).await;
    assert_eq!(result, Err(StoreError::Conflict(Constraint::RecordExists)));
    assert!(
        store
            .documents
            .query(RecordIndex::CollectionId, path.collection(), None, 10, false)
            .await
            .unwrap()
            .is_empty()
    );
    let deleted = store
        .documents
        .query(RecordIndex::CollectionId, path.collection(), None, 10, true)
        .await
        .unwrap();
    assert_eq!((deleted.len(), deleted[0].deleted, &deleted[0].data), (1, true, &data("words")));
    store.documents.delete(&crate::records::path(), at(6)).await.unwrap();
}

async fn a_purged_record_frees_its_path(store: &TestStore) {
    let path = path();
    a_record(store, &path).await;
    store.documents.delete(&path, at(6)).await.unwrap();
    for _ in 0..2 {
        store.documents.purge(&path).await.unwrap();
    }
    assert!(
        store
            .documents
            .query(RecordIndex::CollectionId, path.collection(), None, 10, true)
            .await
            .unwrap()
            .is_empty()
    );
    a_record(store, &path).await;
    assert_eq!(store.documents.get(&path).await.unwrap().version, 1);
}

async fn reading_many_records_skips_missing_ones(store: &TestStore) {
    let document = DocumentId(fresh_uuid());
    let mut paths = vec![path(), path()];
    paths.extend((0..3).map(|_| RecordPath::content(document, CommitId(fresh_uuid()))));
    for path in &paths {
        a_record(store, path).await;
    }
    let asked: Vec<_> = paths.iter().cloned().chain([path()]).collect();
    let mut found: Vec<_> = store
        .documents
        .get_many(&asked)
        .await
        .unwrap()
        .into_iter()
        .map(|record| record.path)
        .collect();
    found.sort_unstable();
    paths.sort_unstable();
    assert_eq!(found, paths);
    assert!(store.documents.get_many(&[]).await.unwrap().is_empty());
}

async fn a_collection_is_read_in_pages(store: &TestStore) {
    let document = DocumentId(fresh_uuid());
    let mut paths: Vec<_> =
        (0..7).map(|_| RecordPath::content(document, CommitId(fresh_uuid()))).collect();
    for path in paths.iter().chain([&path()]) {
        a_record(store, path).await;
    }
    let collection = RecordPath::contents_of(document);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store
            .documents
            .query(RecordIndex::CollectionId, &collection, after.as_deref(), 3, false)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.path.id().to_owned());
        found.extend(page.into_iter().map(|record| record.path));
    }
    found.sort_unstable();
    paths.sort_unstable();
    assert_eq!(found, paths);
}

async fn paths_match_the_records(store: &TestStore) {
    let document = DocumentId(fresh_uuid());
    let paths: Vec<_> =
        (0..7).map(|_| RecordPath::content(document, CommitId(fresh_uuid()))).collect();
    for path in paths.iter().chain([&path()]) {
        a_record(store, path).await;
    }
    store.documents.delete(&paths[3], at(6)).await.unwrap();
    let collection = RecordPath::contents_of(document);
    for with_deleted in [false, true] {
        let mut after: Option<String> = None;
        loop {
            let after_now = after.as_deref();
            let records = store
                .documents
                .query(RecordIndex::CollectionId, &collection, after_now, 3, with_deleted)
                .await;
            let expected: Vec<_> = records.unwrap().into_iter().map(|r| r.path).collect();
            let found = store
                .documents
                .paths(RecordIndex::CollectionId, &collection, after_now, 3, with_deleted)
                .await;
            assert_eq!(found.unwrap(), expected);
            let Some(last) = expected.last() else { break };
            after = Some(last.id().to_owned());
        }
    }
}

async fn a_large_record_reads_back(store: &TestStore) {
    let path = path();
    let letter = |n: u32| char::from(b' ' + (n.wrapping_mul(n) % 89) as u8);
    let text: String = (0..600_000).map(letter).collect();
    let record = NewRecord { path: path.clone(), data: data(&text) };
    store.documents.create(&record, at(5)).await.unwrap();
    assert_eq!(store.documents.get(&path).await.unwrap().data, record.data);
}

async fn a_record_may_grow_and_shrink(store: &TestStore) {
    let path = path();
    a_record(store, &path).await;
    let letter = |n: u32| char::from(b' ' + (n.wrapping_mul(n) % 89) as u8);
    let long: String = (0..9_000).map(letter).collect();
    let texts = ["a", &long, &long[1..], "b"];
    for (version, text) in (1..).zip(texts) {
        assert_eq!(
            store.documents.update(&path, version, &data(text), at(6)).await,
            Ok(version + 1)
        );
        assert_eq!(store.documents.get(&path).await.unwrap().data, data(text));
    }
    // A stale update must not change what is stored apart from the row.
    for text in ["c", &long] {
        let stale = store.documents.update(&path, 2, &data(text), at(7)).await;
        assert_eq!(stale, Err(StoreError::Conflict(Constraint::RecordVersion)));
        assert_eq!(store.documents.get(&path).await.unwrap().data, data("b"));
    }
    let add = patch(&[("more", long.as_str().into())], &[]);
    assert_eq!(store.documents.patch(&path, 5, &add, at(8)).await, Ok(6));
    let mut expected = data("b");
    expected.extend(add.set);
    let all = store
        .documents
        .query(RecordIndex::CollectionId, path.collection(), None, 10, false)
        .await
        .unwrap();
    assert_eq!((all.len(), &all[0].data), (1, &expected));
    store.documents.purge(&path).await.unwrap();
    assert_eq!(store.documents.get(&path).await, Err(StoreError::NotFound));
    a_record(store, &path).await;
    assert_eq!(store.documents.get(&path).await.unwrap().data, data("words"));
}

async fn a_record_of_more_than_16_mib_is_refused(store: &TestStore) {
    const MIB: usize = 1024 * 1024;
    let path = path();
    // Bytes that cannot be compressed.
    let mut state = 1_u64;
    let mut bytes = |mib: usize| {
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        };
        Value::Bytes((0..mib * MIB / 8).flat_map(|_| next()).collect())
    };
    let too_large = StoreError::Conflict(Constraint::RecordTooLarge);
    let whole: Data = [("bytes".to_owned(), bytes(17))].into();
    let record = NewRecord { path: path.clone(), data: whole.clone() };
    assert_eq!(store.documents.create(&record, at(5)).await, Err(too_large.clone()));
    let half: Data = [("bytes".to_owned(), bytes(9))].into();
    let record = NewRecord { path: path.clone(), data: half.clone() };
    store.documents.create(&record, at(5)).await.unwrap();
    assert_eq!(store.documents.update(&path, 1, &whole, at(6)).await, Err(too_large.clone()));
    let grow = patch(&[("more", bytes(9))], &[]);
    assert_eq!(store.documents.patch(&path, 1, &grow, at(6)).await, Err(too_large));
    let record = store.documents.get(&path).await.unwrap();
    assert!(record.version == 1 && record.data == half);
}

async fn one_of_concurrent_updates_succeeds(store: &TestStore) {
    let path = path();
    a_record(store, &path).await;
    let updates: Vec<_> = (0..8)
        .map(|number| {
            let (stores, path) = (store.stores(), path.clone());
            let data = data(&number.to_string());
            tokio::spawn(async move { stores.documents.update(&path, 1, &data, at(7)).await })
        })
        .collect();
    let mut results: Vec<StoreResult<u64>> = Vec::new();
    for update in updates {
        results.push(update.await.unwrap());
    }
    let made = results.iter().position(Result::is_ok).unwrap();
    assert_eq!(results.iter().filter(|result| **result == Ok(2)).count(), 1);
    let stale = Err(StoreError::Conflict(Constraint::RecordVersion));
    assert_eq!(results.iter().filter(|result| **result == stale).count(), 7);
    assert_eq!(store.documents.get(&path).await.unwrap().data, data(&made.to_string()));
}

async fn a_closed_store_is_unavailable(store: &TestStore) {
    let path = path();
    a_record(store, &path).await;
    store.documents.close().await;
    assert!(matches!(store.documents.get(&path).await, Err(StoreError::Unavailable(_))));
    let written = store.documents.update(&path, 1, &data("new"), at(7)).await;
    assert!(matches!(written, Err(StoreError::Unavailable(_))));
}
