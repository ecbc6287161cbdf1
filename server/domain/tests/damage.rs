//! Damaged rows: they are noticed, never taken for the truth, and repaired from what is intact.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    documents::ListQuery,
    error::Error,
    fsck::{FaultKind, Repair},
    principal::Principal,
};
use izanagi_shared::{id::DocumentId, wire::PatchDocumentRequest};
use rstest::rstest;
use support::World;

/// Creates a document with three versions, whose edits three segments hold.
async fn world() -> (World, DocumentId) {
    let world = World::new().await;
    let id = world.create("a line\n").await;
    for n in 1..=9 {
        world.write(id, &format!("a line\n{n}\n")).await;
        if n % 3 == 0 {
            world.commit(id, "three more").await.unwrap();
            world.services.documents.persist(id).await.unwrap();
        }
    }
    world.services.jobs.work_off().await.unwrap();
    let world = world.restart().await;
    world.fsck_is_clean().await;
    (world, id)
}

async fn tamper(world: &World, sql: &'static str) {
    assert!(world.tamper(sql).await > 0, "{sql}");
}

async fn finds(world: &World, kind: FaultKind) {
    let report = world.services.fsck.run(Repair::No).await.unwrap();
    assert!(report.faults.iter().any(|fault| fault.kind == kind), "{:#?}", report.faults);
}

/// Repairs, and checks that nothing is left.
async fn repair(world: World, repair: Repair) -> (World, Vec<String>) {
    let world = world.restart().await;
    let report = world.services.fsck.run(repair).await.unwrap();
    assert!(!report.repaired.is_empty(), "{report:#?}");
    world.fsck_is_clean().await;
    (world.restart().await, report.repaired)
}

fn rename(title: &str) -> PatchDocumentRequest {
    serde_json::from_value(serde_json::json!({ "title": title })).unwrap()
}

#[rstest]
#[case::title("UPDATE documents SET title = 'another'")]
#[case::description("UPDATE documents SET description = 'another'")]
#[case::creator("UPDATE documents SET created_by = zeroblob(16)")]
#[case::creation("UPDATE documents SET created_at = created_at + 1")]
#[case::creation_beyond_any_calendar("UPDATE documents SET created_at = 9223372036854775807")]
#[case::lineage("UPDATE documents SET lineage = zeroblob(16)")]
#[case::lineage_seq("UPDATE documents SET lineage_seq = 1")]
#[case::hash("UPDATE documents SET details_hash = x'00'")]
#[case::trash("UPDATE documents SET deleted_at = created_at")]
#[tokio::test]
async fn damaged_details_are_not_changed_until_they_are_accepted(#[case] sql: &'static str) {
    let (world, id) = world().await;
    tamper(&world, sql).await;
    finds(&world, FaultKind::Details).await;
    let owner = world.owner(id).await;
    let view = world.services.documents.view(&owner).await.unwrap();
    assert!(view.is_damaged);
    // Another checksum would hide the damage for ever.
    for change in [rename("a third"), PatchDocumentRequest { deleted: Some(false), ..rename("x") }]
    {
        let refused = world.services.documents.change(&owner, &change).await;
        let is_refused = matches!(refused, Err(Error::CorruptDocument(_) | Error::Trashed));
        assert!(is_refused, "{refused:?}");
    }
    assert!(world.services.documents.purge(&owner).await.is_err());
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(report.notes.iter().any(|note| note.contains("--restart")), "{report:#?}");
    finds(&world, FaultKind::Details).await;
    let (world, repaired) = repair(world, Repair::MayLoseEdits).await;
    assert!(repaired[0].contains("WARNING: accepted"), "{repaired:?}");
    let owner = world.owner(id).await;
    let view = world.services.documents.change(&owner, &rename("a fourth")).await.unwrap();
    assert!(!view.is_damaged && view.deleted_at.is_none());
    assert_eq!(world.text(id).await, "a line\n9\n");
}

#[rstest]
#[case::published("UPDATE documents SET is_public = 1")]
#[case::template("UPDATE documents SET is_template = 1")]
#[case::kind("UPDATE documents SET kind = 'text'")]
#[case::format("UPDATE documents SET render_format = 'html'")]
#[tokio::test]
async fn details_with_few_values_are_restored(#[case] sql: &'static str) {
    let (world, id) = world().await;
    let before = world.reader(id).await.row().clone();
    tamper(&world, sql).await;
    finds(&world, FaultKind::Details).await;
    let anonymous = world.services.documents.for_reader(&Principal::Anonymous, id).await;
    assert!(matches!(anonymous, Err(Error::Unauthenticated)), "{anonymous:?}");
    let (world, _) = repair(world, Repair::Lossless).await;
    assert_eq!(world.reader(id).await.row().details, before.details);
    assert_eq!(world.reader(id).await.row().kind, before.kind);
}

