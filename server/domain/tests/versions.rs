//! Versions: commit, merge, restore, read and compact.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    documents::{IfMatch, RequestKey},
    error::Error,
    fsck::Repair,
    hash::sha256,
    storage::{RecordPath, VersionRow},
    versions::{Base, CommitInput, INTENT_LIFETIME, KEYFRAME_EVERY, Side, VersionQuery},
};
use izanagi_shared::{
    id::DocumentId,
    json::JsonText,
    rules::DocumentKind,
    text::diff::DiffOptions,
    wire::{StoredAs, VersionNote},
};
use std::time::Duration;
use support::World;

fn input(content: Option<(&str, Base)>, key: RequestKey) -> CommitInput {
    CommitInput {
        note: VersionNote::new("why"),
        content: content.map(|(content, base)| (content.to_owned(), base)),
        key,
    }
}

#[tokio::test]
async fn numbers_commits_and_reads_them_back() {
    let world = World::new().await;
    let id = world.create("one\n").await;
    let first = world.commit(id, "first").await.unwrap();
    world.write(id, "one\ntwo\n").await;
    let second = world.commit(id, "second").await.unwrap();
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!((second.added, second.removed), (1, 0));
    assert_eq!(world.content(id, 1).await, "one\n");
    assert_eq!(world.content(id, 2).await, "one\ntwo\n");
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn commits_empty_but_not_unchanged_text() {
    let world = World::new().await;
    let id = world.create("").await;
    assert_eq!(world.commit(id, "empty").await.unwrap().number, 1);
    assert!(matches!(world.commit(id, "again").await, Err(Error::NothingToCommit)));
}

#[tokio::test]
async fn retries_return_the_version_they_created() {
    let world = World::new().await;
    let id = world.create("text").await;
    let editor = world.editor(id).await;
    let key = RequestKey::new(world.ada.user, "POST", "/x", "once").unwrap();
    let versions = &world.services.versions;
    let first = versions.commit(&editor, input(None, key)).await.unwrap();
    let again = versions.commit(&editor, input(None, key)).await.unwrap();
    assert_eq!(first, again);
    let mut other = input(None, key);
    other.note = VersionNote::new("another");
    assert!(matches!(versions.commit(&editor, other).await, Err(Error::IdempotencyMismatch)));
}

#[tokio::test]
async fn merges_content_with_concurrent_edits() {
    let world = World::new().await;
    let id = world.create("alpha\nbeta\ngamma\n").await;
    world.commit(id, "base").await.unwrap();
    world.write(id, "ALPHA\nbeta\ngamma\n").await;
    let editor = world.editor(id).await;
    let content = Some(("alpha\nbeta\nGAMMA\n", Base::Version(1)));
    let version = world.services.versions.commit(&editor, input(content, RequestKey::none())).await;
    assert_eq!(version.unwrap().number, 2);
    assert_eq!(world.text(id).await, "ALPHA\nbeta\nGAMMA\n");
    assert_eq!(world.content(id, 2).await, "ALPHA\nbeta\nGAMMA\n");
}

#[tokio::test]
async fn conflicting_content_returns_current_text() {
    let world = World::new().await;
    let id = world.create("one word\n").await;
    world.commit(id, "base").await.unwrap();
    world.write(id, "one sword\n").await;
    let editor = world.editor(id).await;
    let base = Base::Text(IfMatch::Hashes(vec![sha256("one word\n")]));
    let content = Some(("one bird\n", base));
    let refused = world.services.versions.commit(&editor, input(content, RequestKey::none())).await;
    let Err(Error::Stale(current)) = refused else { panic!("{refused:?}") };
    assert_eq!(current.content, "one sword\n");
    assert_eq!(world.text(id).await, "one sword\n");
    assert_eq!(world.reader(id).await.row().head_version, 1);
}

#[tokio::test]
async fn demoted_versions_read_back_exactly() {
    let world = World::new().await;
    let paragraph = "A line of text that stays the same.\r\n".repeat(40);
    let text = |n: u64| format!("{paragraph}edit {n} 🦀 é\u{301}\n{paragraph}");
    let id = world.create(&text(1)).await;
    let last = KEYFRAME_EVERY + 6;
    for n in 1..=last {
        world.write(id, &text(n)).await;
        world.commit(id, &format!("edit {n}")).await.unwrap();
    }
    world.services.jobs.work_off().await.unwrap();
    let reader = world.reader(id).await;
    for n in 1..=last {
        let version = world.services.versions.get(&reader, n).await.unwrap();
        let whole = n == 1 || n == KEYFRAME_EVERY || n == last;
        let expected = if whole { StoredAs::Snapshot } else { StoredAs::Delta };
        assert_eq!(version.stored_as, expected, "version {n}");
    }
    let world = world.restart().await;
    for n in 1..=last {
        assert_eq!(world.content(id, n).await, text(n), "version {n}");
    }
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn keeps_a_snapshot_if_a_delta_is_larger() {
    let world = World::new().await;
    let id = world.create(&"abc ".repeat(50)).await;
    for text in ["x", "something else entirely, with nothing in common", "0123456789"] {
        world.commit(id, text).await.unwrap();
        world.write(id, text).await;
    }
    world.commit(id, "last").await.unwrap();
    world.services.jobs.work_off().await.unwrap();
    let reader = world.reader(id).await;
    let third = world.services.versions.get(&reader, 3).await.unwrap();
    assert_eq!(third.stored_as, StoredAs::Snapshot);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn stores_and_demotes_a_chunked_text() {
    let world = World::new().await;
    let big = "0123456789abcde\n".repeat(9 * 1024 * 1024 / 16);
    let id = world.create(&big).await;
    world.commit(id, "big").await.unwrap();
    world.write(id, &format!("{big}!")).await;
    world.commit(id, "bigger").await.unwrap();
    world.write(id, &format!("{big}?")).await;
    world.commit(id, "asking").await.unwrap();
    world.services.jobs.work_off().await.unwrap();
    let world = world.restart().await;
    assert_eq!(world.content(id, 1).await, big);
    assert_eq!(world.content(id, 2).await, format!("{big}!"));
    let reader = world.reader(id).await;
    let second = world.services.versions.get(&reader, 2).await.unwrap();
    assert_eq!(second.stored_as, StoredAs::Delta);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn json_versions_keep_their_formatting() {
    let world = World::new().await;
    let texts = ["{\"a\":1}", "{\"a\":2,\"b\":[1,2,3]}", "{ \"b\" : 2 }\n", "{\"broken\":"];
    let id = world.create_kind(DocumentKind::Json, texts[0]).await;
    for text in texts {
        world.write(id, text).await;
        world.commit(id, text).await.unwrap();
    }
    world.services.jobs.work_off().await.unwrap();
    let world = world.restart().await;
    for (index, text) in texts.iter().enumerate() {
        assert_eq!(world.content(id, index as u64 + 1).await, *text);
    }
    let reader = world.reader(id).await;
    let versions = &world.services.versions;
    let json = versions.get(&reader, 2).await.unwrap().json;
    assert_eq!((json.is_some(), &json), (true, &JsonText::parse(texts[1])));
    assert_eq!(versions.get(&reader, 4).await.unwrap().json, None);
}

#[tokio::test]
async fn naming_a_version_makes_it_a_snapshot() {
    let world = World::new().await;
    let text = "the same line again and again\n".repeat(30);
    let id = world.create(&text).await;
    for n in 0..4 {
        world.write(id, &format!("{text}{n}")).await;
        world.commit(id, "").await.unwrap();
    }
    let versions = &world.services.versions;
    world.services.jobs.work_off().await.unwrap();
    let reader = world.reader(id).await;
    assert_eq!(versions.get(&reader, 2).await.unwrap().stored_as, StoredAs::Delta);
    let editor = world.editor(id).await;
    versions.name(&editor, 2, Some("release")).await.unwrap();
    world.services.jobs.work_off().await.unwrap();
    let named = versions.get(&reader, 2).await.unwrap();
    assert_eq!((named.stored_as, named.name.as_deref()), (StoredAs::Snapshot, Some("release")));
    let only_named = VersionQuery { named: true, ..VersionQuery::default() };
    assert_eq!(versions.list(&reader, &only_named).await.unwrap().total, 1);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn a_restore_commits_the_live_text_first() {
    let world = World::new().await;
    let id = world.create("old\n").await;
    world.commit(id, "old").await.unwrap();
    world.write(id, "new, not committed\n").await;
    let editor = world.editor(id).await;
    let versions = &world.services.versions;
    let restored = versions.restore(&editor, 1, None, RequestKey::none()).await.unwrap();
    assert_eq!((restored.number, restored.note.message.as_str()), (3, "Restored version 1"));
    assert_eq!(world.content(id, 2).await, "new, not committed\n");
    assert_eq!(world.text(id).await, "old\n");
    let undone = versions.restore(&editor, 2, None, RequestKey::none()).await.unwrap();
    assert_eq!(undone.number, 4);
    assert_eq!(world.text(id).await, "new, not committed\n");
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn retrying_a_restore_restores_once() {
    let world = World::new().await;
    let id = world.create("old\n").await;
    world.commit(id, "old").await.unwrap();
    world.write(id, "new\n").await;
    let editor = world.editor(id).await;
    let key = RequestKey::new(world.ada.user, "POST", "/restore", "once").unwrap();
    let versions = &world.services.versions;
    let first = versions.restore(&editor, 1, None, key).await.unwrap();
    world.write(id, "typed afterwards\n").await;
    let again = versions.restore(&editor, 1, None, key).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(world.text(id).await, "typed afterwards\n");
    assert_eq!(world.reader(id).await.row().head_version, 3);
}

#[tokio::test]
async fn a_restore_keeps_concurrent_edits() {
    let world = World::new().await;
    let id = world.create("first\nsecond\n").await;
    world.commit(id, "").await.unwrap();
    world.write(id, "first\nSECOND\n").await;
    let mut typist = world.replica(id).await;
    let editor = world.editor(id).await;
    world.services.versions.restore(&editor, 1, None, RequestKey::none()).await.unwrap();
    let delta = typist.edit(&[support::insert(0, "typed ")]);
    world.services.documents.submit(&editor, "op", delta).await.unwrap();
    assert_eq!(world.text(id).await, "typed first\nsecond\n");
}

#[tokio::test]
async fn a_damaged_record_is_never_returned() {
    let world = World::new().await;
    let id = world.create("precious").await;
    let version = world.commit(id, "").await.unwrap();
    let path = RecordPath::content(id, version.commit_id);
    let record = world.stores.documents.get(&path).await.unwrap();
    let mut data = record.data.clone();
    data.insert("content".to_owned(), "Precious".into());
    let at = record.updated_at;
    world.stores.documents.update(&path, record.version, &data, at).await.unwrap();
    let world = world.restart().await;
    let reader = world.reader(id).await;
    let read = world.services.versions.get(&reader, 1).await;
    assert!(matches!(read, Err(Error::CorruptVersion { number: 1, .. })), "{read:?}");
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(report.faults.iter().any(|fault| fault.detail.contains("version 1")), "{report:?}");
    assert_eq!(world.text(id).await, "precious");
}

#[tokio::test]
async fn collects_content_of_aborted_commits() {
    let world = World::new().await;
    let id = world.create("text").await;
    let editor = world.editor(id).await;
    let commit = izanagi_shared::id::CommitId(uuid::Uuid::now_v7());
    let now = world.editor(id).await.row().updated_at;
    let intent = izanagi_domain::storage::NewIntent {
        commit_id: commit,
        document_id: id,
        base_commit: None,
        request_key: [7; 32],
        expires_at: now.plus(INTENT_LIFETIME),
        at: now,
    };
    world.stores.relational.intents.open(&intent).await.unwrap();
    let path = RecordPath::content(id, commit);
    let data = izanagi_domain::storage::Data::from([("type".to_owned(), "snapshot".into())]);
    let record = izanagi_domain::storage::NewRecord { path: path.clone(), data };
    world.stores.documents.create(&record, now).await.unwrap();
    assert_eq!(world.services.versions.collect_garbage().await.unwrap(), 0);
    world.fsck_is_clean().await;
    world.clock.advance(INTENT_LIFETIME + Duration::from_secs(1));
    assert_eq!(world.services.versions.collect_garbage().await.unwrap(), 1);
    assert!(world.stores.documents.get(&path).await.is_err());
    assert_eq!(world.services.versions.collect_garbage().await.unwrap(), 0);
    world.fsck_is_clean().await;
    drop(editor);
}

#[tokio::test]
async fn compares_versions_and_the_live_text() {
    let world = World::new().await;
    let id = world.create("one\ntwo\n").await;
    world.commit(id, "").await.unwrap();
    world.write(id, "one\n2\n").await;
    let reader = world.reader(id).await;
    let compare =
        |from, to| world.services.versions.compare(&reader, from, to, DiffOptions::default());
    let live = compare(Side::Version(1), Side::Live).await.unwrap();
    assert_eq!((live.diff.added, live.diff.removed), (1, 1));
    let from_nothing = compare(Side::Version(0), Side::Version(1)).await.unwrap();
    assert_eq!((from_nothing.diff.added, from_nothing.diff.removed), (2, 0));
    assert!(matches!(compare(Side::Version(2), Side::Live).await, Err(Error::NotFound(_))));
}

/// Commits these contents, all based on `start`, at once.
async fn commit_at_once(
    world: &World,
    id: DocumentId,
    start: &str,
    contents: &[String],
) -> Vec<Result<VersionRow, Error>> {
    let editor = world.editor(id).await;
    let tasks = contents.iter().map(|content| {
        let editor = &editor;
        async move {
            let base = Base::Text(IfMatch::Hashes(vec![sha256(start)]));
            let input = input(Some((content, base)), RequestKey::none());
            world.services.versions.commit(editor, input).await
        }
    });
    futures::future::join_all(tasks).await
}

#[tokio::test]
async fn concurrent_commits_of_different_lines_all_succeed() {
    let world = World::new().await;
    let lines: Vec<String> = (0..8).map(|n| format!("line {n}\n\nunchanged\n\n")).collect();
    let start = lines.concat();
    let id = world.create(&start).await;
    world.commit(id, "start").await.unwrap();
    let changed = |n: usize| start.replace(&format!("line {n}\n"), &format!("changed {n}\n"));
    let contents: Vec<String> = (0..8).map(changed).collect();
    let results = commit_at_once(&world, id, &start, &contents).await;
    let mut numbers: Vec<u64> = results.into_iter().map(|row| row.unwrap().number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=9).collect::<Vec<u64>>());
    assert_eq!(world.text(id).await, start.replace("line", "changed"));
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn concurrent_commits_of_the_same_line_are_refused_but_one() {
    let world = World::new().await;
    let id = world.create("start\n").await;
    let contents: Vec<String> = (0..8).map(|n| format!("changed {n}\n")).collect();
    let results = commit_at_once(&world, id, "start\n", &contents).await;
    let (committed, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((committed.len(), world.reader(id).await.row().head_version), (1, 1));
    let text = world.text(id).await;
    for refused in refused {
        let Err(Error::Stale(current)) = refused else { panic!("{refused:?}") };
        assert_eq!(current.content, text);
    }
    world.fsck_is_clean().await;
}
