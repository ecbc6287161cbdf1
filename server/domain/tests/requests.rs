//! Retried and concurrent requests, and conflicting uses of a request key (DESIGN §5).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    documents::{IfMatch, RequestKey, Upload},
    error::{Error, Result},
    hash::sha256,
    storage::{RecordPath, VersionRow},
    versions::{Base, CommitInput, VersionQuery},
};
use izanagi_shared::{
    id::DocumentId,
    wire::{CreateDocumentRequest, VersionNote},
};
use izanagi_storage::faulty::{Class, Fault, Injector, wrap};
use rstest::rstest;
use std::sync::Arc;
use support::{Plan, World};

fn key(world: &World) -> RequestKey {
    RequestKey::new(world.ada.user, "POST", "/x", "once").unwrap()
}

fn input(content: Option<(&str, Base)>, key: RequestKey) -> CommitInput {
    CommitInput {
        note: VersionNote::new("why"),
        content: content.map(|(content, base)| (content.to_owned(), base)),
        key,
    }
}

/// A request on a document prepared for it.
#[derive(Debug, Clone, Copy)]
enum Request {
    /// The live text equals the newest version, so it needs no version of its own before the
    /// restore.
    RestoreOverHead,
    /// The live text is not in any version.
    RestoreOverLive,
    /// Commits content based on the hash of the live text, which the edit itself makes outdated.
    CommitContent,
    /// Commits content based on any live text.
    CommitContentOverAny,
}

impl Request {
    async fn prepare(self, world: &World) -> DocumentId {
        let quiet = World::over(world).await;
        let id = quiet.create("old\n").await;
        quiet.commit(id, "old").await.unwrap();
        quiet.write(id, "new\n").await;
        if matches!(self, Self::RestoreOverHead) {
            quiet.commit(id, "new").await.unwrap();
        }
        quiet.services.shut_down().await;
        id
    }

    async fn ask(self, world: &World, id: DocumentId) -> Result<VersionRow> {
        let editor = world.services.documents.for_editor(&world.ada.into(), id).await?;
        let versions = &world.services.versions;
        let base = match self {
            Self::RestoreOverHead | Self::RestoreOverLive => {
                return versions.restore(&editor, 1, None, key(world)).await;
            }
            Self::CommitContent => IfMatch::Hashes(vec![sha256("new\n")]),
            Self::CommitContentOverAny => IfMatch::Any,
        };
        let content = Some(("new\nand more\n", Base::Text(base)));
        versions.commit(&editor, input(content, key(world))).await
    }

    async fn check(self, world: &World, id: DocumentId, version: &VersionRow) {
        let (number, message, text) = match self {
            Self::RestoreOverHead | Self::RestoreOverLive => (3, "Restored version 1", "old\n"),
            Self::CommitContent | Self::CommitContentOverAny => (2, "why", "new\nand more\n"),
        };
        assert_eq!((version.number, version.note.message.as_str()), (number, message));
        assert_eq!(world.reader(id).await.row().head_version, number);
        assert_eq!(world.content(id, number).await, text);
        assert_eq!(world.text(id).await, text);
        if number == 3 {
            assert_eq!(world.content(id, 2).await, "new\n");
        }
        world.fsck_is_clean().await;
    }