#[rstest]
#[case::words("UPDATE documents SET word_count = -1 WHERE title = 'Plan'")]
#[case::length("UPDATE documents SET content_length = -5 WHERE title = 'Plan'")]
#[case::length_by_one(
    "UPDATE documents SET content_length = content_length + 1 WHERE title = 'Plan'"
)]
#[case::revision("UPDATE documents SET meta_rev = -1 WHERE title = 'Plan'")]
#[case::hash("UPDATE documents SET details_hash = x'00' WHERE title = 'Plan'")]
#[case::live("UPDATE documents SET live_hash = x'00' WHERE title = 'Plan'")]
#[case::time("UPDATE documents SET updated_at = updated_at + 1 WHERE title = 'Plan'")]
#[case::text_hash("UPDATE documents SET text_hash = zeroblob(16) WHERE title = 'Plan'")]
#[case::head("UPDATE documents SET head_hash = x'00' WHERE title = 'Plan'")]
#[tokio::test]
async fn a_damaged_document_does_not_hide_the_others_of_a_list(#[case] sql: &'static str) {
    let (world, id) = world().await;
    let other = world.create("other").await;
    let owner = world.owner(other).await;
    world.services.documents.change(&owner, &rename("Other")).await.unwrap();
    tamper(&world, sql).await;
    let list = async |world: &World| {
        let (who, query) = (world.ada.into(), ListQuery::default());
        let page = world.services.documents.list(&who, &query).await.unwrap();
        let mut items: Vec<_> = page
            .items
            .into_iter()
            .map(|item| (item.id, item.is_damaged, item.content_length, item.word_count))
            .collect();
        items.sort_unstable();
        items
    };
    let (words, length) = (3, "a line\n9\n".len() as u64);
    assert_eq!(list(&world).await, [(id, true, length, words), (other, false, 5, 1)]);
    assert_eq!(world.text(id).await, "a line\n9\n");
    let (world, _) = repair(world, Repair::MayLoseEdits).await;
    assert_eq!(list(&world).await, [(id, false, length, words), (other, false, 5, 1)]);
}

#[rstest]
#[case::too_high("UPDATE documents SET head_version = 4")]
#[case::too_low("UPDATE documents SET head_version = 2")]
#[case::another_commit("UPDATE documents SET head_commit = zeroblob(16)")]
#[tokio::test]
async fn a_wrong_head_is_set_by_the_versions(#[case] sql: &'static str) {
    let (world, id) = world().await;
    tamper(&world, sql).await;
    finds(&world, FaultKind::Head).await;
    let view = world.services.documents.view(&*world.reader(id).await).await.unwrap();
    assert_eq!((view.head_version, view.is_damaged), (3, true));
    world.write(id, "new").await;
    let refused = world.commit(id, "").await;
    assert!(matches!(refused, Err(Error::CorruptDocument(_))), "{refused:?}");
    let (world, _) = repair(world, Repair::Lossless).await;
    assert_eq!(world.commit(id, "").await.unwrap().number, 4);
}

/// The content of the version whose row is missing may be all that is left of it.
#[tokio::test]
async fn contents_are_kept_as_long_as_versions_are_missing() {
    let (world, id) = world().await;
    tamper(&world, "DELETE FROM versions WHERE version_number = 3").await;
    let report = world.services.fsck.run(Repair::Lossless).await.unwrap();
    assert!(report.repaired.is_empty(), "{report:#?}");
    finds(&world, FaultKind::Orphan).await;
    // Version 2 is a delta from it, so it stays even when the head is set back.
    world.services.fsck.run(Repair::MayLoseEdits).await.unwrap();
    assert_eq!(world.content(id, 2).await, "a line\n6\n");
}

#[rstest]
#[case::added("UPDATE versions SET added = added + 1 WHERE version_number = 2", Repair::Lossless)]
#[case::removed("UPDATE versions SET removed = -1 WHERE version_number = 2", Repair::Lossless)]
#[case::length("UPDATE versions SET content_length = 0 WHERE version_number = 2", Repair::Lossless)]
#[case::name("UPDATE versions SET name = 'x' WHERE version_number = 2", Repair::MayLoseEdits)]
#[tokio::test]
async fn damaged_facts_of_a_version_are_counted_again(
    #[case] sql: &'static str,
    #[case] how: Repair,
) {
    let (world, id) = world().await;
    let facts = async |world: &World| {
        let reader = world.reader(id).await;
        let view = world.services.versions.get(&reader, 2).await.unwrap();
        (view.added, view.removed, view.length, view.is_damaged)
    };
    let before = facts(&world).await;
    tamper(&world, sql).await;
    finds(&world, FaultKind::Chain).await;
    assert!(facts(&world).await.3);
    let editor = world.editor(id).await;
    let refused = world.services.versions.name(&editor, 2, Some("release")).await;
    assert!(refused.is_err(), "{refused:?}");
    let (world, _) = repair(world, how).await;
    assert_eq!(facts(&world).await, before);
}

#[tokio::test]
async fn titles_are_folded_again() {
    let (world, _) = world().await;
    tamper(&world, "UPDATE documents SET title_folded = 'another'").await;
    finds(&world, FaultKind::Details).await;
    repair(world, Repair::Lossless).await;
}

#[tokio::test]
async fn client_ids_without_an_owner_are_reserved() {
    let (world, _) = world().await;
    tamper(&world, "DELETE FROM document_clients").await;
    finds(&world, FaultKind::Client).await;
    repair(world, Repair::Lossless).await;
}
