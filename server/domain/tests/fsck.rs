//! `fsck` detects every kind of damage.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::storage::Clock as _;
use izanagi_domain::versions::VersionQuery;
use izanagi_domain::{
    fsck::{FaultKind, Repair},
    storage::{
        Batch, Claim, ClientOwner, Data, DetailsChange, Freshness, NewIntent, NewRecord,
        NewSnapshot, NewUpdate, RecordIndex, RecordPath, SavedText, Settlement, TextFacts, Topic,
        Value,
    },
};
use izanagi_shared::id::{CommitId, DocumentId};
use rstest::rstest;
use support::World;
use uuid::Uuid;

/// Creates a document with three versions, the second of which is a delta.
async fn world() -> (World, DocumentId) {
    let world = World::new().await;
    let text = "a line that stays the same\n".repeat(20);
    let id = world.create(&text).await;
    for n in 1..=3 {
        world.write(id, &format!("{text}{n}\n")).await;
        world.commit(id, "").await.unwrap();
    }
    world.services.jobs.work_off().await.unwrap();
    let world = world.restart().await;
    world.fsck_is_clean().await;
    (world, id)
}

/// Modifies the stored record of a version.
async fn damage(world: &World, id: DocumentId, number: u64, change: impl FnOnce(&mut Data)) {
    let commit =
        world.stores.relational.versions.get(Freshness::Fresh, id, number).await.unwrap().commit_id;
    let record = world.stores.documents.get(&RecordPath::content(id, commit)).await.unwrap();
    let mut data = record.data.clone();
    change(&mut data);
    let (path, version, at) = (&record.path, record.version, record.updated_at);
    world.stores.documents.update(path, version, &data, at).await.unwrap();
}

async fn finds(world: &World, kind: FaultKind) {
    let report = world.services.fsck.run(Repair::No).await.unwrap();
    assert!(report.faults.iter().any(|fault| fault.kind == kind), "{:#?}", report.faults);
}

#[rstest]
#[case::changed_text(1, "content", Value::from("something else"), FaultKind::Content)]
#[case::changed_hash(1, "hash", Value::from([0; 32]), FaultKind::Content)]
#[case::changed_patch(2, "patch", Value::List(vec!["x".into()]), FaultKind::Content)]
#[case::missing_base(2, "base", Value::from([0; 16]), FaultKind::Base)]
#[case::head_stored_as_delta(3, "type", Value::from("delta"), FaultKind::Keyframe)]
#[tokio::test]
async fn detects_a_damaged_version_record(
    #[case] number: u64,
    #[case] field: &str,
    #[case] value: Value,
    #[case] kind: FaultKind,
) {
    let (world, id) = world().await;
    damage(&world, id, number, |data| drop(data.insert(field.to_owned(), value))).await;
    finds(&world, kind).await;
}

#[tokio::test]
async fn detects_a_delta_from_another_version_than_its_successor() {
    let (world, id) = world().await;
    let first = world.stores.relational.versions.get(Freshness::Fresh, id, 1).await.unwrap();
    let base = first.commit_id.0.into_bytes();
    damage(&world, id, 2, |data| drop(data.insert("base".to_owned(), base.into()))).await;
    finds(&world, FaultKind::Base).await;
}

#[tokio::test]
async fn detects_a_changed_title() {
    let (world, _) = world().await;
    assert_eq!(world.tamper("UPDATE documents SET title = 'another'").await, 1);
    finds(&world, FaultKind::Details).await;
}

#[rstest]
#[case::message("UPDATE versions SET message = 'another' WHERE version_number = 2")]
#[case::title("UPDATE versions SET title = 'another' WHERE version_number = 2")]
#[case::time("UPDATE versions SET created_at = created_at + 1 WHERE version_number = 2")]
#[case::author("UPDATE versions SET author_id = zeroblob(16) WHERE version_number = 2")]
#[case::the_version_before_is_missing("DELETE FROM versions WHERE version_number = 1")]
#[tokio::test]
async fn a_changed_version_is_marked_as_damaged(#[case] sql: &'static str) {
    let (world, id) = world().await;
    assert_eq!(world.tamper(sql).await, 1);
    finds(&world, FaultKind::Chain).await;
    let reader = world.reader(id).await;
    let versions = world.services.versions.list(&reader, &VersionQuery::default()).await.unwrap();
    let damaged = versions.items.iter().filter(|version| version.is_damaged);
    assert_eq!(damaged.map(|version| version.number).collect::<Vec<_>>(), [2]);
    assert!(world.services.versions.get(&reader, 2).await.unwrap().is_damaged);
}

