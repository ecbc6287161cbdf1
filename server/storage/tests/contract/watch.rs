//! Following the changes of records.

use crate::{fixtures::*, provider::TestStore, records::path};
use izanagi_domain::storage::{
    NewRecord, RecordChange, RecordChangeKind, RecordPatch, RecordPath, RecordWatch, ResumeToken,
    StoreError, StoreResult,
};
use izanagi_shared::id::{CommitId, DocumentId};
use std::{collections::HashMap, time::Duration};

suite!(
    records:
    every_kind_of_change_is_seen,
    a_watch_sees_only_its_collection,
    a_watch_resumes_after_each_change,
    a_watch_resumes_after_a_restart,
    changes_of_concurrent_writers_are_seen_once_and_in_order,
    a_waiting_watch_wakes_up,
    dropping_a_wait_loses_nothing,
    a_refused_write_is_no_change,
    a_recreated_record_begins_anew,
    a_purged_record_ends_with_its_purge,
    a_foreign_position_starts_over,
    a_closed_store_ends_its_watches,
    what_is_retained_no_longer_is_removed,
);

/// Longer than any change takes to arrive.
const LIMIT: Duration = Duration::from_secs(20);
/// A token that is written after the changes under test, so that a test knows their end.
const END: &str = "end";

type Watch = Box<dyn RecordWatch>;

async fn watch(store: &TestStore, after: Option<&ResumeToken>) -> Watch {
    store.documents.watch(None, after).await.unwrap()
}

async fn next(watch: &mut Watch) -> StoreResult<RecordChange> {
    tokio::time::timeout(LIMIT, watch.next()).await.expect("no change within the time limit")
}

/// Creates the record that marks the end, and returns all changes before it.
async fn until_end(store: &TestStore, watch: &mut Watch) -> Vec<RecordChange> {
    let end = RecordPath::from_parts(format!("documents/{}/contents", fresh_uuid()), END);
    create(store, &end).await;
    let mut changes = Vec::new();
    loop {
        let change = next(watch).await.unwrap();
        if change.path == end {
            return changes;
        }
        changes.push(change);
    }
}

async fn create(store: &TestStore, path: &RecordPath) {
    let record = NewRecord { path: path.clone(), data: data("words") };
    store.documents.create(&record, at(5)).await.unwrap();
}

fn change(path: &RecordPath, version: u64, kind: RecordChangeKind) -> RecordChange {
    RecordChange { path: path.clone(), version, kind }
}

async fn every_kind_of_change_is_seen(store: &TestStore) {
    let mut watch = watch(store, None).await;
    let path = path();
    create(store, &path).await;
    store.documents.update(&path, 1, &data("new"), at(6)).await.unwrap();
    let patch = RecordPatch { set: data("newer"), unset: Vec::new() };
    store.documents.patch(&path, 2, &patch, at(7)).await.unwrap();
    store.documents.delete(&path, at(8)).await.unwrap();
    let expected = [
        change(&path, 1, RecordChangeKind::Created),
        change(&path, 2, RecordChangeKind::Updated),
        change(&path, 3, RecordChangeKind::Updated),
        change(&path, 4, RecordChangeKind::Deleted),
    ];
    assert_eq!(until_end(store, &mut watch).await, expected);
    store.documents.purge(&path).await.unwrap();
    let expected = [change(&path, 5, RecordChangeKind::Purged)];
    assert_eq!(until_end(store, &mut watch).await, expected);
}

async fn a_watch_sees_only_its_collection(store: &TestStore) {
    let document = DocumentId(fresh_uuid());
    let collection = RecordPath::contents_of(document);
    let mut watch = store.documents.watch(Some(&collection), None).await.unwrap();
    let (inside, outside) = (RecordPath::content(document, CommitId(fresh_uuid())), path());
    let chunk = RecordPath::chunk(document, CommitId(fresh_uuid()), 0);
    for path in [&outside, &chunk, &inside] {
        create(store, path).await;
    }
    store.documents.purge(&outside).await.unwrap();
    store.documents.update(&inside, 1, &data("new"), at(6)).await.unwrap();
    assert_eq!(next(&mut watch).await, Ok(change(&inside, 1, RecordChangeKind::Created)));
    assert_eq!(next(&mut watch).await, Ok(change(&inside, 2, RecordChangeKind::Updated)));
    store.documents.purge(&inside).await.unwrap();
    assert_eq!(next(&mut watch).await, Ok(change(&inside, 3, RecordChangeKind::Purged)));
}

