//! `fsck` sees what is broken: each promise broken once, by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    fsck::FaultKind,
    storage::{Batch, ClientOwner, Data, NewRecord, NewSnapshot, NewUpdate, RecordPath, SavedText},
};
use izanagi_shared::id::{CommitId, DocumentId};
use rstest::rstest;
use serde_json::Value;
use support::World;
use uuid::Uuid;

/// A document with three versions, the second of them a delta.
async fn world() -> (World, DocumentId) {
    let world = World::new().await;
    let text = "a line that stays the same\n".repeat(20);
    let id = world.create(&text).await;
    for n in 1..=3 {
        world.write(id, &format!("{text}{n}\n")).await;
        world.commit(id, "").await.unwrap();
    }
    world.services.versions.work_outbox_off().await.unwrap();
    let world = world.restart().await;
    world.fsck_is_clean().await;
    (world, id)
}

/// Writes over the record of a version.
async fn damage(world: &World, id: DocumentId, number: u64, change: impl FnOnce(&mut Data)) {
    let commit = world.stores.versions.get(id, number).await.unwrap().commit_id;
    let record = world.stores.records.get(&RecordPath::content(id, commit)).await.unwrap();
    let mut data = record.data.clone();
    change(&mut data);
    let (path, version, at) = (&record.path, record.version, record.updated_at);
    world.stores.records.update(path, version, &data, at).await.unwrap();
}

async fn finds(world: &World, kind: FaultKind) {
    let report = world.services.fsck.run(false).await.unwrap();
    assert!(report.faults.iter().any(|fault| fault.kind == kind), "{:#?}", report.faults);
}

#[rstest]
#[case::changed_text(1, "content", Value::from("something else"), FaultKind::Content)]
#[case::changed_patch(2, "patch", Value::from(vec![Value::from("x")]), FaultKind::Content)]
#[case::a_base_with_other_bytes(2, "baseHash", Value::from("00".repeat(32)), FaultKind::Base)]
#[case::a_base_that_is_none(2, "base", Value::from(Uuid::nil().to_string()), FaultKind::Base)]
#[case::a_head_that_is_no_longer_whole(3, "type", Value::from("delta"), FaultKind::Keyframe)]
#[tokio::test]
async fn a_damaged_record(
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
async fn a_missing_record() {
    let (world, id) = world().await;
    let commit = world.stores.versions.get(id, 1).await.unwrap().commit_id;
    world.stores.records.purge(&RecordPath::content(id, commit)).await.unwrap();
    finds(&world, FaultKind::Content).await;
}

#[tokio::test]
async fn a_content_that_belongs_to_nobody_is_put_aside() {
    let (world, id) = world().await;
    let path = RecordPath::content(id, CommitId(Uuid::now_v7()));
    let data = Data::from_iter([("type".to_owned(), Value::from("snapshot"))]);
    let at = world.reader(id).await.row().updated_at;
    world.stores.records.create(&NewRecord { path: path.clone(), data }, at).await.unwrap();
    finds(&world, FaultKind::Orphan).await;
    let report = world.services.fsck.run(true).await.unwrap();
    assert_eq!(report.repaired.len(), 1, "{report:?}");
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn a_text_that_is_not_what_the_log_gives_is_made_anew() {
    let (world, id) = world().await;
    let saved = world.stores.log.text(id).await.unwrap();
    let wrong = SavedText { content: "wrong".to_owned(), ..saved };
    world.stores.log.save_text(&wrong).await.unwrap();
    finds(&world, FaultKind::Text).await;
    world.services.fsck.run(true).await.unwrap();
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn a_damaged_snapshot_is_loud_and_never_a_text() {
    let (world, id) = world().await;
    let (seq, at) =
        (world.reader(id).await.row().live_seq, world.reader(id).await.row().updated_at);
    let mut state = world.stores.log.load(id).await.unwrap().snapshot.state;
    *state.last_mut().unwrap() ^= 1;
    let update = NewUpdate {
        actor: world.ada.user,
        op_id: "one more".to_owned(),
        delta: Vec::new(),
        delta_hash: [0; 32],
        clients: Vec::new(),
        client_owner: ClientOwner::Server,
    };
    let batch = Batch { document_id: id, updates: vec![update], at };
    world.stores.log.append(&[batch]).await.unwrap().remove(0).unwrap();
    let snapshot =
        NewSnapshot { document_id: id, seq: seq + 1, state, absorbed: vec![seq + 1], at };
    world.stores.log.snapshot(&snapshot).await.unwrap();
    finds(&world, FaultKind::Snapshot).await;
    let reader = world.reader(id).await;
    assert!(world.services.documents.text(&reader).await.is_err());
}