    /// Sends the request under fault injection, then retries it after a restart.
    async fn interrupt(self, injector: &Arc<Injector>) {
        let faults = Arc::clone(injector);
        let plan = Plan { wrap: Box::new(move |stores| wrap(stores, &faults)), ..Plan::default() };
        let world = World::with(plan).await;
        let id = self.prepare(&world).await;
        let first = self.ask(&world, id).await;
        injector.revive();
        injector.release().await;
        let world = world.restart().await;
        let second = self.ask(&world, id).await.unwrap();
        if let Ok(first) = first {
            assert_eq!(first.commit_id, second.commit_id);
        }
        self.check(&world, id, &second).await;
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_completes_an_interrupted_request(
    #[values(
        Request::RestoreOverHead,
        Request::RestoreOverLive,
        Request::CommitContent,
        Request::CommitContentOverAny
    )]
    request: Request,
    #[values(Fault::ErrorBefore, Fault::LostReply, Fault::KillBefore, Fault::KillAfter)]
    fault: Fault,
) {
    let quiet = Injector::quiet();
    request.interrupt(&quiet).await;
    let calls = quiet.calls();
    assert!(calls.iter().filter(|call| call.class == Class::Write).count() >= 2, "{calls:?}");
    for call in calls.iter().filter(|call| fault.fits(call.class)) {
        println!("{fault:?} at {call:?}");
        request.interrupt(&Injector::nth(call.index, fault)).await;
    }
}

#[tokio::test]
async fn concurrent_retries_create_one_version() {
    let world = World::new().await;
    let id = world.create("text\n").await;
    let editor = world.editor(id).await;
    let versions = &world.services.versions;
    let ask = || versions.commit(&editor, input(None, key(&world)));
    let answers = futures::future::join_all((0..8).map(|_| ask())).await;
    let first = answers[0].as_ref().unwrap();
    for answer in &answers {
        assert_eq!(answer.as_ref().unwrap(), first);
    }
    assert_eq!(world.reader(id).await.row().head_version, 1);
}

#[tokio::test]
async fn a_request_key_is_bound_to_its_body() {
    let world = World::new().await;
    let id = world.create("one\n").await;
    world.commit(id, "").await.unwrap();
    world.write(id, "two\n").await;
    let editor = world.editor(id).await;
    let versions = &world.services.versions;
    versions.commit(&editor, input(None, key(&world))).await.unwrap();
    for base in [Base::Version(1), Base::Text(IfMatch::Any)] {
        let other = versions.commit(&editor, input(Some(("", base)), key(&world))).await;
        assert!(matches!(other, Err(Error::IdempotencyMismatch)), "{other:?}");
    }
}

#[tokio::test]
async fn an_upload_key_covers_all_of_its_files() {
    let world = World::new().await;
    let file = |name: &str| Upload { file_name: name.to_owned(), bytes: b"text".to_vec() };
    let ada = world.ada.into();
    let upload = |files| world.services.documents.upload(&ada, files, "Untitled", key(&world));
    let both = upload(vec![file("a.md"), file("b.md")]).await.unwrap();
    let again = upload(vec![file("a.md"), file("b.md")]).await.unwrap();
    let ids = |views: &[izanagi_shared::wire::DocumentView]| -> Vec<_> {
        views.iter().map(|view| view.id).collect()
    };
    assert_eq!(ids(&both), ids(&again));
    let fewer = upload(vec![file("a.md")]).await;
    assert!(matches!(fewer, Err(Error::IdempotencyMismatch)), "{fewer:?}");
}

#[tokio::test]
async fn retrying_a_create_returns_one_document() {
    let world = World::new().await;
    let new = |title: &str| {
        let title = title.to_owned();
        CreateDocumentRequest { title, ..Default::default() }
    };
    let ada = world.ada.into();
    let create = |request| world.services.documents.create(&ada, request, key(&world));
    let first = create(new("Plan")).await.unwrap();
    assert_eq!(create(new("Plan")).await.unwrap().id, first.id);
    let other = create(new("Another")).await;
    assert!(matches!(other, Err(Error::IdempotencyMismatch)), "{other:?}");
}

#[tokio::test]
async fn restoring_the_live_text_adds_a_version() {
    let world = World::new().await;
    let id = world.create("old\n").await;
    for text in ["old\n", "new\n"] {
        world.write(id, text).await;
        world.commit(id, text.trim()).await.unwrap();
    }
    world.write(id, "old\n").await;
    let editor = world.editor(id).await;
    let versions = &world.services.versions;
    let restored = versions.restore(&editor, 1, None, RequestKey::none()).await.unwrap();
    assert_eq!((restored.number, restored.note.message.as_str()), (3, "Restored version 1"));
    let again = versions.restore(&editor, 1, None, RequestKey::none()).await;
    assert!(matches!(again, Err(Error::NothingToCommit)), "{again:?}");
}