async fn a_watch_resumes_after_each_change(store: &TestStore) {
    let begun = watch(store, None).await;
    let paths: Vec<_> = (0..5).map(|_| path()).collect();
    for path in &paths {
        create(store, path).await;
    }
    // A new watch for every change, from the text of the position.
    let mut token = begun.token();
    for path in &paths {
        let resumed = ResumeToken::new(token.as_str());
        let mut watch = watch(store, Some(&resumed)).await;
        assert_eq!(watch.token(), token);
        assert_eq!(next(&mut watch).await, Ok(change(path, 1, RecordChangeKind::Created)));
        token = watch.token();
    }
    let mut watch = watch(store, Some(&token)).await;
    assert_eq!(until_end(store, &mut watch).await, []);
}

async fn a_watch_resumes_after_a_restart(store: &TestStore) {
    let token = {
        let mut watch = watch(store, None).await;
        create(store, &path()).await;
        next(&mut watch).await.unwrap();
        watch.token()
    };
    let path = path();
    create(store, &path).await;
    // A store in memory ends with its process.
    let Some(again) = store.reopen().await else { return };
    let documents = &again.stores.documents;
    documents.update(&path, 1, &data("new"), at(6)).await.unwrap();
    let mut watch = documents.watch(None, Some(&token)).await.unwrap();
    assert_eq!(next(&mut watch).await, Ok(change(&path, 1, RecordChangeKind::Created)));
    assert_eq!(next(&mut watch).await, Ok(change(&path, 2, RecordChangeKind::Updated)));
    drop(watch);
    again.close().await;
}