#[tokio::test]
async fn detects_a_missing_version_record() {
    let (world, id) = world().await;
    let commit =
        world.stores.relational.versions.get(Freshness::Fresh, id, 1).await.unwrap().commit_id;
    world.stores.documents.purge(&RecordPath::content(id, commit)).await.unwrap();
    finds(&world, FaultKind::Content).await;
}

#[tokio::test]
async fn soft_deletes_unreferenced_content() {
    let (world, id) = world().await;
    let path = RecordPath::content(id, CommitId(Uuid::now_v7()));
    let data = Data::from([("type".to_owned(), Value::from("snapshot"))]);
    let at = world.reader(id).await.row().updated_at;
    world.stores.documents.create(&NewRecord { path: path.clone(), data }, at).await.unwrap();
    finds(&world, FaultKind::Orphan).await;
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert_eq!(report.repaired.len(), 1, "{report:?}");
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn rebuilds_a_text_differing_from_the_log() {
    let (world, id) = world().await;
    let saved = world.stores.relational.log.text(id).await.unwrap();
    let wrong = SavedText { content: "wrong".to_owned(), ..saved };
    world.stores.relational.log.save_text(&wrong).await.unwrap();
    finds(&world, FaultKind::Text).await;
    world.services.fsck.run(Repair::Lossless).await.unwrap();
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn a_damaged_snapshot_never_yields_text() {
    let (world, id) = world().await;
    let (seq, at) =
        (world.reader(id).await.row().live_seq, world.reader(id).await.row().updated_at);
    let mut state = world.stores.relational.log.load(id).await.unwrap().snapshot.state;
    *state.last_mut().unwrap() ^= 1;
    let update = NewUpdate {
        actor: world.ada.user.into(),
        op_id: "one more".to_owned(),
        delta: Vec::new().into(),
        delta_hash: [0; 32],
        clients: Vec::new(),
        client_owner: ClientOwner::Server,
        missing_clients: Vec::new(),
    };
    let batch = Batch { document_id: id, updates: vec![update], after: None, at };
    world.stores.relational.log.append(&[batch]).await.unwrap().remove(0).unwrap();
    let snapshot = NewSnapshot {
        document_id: id,
        seq: seq + 1,
        state,
        from_seq: seq + 2,
        verified: 0,
        absorbed: vec![seq + 1],
        segments: Vec::new(),
        at,
    };
    world.stores.relational.log.snapshot(&snapshot).await.unwrap();
    finds(&world, FaultKind::Snapshot).await;
    let reader = world.reader(id).await;
    assert!(world.services.documents.text(&reader).await.is_err());
}

/// Creates content for an attempt that was already closed and erased.
async fn late_content(world: &World, id: DocumentId) -> RecordPath {
    let now = world.reader(id).await.row().updated_at;
    let commit_id = CommitId(Uuid::now_v7());
    let intent = NewIntent {
        commit_id,
        document_id: id,
        base_commit: None,
        request_key: [1; 32],
        expires_at: now,
        at: now,
    };
    world.stores.relational.intents.open(&intent).await.unwrap();
    world.stores.relational.intents.fence(commit_id).await.unwrap();
    world.stores.relational.intents.erased(commit_id, now).await.unwrap();
    world.fsck_is_clean().await;
    let path = RecordPath::content(id, commit_id);
    for path in [path.clone(), RecordPath::chunk(id, commit_id, 0)] {
        let record = NewRecord { path, data: Data::new() };
        world.stores.documents.create(&record, now).await.unwrap();
    }
    path
}

async fn fsck_erases(world: &World, path: &RecordPath) {
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(report.repaired.len() == 1 && report.repaired[0].contains("erased 1"), "{report:?}");
    let commit = path.id();
    for collection in [path.collection(), &format!("{}/{commit}/chunks", path.collection())] {
        assert_eq!(
            world
                .stores
                .documents
                .paths(RecordIndex::CollectionId, collection, None, 10, true)
                .await,
            Ok(vec![])
        );
    }
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn erases_content_written_after_erasure() {
    let world = World::new().await;
    let id = world.create("text").await;
    let path = late_content(&world, id).await;
    finds(&world, FaultKind::Orphan).await;
    fsck_erases(&world, &path).await;
}

#[tokio::test]
async fn erases_content_of_a_purged_document() {
    let world = World::new().await;
    let id = world.create("text").await;
    let path = late_content(&world, id).await;
    let trashed = DetailsChange { trashed: Some(true), ..DetailsChange::default() };
    let now = world.reader(id).await.row().updated_at;
    world.stores.relational.catalog.change(id, world.ada.user.into(), &trashed, now).await.unwrap();
    world.stores.relational.catalog.purge(id, now).await.unwrap();
    finds(&world, FaultKind::Orphan).await;
    fsck_erases(&world, &path).await;
}

#[tokio::test]
async fn keeps_content_of_an_open_intent() {
    let (world, id) = world().await;
    let commit_id = CommitId(Uuid::now_v7());
    let now = world.reader(id).await.row().updated_at;
    let intent = NewIntent {
        commit_id,
        document_id: id,
        base_commit: None,
        request_key: [1; 32],
        expires_at: now,
        at: now,
    };
    world.stores.relational.intents.open(&intent).await.unwrap();
    let path = RecordPath::content(id, commit_id);
    let record = NewRecord { path: path.clone(), data: Data::new() };
    world.stores.documents.create(&record, now).await.unwrap();
    world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(world.stores.documents.get(&path).await.is_ok());
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn stores_a_named_version_as_a_snapshot() {
    let (world, id) = world().await;
    let editor = world.editor(id).await;
    world.services.versions.name(&editor, 2, Some("release")).await.unwrap();
    // A pending job is not a fault.
    world.fsck_is_clean().await;
    let jobs = world.stores.relational.outbox.pending(10).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].topic), (1, Topic::MakeWhole));
    let outbox = &world.stores.relational.outbox;
    let (worker, now) = (Uuid::now_v7(), world.clock.now());
    let claim = Claim { topic: Topic::MakeWhole, worker, limit: 1, now, until: now, horizon: now };
    assert_eq!(outbox.claim(&claim).await.unwrap()[0].id, jobs[0].id);
    assert!(outbox.settle(jobs[0].id, worker, Settlement::Done).await.unwrap());
    finds(&world, FaultKind::Keyframe).await;
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert_eq!(report.repaired.len(), 1, "{report:?}");
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn corrects_a_row_that_contradicts_a_record() {
    let (world, id) = world().await;
    world.stores.relational.versions.set_stored(id, 2, false).await.unwrap();
    finds(&world, FaultKind::StoredAs).await;
    world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(world.stores.relational.versions.get(Freshness::Fresh, id, 2).await.unwrap().is_delta);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn removes_chunks_without_a_reference() {
    let (world, id) = world().await;
    let version = world.stores.relational.versions.get(Freshness::Fresh, id, 2).await.unwrap();
    let path = RecordPath::chunk(id, version.commit_id, 0);
    let record = NewRecord { path: path.clone(), data: Data::new() };
    world.stores.documents.create(&record, version.created_at).await.unwrap();
    finds(&world, FaultKind::Chunk).await;
    world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(world.stores.documents.get(&path).await.is_err());
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn recounts_a_text_with_a_wrong_word_count() {
    let (world, id) = world().await;
    let saved = world.stores.relational.log.text(id).await.unwrap();
    let facts = TextFacts { words: saved.facts.words + 1, ..saved.facts };
    world.stores.relational.log.save_text(&SavedText { facts, ..saved }).await.unwrap();
    finds(&world, FaultKind::Text).await;
    world.services.fsck.run(Repair::Lossless).await.unwrap();
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn reports_a_quarantined_update_as_a_note() {
    let world = World::new().await;
    let id = world.create("text").await;
    world.write(id, "text, and more").await;
    let row = world.reader(id).await.row().clone();
    world.stores.relational.log.quarantine(id, row.live_seq, row.updated_at).await.unwrap();
    let report = world.services.fsck.run(Repair::No).await.unwrap();
    assert!(
        report.notes.iter().any(|note| note.contains(&format!("update {}", row.live_seq))),
        "{report:?}"
    );
}