#[tokio::test]
async fn version_zero_is_the_empty_document() {
    let world = World::new().await;
    let id = world.create("").await;
    let editor = world.editor(id).await;
    let content = Some(("first\n", Base::Version(0)));
    let versions = &world.services.versions;
    let version = versions.commit(&editor, input(content, RequestKey::none())).await.unwrap();
    assert_eq!((version.number, version.added), (1, 1));
    assert_eq!(world.text(id).await, "first\n");
}

#[tokio::test]
async fn commits_after_a_corrupt_newest_version() {
    let world = World::new().await;
    let id = world.create("precious\n").await;
    let version = world.commit(id, "").await.unwrap();
    let path = RecordPath::content(id, version.commit_id);
    let record = world.stores.documents.get(&path).await.unwrap();
    let mut data = record.data.clone();
    data.insert("content".to_owned(), "Precious\n".into());
    let at = record.updated_at;
    world.stores.documents.update(&path, record.version, &data, at).await.unwrap();
    let world = world.restart().await;
    world.write(id, "precious\nand more\n").await;
    assert_eq!(world.commit(id, "next").await.unwrap().number, 2);
    assert_eq!(world.content(id, 2).await, "precious\nand more\n");
}

#[tokio::test]
async fn version_cursors_override_the_page_number() {
    let world = World::new().await;
    let id = world.create("0\n").await;
    for n in 1..=6 {
        world.write(id, &format!("{n}\n")).await;
        world.commit(id, "").await.unwrap();
    }
    let reader = world.reader(id).await;
    let versions = &world.services.versions;
    let query = VersionQuery { page_size: Some(3), ..VersionQuery::default() };
    let first = versions.list(&reader, &query).await.unwrap();
    let numbers = |page: &izanagi_shared::wire::Page<izanagi_shared::wire::VersionView>| {
        page.items.iter().map(|item| item.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&first), [6, 5, 4]);
    let next = VersionQuery { cursor: first.next_cursor, page: Some(2), ..query.clone() };
    let second = versions.list(&reader, &next).await.unwrap();
    assert_eq!((numbers(&second), second.page), (vec![3, 2, 1], 1));
    assert_eq!(second.next_cursor, None, "a full last page has no next cursor");
    let other = world.create("").await;
    let other = world.reader(other).await;
    assert!(matches!(versions.list(&other, &next).await, Err(Error::Invalid(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_during_a_restore_are_never_lost() {
    const ROUNDS: u64 = 12;
    let world = World::new().await;
    let id = world.create("start\n").await;
    world.commit(id, "").await.unwrap();
    let editor = world.editor(id).await;
    for round in 0..ROUNDS {
        let typing = async {
            for n in 0..6 {
                let mut replica = world.replica(id).await;
                let delta = replica.edit(&[support::insert(0, &format!("[{round}.{n}]"))]);
                let op_id = format!("{round}.{n}");
                world.services.documents.submit(&editor, &op_id, delta).await.unwrap();
            }
        };
        let restoring = world.services.versions.restore(&editor, 1, None, RequestKey::none());
        let ((), restored) = futures::join!(typing, restoring);
        assert!(matches!(restored, Ok(_) | Err(Error::NothingToCommit)), "{restored:?}");
    }
    let mut everything = world.text(id).await;
    for number in 1..=world.reader(id).await.row().head_version {
        everything += &world.content(id, number).await;
    }
    for word in (0..ROUNDS).flat_map(|round| (0..6).map(move |n| format!("[{round}.{n}]"))) {
        assert!(everything.contains(&word), "{word} is lost");
    }
    world.fsck_is_clean().await;
}
