//! Broken connections, callers that go away, and transactions that meet.

use crate::{
    fixtures::*,
    pg_proxy::{Cut, Proxy},
    pg_server::PgDatabase,
    provider::TestStore,
};
use futures::{FutureExt as _, future::BoxFuture};
use izanagi_domain::storage::{
    CommitOutcome, Fence, NewRecord, NewVersion, RecordPath, StoreError, StoreResult, Stores,
};
use izanagi_shared::id::{CommitId, DocumentId, SessionId, UserId};
use izanagi_storage::{Opened, open};
use rstest::rstest;
use sqlx::Connection as _;
use std::time::Duration;

/// What a write is about.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) stores: Stores,
    owner: UserId,
    pub(crate) document: DocumentId,
}

/// A write, and whether its effect is there.
pub(crate) struct Write {
    pub(crate) run: Box<dyn Fn() -> BoxFuture<'static, StoreResult<bool>>>,
    is_done: Box<dyn Fn() -> BoxFuture<'static, bool>>,
    /// Settles an unknown outcome, as the domain does.
    fence: Box<dyn Fn() -> BoxFuture<'static, ()>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Statement,
    Commit,
    CommitWithContent,
    Create,
    Append,
    Record,
}

pub(crate) async fn write(scene: &Scene, kind: Kind) -> Write {
    let Scene { stores, owner, document } = scene.clone();
    let nothing = || -> Box<dyn Fn() -> BoxFuture<'static, ()>> { Box::new(|| async {}.boxed()) };
    match kind {
        Kind::Statement => {
            let session = SessionId(fresh_uuid());
            let (run, done) = (stores.revocations.clone(), stores.revocations.clone());
            let until = at(i64::MAX);
            Write {
                run: Box::new(move || {
                    let run = run.clone();
                    async move { run.revoke(session, until).await.map(|()| true) }.boxed()
                }),
                is_done: Box::new(move || {
                    let done = done.clone();
                    async move { done.is_revoked(session).await.unwrap() }.boxed()
                }),
                fence: nothing(),
            }
        }
        Kind::Commit | Kind::CommitWithContent => {
            let (intent, version) = attempt(&stores, document, owner).await;
            let is_atomic = matches!(kind, Kind::CommitWithContent);
            if !is_atomic {
                stores.relational.intents.open(&intent).await.unwrap();
            }
            let commit = version.commit_id;
            let (run, done, fence) = (stores.clone(), stores.clone(), stores);
            Write {
                run: Box::new(move || commit_one(run.clone(), version.clone(), is_atomic).boxed()),
                is_done: Box::new(move || {
                    let done = done.clone();
                    async move { done.relational.versions.by_commit(commit).await.is_ok() }.boxed()
                }),
                fence: Box::new(move || {
                    let fence = fence.clone();
                    async move {
                        let closed = fence.relational.intents.fence(commit).await.unwrap();
                        let found = fence.relational.versions.by_commit(commit).await;
                        assert!(closed == Fence::NotOpen || found.is_err(), "{closed:?} {found:?}");
                    }
                    .boxed()
                }),
            }
        }
        Kind::Create => {
            let new = new_document(owner);
            let (id, run, done) = (new.id, stores.clone(), stores);
            Write {
                run: Box::new(move || {
                    let (run, new) = (run.clone(), new.clone());
                    async move { run.relational.catalog.create(&new).await.map(|()| true) }.boxed()
                }),
                is_done: Box::new(move || {
                    let done = done.clone();
                    async move { done.relational.catalog.get(id).await.is_ok() }.boxed()
                }),
                fence: nothing(),
            }
        }
        Kind::Append => {
            let op = format!("op{}", fresh());
            let (run, done, known) = (stores.clone(), stores, op.clone());
            Write {
                run: Box::new(move || {
                    let (run, batch) = (run.clone(), batch(document, vec![update(owner, &op)]));
                    async move { run.relational.log.append(&[batch]).await.map(|_| true) }.boxed()
                }),
                is_done: Box::new(move || {
                    let (done, known) = (done.clone(), known.clone());
                    async move {
                        done.relational.log.known_op(document, owner.into(), &known).await.is_ok()
                    }
                    .boxed()
                }),
                fence: nothing(),
            }
        }
        Kind::Record => {
            let path = RecordPath::content(document, CommitId(fresh_uuid()));
            let (run, done, known) = (stores.clone(), stores, path.clone());
            Write {
                run: Box::new(move || {
                    let data = data(&"words ".repeat(400));
                    let record = NewRecord { path: path.clone(), data };
                    let run = run.clone();
                    async move { run.documents.create(&record, at(1)).await.map(|()| true) }.boxed()
                }),
                is_done: Box::new(move || {
                    let (done, known) = (done.clone(), known.clone());
                    async move { done.documents.get(&known).await.is_ok() }.boxed()
                }),
                fence: nothing(),
            }
        }
    }
}

