//! Live rooms: updates, acknowledgements, snapshots and persistence.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use async_trait::async_trait;
use izanagi_domain::{
    documents::IfMatch,
    error::Error,
    hash::sha256,
    live::{LiveSettings, Receipt},
    services::Settings,
    storage::{NewSnapshot, StoreError, StoreResult, Stores},
};
use izanagi_shared::{crdt::TextDoc, rules::MAX_CONTENT_BYTES, wire::PatchDocumentRequest};
use izanagi_storage::faulty::{Faulty, Hook, Injector};
use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use support::{Plan, World, insert, random_client};

#[tokio::test]
async fn numbers_and_applies_each_update_once() {
    let world = World::new().await;
    let id = world.create("").await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    let documents = &world.services.documents;
    let first = replica.edit(&[insert(0, "a")]);
    let second = replica.edit(&[insert(1, "b")]);
    assert_eq!(documents.submit(&editor, "op 1", first.clone()).await.unwrap().seq, 1);
    assert_eq!(documents.submit(&editor, "op 2", second).await.unwrap().seq, 2);
    assert_eq!(documents.submit(&editor, "op 1", first).await.unwrap().seq, 1);
    assert_eq!(world.text(id).await, "ab");
    let world = world.restart().await;
    assert_eq!(world.text(id).await, "ab");
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn rejects_an_op_id_used_for_two_updates() {
    let world = World::new().await;
    let id = world.create("").await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    let documents = &world.services.documents;
    documents.submit(&editor, "op", replica.edit(&[insert(0, "a")])).await.unwrap();
    let refused = documents.submit(&editor, "op", replica.edit(&[insert(1, "b")])).await;
    assert!(matches!(refused, Err(Error::BadUpdate(_))), "{refused:?}");
    assert_eq!(world.text(id).await, "a");
}

#[tokio::test]
async fn rejects_the_client_id_of_another_user() {
    let world = World::new().await;
    let id = world.create("").await;
    let owner = world.owner(id).await;
    world.services.documents.add_owner(&owner, world.bob.user).await.unwrap();
    let ada = world.editor(id).await;
    let bob = world.services.documents.for_editor(&world.bob.into(), id).await.unwrap();
    let mut replica = world.replica(id).await;
    let documents = &world.services.documents;
    documents.submit(&ada, "a", replica.edit(&[insert(0, "a")])).await.unwrap();
    let refused = documents.submit(&bob, "b", replica.edit(&[insert(1, "b")])).await;
    assert!(matches!(refused, Err(Error::BadUpdate(_))), "{refused:?}");
    assert_eq!(world.text(id).await, "a");
}

#[tokio::test]
async fn pending_updates_survive_a_snapshot() {
    let world = World::new().await;
    let id = world.create("").await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    let documents = &world.services.documents;
    let first = replica.edit(&[insert(0, "a")]);
    let second = replica.edit(&[insert(1, "b")]);
    documents.submit(&editor, "second", second).await.unwrap();
    assert_eq!(world.text(id).await, "");
    let world = world.restart().await;
    let editor = world.editor(id).await;
    world.services.documents.submit(&editor, "first", first).await.unwrap();
    assert_eq!(world.text(id).await, "ab");
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn an_update_that_waited_too_long_lapses_in_the_store() {
    let world = World::new().await;
    let id = world.create("kept").await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    let first = replica.edit(&[insert(0, "a")]);
    let second = replica.edit(&[insert(1, "b")]);
    let waits = world.services.documents.submit(&editor, "second", second.clone()).await.unwrap();
    assert_eq!(waits, Receipt { seq: 1, pending: true });
    let world = world.restart().await;
    world.clock.advance(Duration::from_secs(601));
    let documents = &world.services.documents;
    let editor = world.editor(id).await;
    let lapsed = documents.submit(&editor, "second", second.clone()).await;
    assert!(matches!(lapsed, Err(Error::BadUpdate(_))), "{lapsed:?}");
    world.fsck_is_clean().await;
    documents.submit(&editor, "first", first).await.unwrap();
    let again = documents.submit(&editor, "again", second).await.unwrap();
    assert_eq!(again, Receipt { seq: 3, pending: false });
    documents.persist(id).await.unwrap();
    let log = world.stores.relational.log.load(id).await.unwrap();
    assert_eq!((log.updates.len(), log.quarantined.len()), (0, 0));
    let edits = world.services.edits.list(&editor, None, None, None).await.unwrap().items;
    assert_eq!(edits.iter().map(|edit| edit.edit.seq).collect::<Vec<_>>(), [1, 2, 3]);
    let world = world.restart().await;
    assert_eq!(world.text(id).await, "abkept");
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn old_updates_are_absorbed_without_being_asked_for() {
    let world = World::new().await;
    let id = world.create("kept").await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    replica.edit(&[insert(0, "never sent")]);
    let waits = replica.edit(&[insert(0, "a")]);
    world.services.documents.submit(&editor, "waits", waits).await.unwrap();
    let world = world.restart().await;
    let rows = async || world.stores.relational.log.load(id).await.unwrap().updates.len();
    assert_eq!(world.services.jobs.run_now().await.unwrap(), 0);
    assert_eq!(rows().await, 1);
    world.clock.advance(Duration::from_secs(25 * 60 * 60));
    assert_eq!(world.services.jobs.run_now().await.unwrap(), 0);
    assert_eq!(rows().await, 0);
    assert_eq!(world.text(id).await, "kept");
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn snapshots_keep_every_update() {
    let live = LiveSettings { snapshot_updates: 10, ..LiveSettings::default() };
    let settings = Settings { live, ..Settings::default() };
    let world = World::with(Plan { settings, ..Plan::default() }).await;
    let id = world.create("").await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    for n in 0..35 {
        let delta = replica.edit(&[insert(n, "x")]);
        world.services.documents.submit(&editor, &format!("op {n}"), delta).await.unwrap();
    }
    assert_eq!(world.text(id).await, "x".repeat(35));
    let log = world.stores.relational.log.load(id).await.unwrap();
    assert!(log.snapshot.seq >= 30 && log.updates.len() <= 5, "{}", log.snapshot.seq);
    let world = world.restart().await;
    assert_eq!(world.text(id).await, "x".repeat(35));
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn a_replace_keeps_edits_made_elsewhere() {
    let world = World::new().await;
    let id = world.create("one two three").await;
    let mut typist = world.replica(id).await;
    let editor = world.editor(id).await;
    let if_match = IfMatch::Hashes(vec![sha256("one two three")]);
    let documents = &world.services.documents;
    documents.replace(&editor, "one 2 three".to_owned(), None, if_match.clone()).await.unwrap();
    let delta = typist.edit(&[insert(13, "!")]);
    documents.submit(&editor, "op", delta).await.unwrap();
    assert_eq!(world.text(id).await, "one 2 three!");
    let stale = documents.replace(&editor, "mine".to_owned(), None, if_match).await;
    let Err(Error::Stale(current)) = stale else { panic!("{stale:?}") };
    assert_eq!(current.content, "one 2 three!");
}

#[tokio::test]
async fn rejects_an_edit_beyond_the_text_limit() {
    let world = World::new().await;
    let id = world.create(&"x".repeat(MAX_CONTENT_BYTES - 2)).await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    let documents = &world.services.documents;
    let fits = replica.edit(&[insert(0, "ab")]);
    documents.submit(&editor, "fits", fits).await.unwrap();
    let too_much = replica.edit(&[insert(0, "c")]);
    let refused = documents.submit(&editor, "too much", too_much).await;
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
}

#[tokio::test]
async fn a_rejected_update_changes_nothing() {
    let world = World::new().await;
    let id = world.create("kept").await;
    let editor = world.editor(id).await;
    let (_, with_null) = TextDoc::from_text(random_client(), "a\0");
    for delta in [vec![0xff; 20], vec![], with_null] {
        let refused = world.services.documents.submit(&editor, "op", delta).await;
        assert!(matches!(refused, Err(Error::BadUpdate(_))), "{refused:?}");
    }
    assert_eq!(world.text(id).await, "kept");
    assert_eq!(world.reader(id).await.row().live_seq, 0);
}

#[tokio::test]
async fn rejects_edits_of_a_trashed_document() {
    let world = World::new().await;
    let id = world.create("text").await;
    let editor = world.editor(id).await;
    let mut replica = world.replica(id).await;
    let owner = world.owner(id).await;
    world.services.documents.trash(&owner).await.unwrap();
    let refused =
        world.services.documents.submit(&editor, "op", replica.edit(&[insert(0, "a")])).await;
    assert!(matches!(refused, Err(Error::Trashed)), "{refused:?}");
    let back = PatchDocumentRequest { deleted: Some(false), ..PatchDocumentRequest::default() };
    world.services.documents.change(&owner, &back).await.unwrap();
    assert_eq!(world.text(id).await, "text");
}

#[tokio::test]
async fn concurrent_writers_lose_no_updates() {
    let world = World::new().await;
    let id = world.create("").await;
    let editor = world.editor(id).await;
    let tasks = (0..16_u32).map(|writer| {
        let (documents, editor) = (&world.services.documents, &editor);
        async move {
            let mut replica = TextDoc::new(random_client());
            for n in 0..20 {
                let delta = replica.edit(&[insert(0, &format!("[{writer}:{n}]"))]);
                documents.submit(editor, &format!("{writer}:{n}"), delta).await.unwrap();
            }
        }
    });
    futures::future::join_all(tasks).await;
    let text = world.text(id).await;
    for writer in 0..16 {
        for n in 0..20 {
            assert_eq!(text.matches(&format!("[{writer}:{n}]")).count(), 1);
        }
    }
    assert_eq!(world.reader(id).await.row().live_seq, 320);
    world.fsck_is_clean().await;
}

#[tokio::test]
async fn opening_a_document_does_not_change_it() {
    let world = World::new().await;
    let id = world.create("text").await;
    let before = world.reader(id).await.row().clone();
    world.text(id).await;
    world.replica(id).await;
    let world = world.restart().await;
    assert_eq!(*world.reader(id).await.row(), before);
}

#[tokio::test]
async fn a_text_stored_since_the_row_was_read_is_not_damaged() {
    let world = World::new().await;
    let id = world.create("text").await;
    let reader = world.reader(id).await;
    world.write(id, "text, and more").await;
    let world = world.restart().await;
    // If it were read from the log, this would fail.
    let (state, at) = (b"damaged".to_vec(), reader.row().updated_at);
    let (absorbed, segments) = (Vec::new(), Vec::new());
    let (from_seq, verified) = (10, 0);
    let damaged =
        NewSnapshot { document_id: id, seq: 9, state, from_seq, verified, absorbed, segments, at };
    world.stores.relational.log.snapshot(&damaged).await.unwrap();
    let text = world.services.documents.text(&reader).await.unwrap();
    assert_eq!(&*text.content, "text, and more");
}

/// Makes the first read of a stored text fail as if it did not match the row.
#[derive(Default)]
struct Mismatch(AtomicUsize);

#[async_trait]
impl Hook for Mismatch {
    async fn before(&self, method: &'static str, _: &(dyn Debug + Sync)) -> StoreResult<()> {
        if method.ends_with("text") && self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(StoreError::Corrupt("another text was read".to_owned()));
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_text_saved_between_two_reads_is_read_again() {
    let mismatch = Arc::new(Mismatch(AtomicUsize::new(1)));
    let injector = Injector::hooked(Arc::clone(&mismatch) as _);
    let wrap = move |mut stores: Stores| {
        stores.relational.log = Arc::new(Faulty::new(stores.relational.log, &injector));
        stores
    };
    let world = World::with(Plan { wrap: Box::new(wrap), ..Plan::default() }).await;
    let id = world.create("text").await;
    let reader = world.reader(id).await;
    // If it were read from the log, this would fail.
    let (state, at) = (b"damaged".to_vec(), reader.row().updated_at);
    let (absorbed, segments) = (Vec::new(), Vec::new());
    let (from_seq, verified) = (10, 0);
    let damaged =
        NewSnapshot { document_id: id, seq: 9, state, from_seq, verified, absorbed, segments, at };
    world.stores.relational.log.snapshot(&damaged).await.unwrap();
    mismatch.0.store(0, Ordering::SeqCst);
    let text = world.services.documents.text(&reader).await.unwrap();
    assert_eq!(&*text.content, "text");
    assert_eq!(mismatch.0.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn texts_are_read_while_they_are_saved() {
    let world = World::new().await;
    let id = world.create("0").await;
    let documents = &world.services.documents;
    let editor = world.editor(id).await;
    let saving = async {
        for number in 1..40 {
            let any = IfMatch::Any;
            documents.replace(&editor, number.to_string(), None, any).await.unwrap();
            documents.persist(id).await.unwrap();
        }
    };
    let reading = async {
        let mut last = 0;
        while last < 39 {
            let reader = world.reader(id).await;
            tokio::task::yield_now().await;
            let text = documents.text(&reader).await.unwrap();
            let number: u64 = text.content.parse().unwrap();
            assert!(number >= last, "{number} after {last}");
            last = number;
        }
    };
    futures::join!(saving, reading);
}