async fn changes_of_concurrent_writers_are_seen_once_and_in_order(store: &TestStore) {
    const WRITERS: usize = 4;
    const UPDATES: u64 = 40;
    let mut watch = watch(store, None).await;
    let paths: Vec<_> = (0..WRITERS).map(|_| path()).collect();
    let writers: Vec<_> = paths
        .iter()
        .cloned()
        .map(|path| {
            let stores = store.stores();
            tokio::spawn(async move {
                let record = NewRecord { path: path.clone(), data: data("0") };
                stores.documents.create(&record, at(5)).await.unwrap();
                for version in 1..=UPDATES {
                    let data = data(&version.to_string());
                    stores.documents.update(&path, version, &data, at(6)).await.unwrap();
                }
            })
        })
        .collect();
    let mut seen: HashMap<RecordPath, Vec<u64>> = HashMap::new();
    for index in 0..WRITERS * (UPDATES as usize + 1) {
        let change = next(&mut watch).await.unwrap();
        seen.entry(change.path).or_default().push(change.version);
        if index % 50 == 17 {
            // Interrupted, at any point.
            watch = self::watch(store, Some(&watch.token())).await;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for path in &paths {
        assert_eq!(seen[path], (1..=UPDATES + 1).collect::<Vec<_>>());
    }
    assert_eq!(until_end(store, &mut watch).await, []);
}

async fn a_waiting_watch_wakes_up(store: &TestStore) {
    let mut watch = watch(store, None).await;
    let path = path();
    let waits = tokio::spawn(async move { (next(&mut watch).await, watch) });
    create(store, &path).await;
    let (seen, _watch) = waits.await.unwrap();
    assert_eq!(seen, Ok(change(&path, 1, RecordChangeKind::Created)));
}

async fn dropping_a_wait_loses_nothing(store: &TestStore) {
    let mut watch = watch(store, None).await;
    let mut seen = Vec::new();
    for index in 0..10 {
        create(store, &path()).await;
        // Sometimes it is dropped at once, sometimes while it reads.
        let patience = Duration::from_millis(index % 4);
        if let Ok(change) = tokio::time::timeout(patience, watch.next()).await {
            seen.push(change.unwrap());
        }
    }
    seen.extend(until_end(store, &mut watch).await);
    assert_eq!(seen.len(), 10);
}

async fn a_refused_write_is_no_change(store: &TestStore) {
    let path = path();
    create(store, &path).await;
    let mut watch = watch(store, None).await;
    let record = NewRecord { path: path.clone(), data: data("other") };
    store.documents.create(&record, at(6)).await.unwrap_err();
    store.documents.update(&path, 7, &data("other"), at(6)).await.unwrap_err();
    store.documents.patch(&path, 7, &RecordPatch::default(), at(6)).await.unwrap_err();
    let absent = crate::records::path();
    store.documents.delete(&absent, at(6)).await.unwrap();
    store.documents.purge(&absent).await.unwrap();
    assert_eq!(until_end(store, &mut watch).await, []);
    store.documents.delete(&path, at(7)).await.unwrap();
    store.documents.delete(&path, at(8)).await.unwrap();
    let expected = [change(&path, 2, RecordChangeKind::Deleted)];
    assert_eq!(until_end(store, &mut watch).await, expected);
}

async fn a_recreated_record_begins_anew(store: &TestStore) {
    let mut watch = watch(store, None).await;
    let path = path();
    for _ in 0..3 {
        create(store, &path).await;
        store.documents.purge(&path).await.unwrap();
    }
    let round =
        [change(&path, 1, RecordChangeKind::Created), change(&path, 2, RecordChangeKind::Purged)];
    assert_eq!(until_end(store, &mut watch).await, [round.clone(), round.clone(), round].concat());
}

async fn a_purged_record_ends_with_its_purge(store: &TestStore) {
    let mut watch = watch(store, None).await;
    let path = path();
    create(store, &path).await;
    store.documents.update(&path, 1, &data("new"), at(6)).await.unwrap();
    store.documents.delete(&path, at(7)).await.unwrap();
    store.documents.purge(&path).await.unwrap();
    store.documents.purge(&path).await.unwrap();
    // Those before the last may be left out, but not doubled or in another order.
    let seen = until_end(store, &mut watch).await;
    assert_eq!(seen.first(), Some(&change(&path, 1, RecordChangeKind::Created)));
    assert_eq!(seen.last(), Some(&change(&path, 4, RecordChangeKind::Purged)));
    assert!(seen.is_sorted_by_key(|change| change.version), "{seen:?}");
    assert!(seen.len() <= 4, "{seen:?}");
}

async fn a_foreign_position_starts_over(store: &TestStore) {
    let own = watch(store, None).await.token();
    let own = own.as_str();
    let (prefix, position) = own.rsplit_once('.').unwrap();
    let (provider, _) = own.split_once('.').unwrap();
    let foreign = [
        String::new(),
        "nonsense".to_owned(),
        prefix.to_owned(),
        format!("{prefix}."),
        format!("{prefix}.zz"),
        format!("{prefix}.{}", u64::MAX / 3),
        format!("{provider}.0190a00000007000800000000000000a.{position}"),
        format!("other.{position}"),
        "\u{0}".to_owned(),
    ];
    for token in foreign {
        let error = store.documents.watch(None, Some(&ResumeToken::new(&token))).await.err();
        assert!(matches!(error, Some(StoreError::StartOver(_))), "{token:?}: {error:?}");
    }
}

async fn a_closed_store_ends_its_watches(store: &TestStore) {
    let mut watch = watch(store, None).await;
    store.documents.close().await;
    assert!(matches!(next(&mut watch).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(
        store.documents.watch(None, None).await.err(),
        Some(StoreError::Unavailable(_))
    ));
}

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

async fn what_is_retained_no_longer_is_removed(store: &TestStore) {
    let (kept, deleted, recent) = (path(), path(), path());
    for path in [&kept, &deleted, &recent] {
        create(store, path).await;
    }
    store.documents.delete(&deleted, at(10)).await.unwrap();
    store.documents.delete(&recent, at(2 * DAY)).await.unwrap();
    store.documents.forget(at(29 * DAY)).await.unwrap();
    let is_there = async |path: &RecordPath| {
        let index = izanagi_domain::storage::RecordIndex::CollectionId;
        let found = store.documents.paths(index, path.collection(), None, 10, true).await.unwrap();
        !found.is_empty()
    };
    assert!(is_there(&deleted).await);
    let mut watch = watch(store, None).await;
    for _ in 0..2 {
        store.documents.forget(at(31 * DAY)).await.unwrap();
    }
    assert!(!is_there(&deleted).await);
    assert!(is_there(&recent).await && is_there(&kept).await);
    let expected = [change(&deleted, 3, RecordChangeKind::Purged)];
    assert_eq!(until_end(store, &mut watch).await, expected);
}