async fn commit_one(stores: Stores, version: NewVersion, is_atomic: bool) -> StoreResult<bool> {
    let outcome = match &stores.relational.atomic {
        Some(atomic) if is_atomic => {
            let records = [content_record(&version)];
            atomic.commit_with_content(&records, &version).await.map(|done| done.unwrap())
        }
        _ => stores.relational.intents.commit(&version).await,
    };
    outcome.map(|outcome| outcome == CommitOutcome::Committed)
}

pub(crate) async fn scene(opened: &Opened) -> Scene {
    let stores = opened.stores.clone();
    let owner = a_user(&stores).await;
    let document = a_document(&stores, owner).await;
    Scene { stores, owner, document }
}

/// Breaks the connection at every message of a write in turn.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_connection_breaks_tells_its_true_outcome(
    #[values(
        Kind::Statement,
        Kind::Commit,
        Kind::CommitWithContent,
        Kind::Create,
        Kind::Append,
        Kind::Record
    )]
    kind: Kind,
    #[values(Cut::Request, Cut::Reply, Cut::Backend)] cut: Cut,
) {
    let Some(database) = PgDatabase::migrated().await else { return };
    let proxy = Proxy::start(database, cut).await;
    let opened = open(&proxy.config(1)).await.unwrap();
    let scene = scene(&opened).await;
    // A ping of the pool may come between, and take the place of the message that commits.
    for _ in 0..5 {
        if sweep(&proxy, &scene, kind, cut).await > 0 {
            opened.close().await;
            proxy.stop().await;
            return;
        }
    }
    panic!("{kind:?} {cut:?}: no outcome was ever unknown");
}

/// Breaks the connection at each message until the write gets through; returns the number of unknown
/// outcomes.
pub(crate) async fn sweep(proxy: &Proxy, scene: &Scene, kind: Kind, cut: Cut) -> usize {
    let mut unknown = 0;
    for messages in 0..80 {
        let write = write(scene, kind).await;
        proxy.until_quiet().await;
        proxy.arm(messages);
        let result = (write.run)().await;
        let was_cut = proxy.disarm();
        if matches!(result, Err(StoreError::Unknown(_))) {
            unknown += 1;
            // Before anything is waited for: the fence must do that.
            (write.fence)().await;
        }
        let at_once = (write.is_done)().await;
        proxy.until_quiet().await;
        let is_done = (write.is_done)().await;
        let place = format!("{kind:?} {cut:?} after {messages} messages: {result:?}");
        match result {
            Ok(done) => assert_eq!(is_done, done, "{place}"),
            Err(StoreError::Unavailable(_)) => assert!(!is_done, "{place}"),
            Err(StoreError::Unknown(_)) => {
                let has_fence = matches!(kind, Kind::Commit | Kind::CommitWithContent);
                assert!(!has_fence || at_once == is_done, "{place}: changed after the fence");
            }
            Err(_) => panic!("{place}"),
        }
        if !was_cut {
            return unknown;
        }
    }
    panic!("{kind:?} {cut:?}: it never came to an end");
}

/// Polls a future so often, then drops it.
async fn poll_and_drop<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = std::pin::pin!(future);
    for _ in 0..polls {
        if let std::task::Poll::Ready(value) = futures::poll!(&mut future) {
            return Some(value);
        }
        tokio::task::yield_now().await;
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_goes_away_poisons_no_connection() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let proxy = Proxy::start(database, Cut::Request).await;
    let opened = open(&proxy.config(1)).await.unwrap();
    let scene = scene(&opened).await;
    let kinds =
        [Kind::Statement, Kind::CommitWithContent, Kind::Create, Kind::Append, Kind::Record];
    for kind in kinds {
        for polls in 1..12 {
            let write = write(&scene, kind).await;
            poll_and_drop((write.run)(), polls).await;
            poll_and_drop(scene.stores.relational.catalog.get(scene.document), polls).await;
            // The only connection works, and what was begun is completed.
            let next = scene.stores.relational.catalog.get(scene.document);
            tokio::time::timeout(Duration::from_secs(60), next).await.unwrap().unwrap();
            let done = async {
                while !(write.is_done)().await {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), done).await.unwrap();
        }
    }
    opened.close().await;
    proxy.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_tried_again() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let (ann, ben) = (a_user(&store).await, a_user(&store).await);
    let document = a_document(&store, ann).await;
    // Ann adds Ben: that locks Ann, then Ben. The other transaction locks them in the other order.
    let mut other = database.connect().await;
    sqlx::query("SET deadlock_timeout = '10min'").execute(&mut other).await.unwrap();
    let mut crossing = other.begin().await.unwrap();
    let lock = "SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE";
    sqlx::query(lock).bind(ben.0).execute(&mut *crossing).await.unwrap();
    let stores = store.stores();
    let adding = tokio::spawn(async move {
        stores.relational.owners.add(document, ann.into(), ben, at(30)).await
    });
    database.until_blocked().await;
    // PostgreSQL ends the transaction whose deadlock timeout is shorter: the store's.
    sqlx::query(lock).bind(ann.0).execute(&mut *crossing).await.unwrap();
    crossing.commit().await.unwrap();
    assert_eq!(adding.await.unwrap(), Ok(()));
    let owners = store.relational.owners.list(&[document]).await.unwrap();
    assert_eq!(owners.len(), 2);
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    drop(other);
    store.close().await;
    let mut watcher = database.connect().await;
    assert!(sqlx::query_scalar::<_, i64>(deadlocks).fetch_one(&mut watcher).await.unwrap() > 0);
    watcher.close().await.unwrap();
    database.recycle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_who_leave_at_once_leave_no_document_without_an_owner() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    for _ in 0..20 {
        let (ann, ben) = (a_user(&store).await, a_user(&store).await);
        let document = a_document(&store, ann).await;
        store.relational.owners.add(document, SERVER, ben, at(20)).await.unwrap();
        let (stores, others) = (store.stores(), store.stores());
        let deleting =
            tokio::spawn(async move { stores.relational.users.delete(ann, &event(30)).await });
        let leaving = others.relational.owners.remove(document, ben, at(30)).await;
        deleting.await.unwrap().unwrap();
        let row = store.relational.catalog.get(document).await.unwrap();
        let owners = store.relational.owners.list(&[document]).await.unwrap();
        // Either Ben left first, and the document went to the trash with Ann, or he could not.
        assert!(row.deleted_at.is_some() || owners.iter().any(|(_, owner)| owner.id == ben));
        assert_eq!(leaving.is_ok(), row.deleted_at.is_some());
    }
    store.close().await;
    database.recycle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_come_and_go_in_one_collection_at_once() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let mut workers = Vec::new();
    for _ in 0..6 {
        let documents = store.stores().documents;
        workers.push(tokio::spawn(async move {
            for _ in 0..30 {
                let id = fresh_uuid().to_string();
                let path = RecordPath::from_parts("shared", id);
                let record = NewRecord { path, data: data("words") };
                documents.create(&record, at(1)).await.unwrap();
                assert!(documents.get(&record.path).await.is_ok());
                documents.purge(&record.path).await.unwrap();
            }
        }));
    }
    // Meanwhile, names of empty collections are removed.
    while !workers.iter().all(tokio::task::JoinHandle::is_finished) {
        database.run("DELETE FROM record_changes").await;
        store.documents.forget(at(1)).await.unwrap();
    }
    for worker in workers {
        worker.await.unwrap();
    }
    store.close().await;
    database.recycle().await;
}
