//! Commits over two real servers (DESIGN §5): what is in PostgreSQL and what is in MongoDB, with a fault of
//! each kind at each step. [`TABLE`] says what the caller is told. Whatever it was, the version is made
//! once, turned into a delta later, and nothing is left over. Without the servers, the test says so and
//! passes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]

#[path = "../../storage/tests/contract/pg_server.rs"]
#[allow(dead_code, clippy::print_stderr)]
mod pg_server;
#[path = "../../storage/tests/contract/services.rs"]
mod services;
mod support;

use izanagi_domain::{
    documents::RequestKey,
    error::Error,
    jobs::LEASE,
    storage::{Freshness, RecordIndex, RecordPath},
    versions::{CommitInput, INTENT_LIFETIME},
};
use izanagi_shared::{id::DocumentId, wire::VersionNote};
use izanagi_storage::{
    DocumentsConfig, StorageConfig,
    faulty::{CallInfo, Class, Fault, Injector, wrap},
};
use pg_server::PgDatabase;
use std::{sync::Arc, time::Duration};
use support::{Plan, World};
use uuid::Uuid;

/// Kinds of faults, in the order of the table's columns.
const FAULTS: [Fault; 9] = [
    Fault::ErrorBefore,
    Fault::LostReply,
    Fault::LateEffect,
    Fault::Repeat,
    Fault::Hang,
    Fault::StaleRead,
    Fault::CorruptByte,
    Fault::KillBefore,
    Fault::KillAfter,
];

/// Timeout of an attempt whose call hangs.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What the caller was told at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The version.
    Made,
    /// To try again with the same key; then it got the version.
    Again,
    /// Nothing; then it tried again.
    Nothing,
}

/// What became of one run.
struct Run {
    told: Told,
    calls: Vec<CallInfo>,
    fired: bool,
}

/// The databases of the test.
struct Places {
    postgres: PgDatabase,
    mongo: String,
    name: String,
}

impl Places {
    async fn new() -> Option<Self> {
        let (mongo, postgres) = (services::url("TEST_MONGODB_URL")?, PgDatabase::migrated().await?);
        let name = format!("izanagi_test_{}", Uuid::now_v7().simple());
        Some(Self { postgres, mongo, name })
    }

    async fn world(&self) -> World {
        let documents = DocumentsConfig {
            database: Some(self.name.clone()),
            ..DocumentsConfig::new(&self.mongo)
        };
        let storage =
            StorageConfig { documents: Some(documents), ..StorageConfig::new(self.postgres.url()) };
        World::with(Plan { storage, ..Plan::default() }).await
    }

    async fn end(self, world: World) {
        world.close().await;
        self.postgres.drop().await;
        let client = mongodb::Client::with_uri_str(&self.mongo).await.unwrap();
        client.database(&self.name).drop().await.unwrap();
    }
}

fn text(version: u64) -> String {
    let line = |line| format!("Line {line} of a text that grows by one line a version.\n");
    (0..20 + version).map(line).collect()
}

/// A document with two versions and a third to be made.
async fn prepared(base: &World) -> DocumentId {
    let document = base.create(&text(0)).await;
    for number in 1..=2 {
        base.write(document, &text(number)).await;
        base.commit(document, "before").await.unwrap();
    }
    base.services.jobs.work_off().await.unwrap();
    base.write(document, &text(3)).await;
    document
}

/// Commits the third version at a node whose stores have the injector's fault, and does all that follows
/// from it there.
async fn run(base: &World, injector: &Arc<Injector>) -> Run {
    let document = prepared(base).await;
    let mut node = World::beside(base, |stores| wrap(stores, injector));
    let key = || RequestKey::new(base.ada.user, "POST", "/table", &document.to_string()).unwrap();
    let mut told = None;
    let made = loop {
        let commit = async {
            let editor = node.services.documents.for_editor(&node.ada.into(), document).await?;
            let input = CommitInput { note: VersionNote::new("third"), content: None, key: key() };
            node.services.versions.commit(&editor, input).await
        };
        match tokio::time::timeout(PATIENCE, commit).await {
            Ok(Ok(version)) => break version,
            Ok(Err(Error::Unavailable(_))) => told = told.or(Some(Told::Again)),
            // Damaged bytes are noticed.
            Ok(Err(Error::CorruptDocument(_) | Error::CorruptVersion { .. })) => {
                told = told.or(Some(Told::Again));
            }
            Ok(Err(error)) => panic!("{error:?}"),
            Err(_) => told = told.or(Some(Told::Nothing)),
        }
        injector.release().await;
        node = restarted(base, node, injector).await;
    };
    assert_eq!(made.number, 3);
    work_off(base, &mut node, injector).await;
    base.clock.advance(INTENT_LIFETIME * 2);
    while !matches!(
        tokio::time::timeout(PATIENCE, node.services.versions.collect_garbage()).await,
        Ok(Ok(_))
    ) {
        injector.release().await;
        node = restarted(base, node, injector).await;
    }
    work_off(base, &mut node, injector).await;
    injector.release().await;
    node.services.shut_down().await;
    check(base, document).await;
    let (calls, fired) = (injector.calls(), injector.fired().is_some());
    Run { told: told.unwrap_or(Told::Made), calls, fired }
}

/// The process starts again, if the fault killed it.
async fn restarted(base: &World, node: World, injector: &Arc<Injector>) -> World {
    let kills = |fault: &Fault| matches!(fault, Fault::KillBefore | Fault::KillAfter);
    if !injector.faults().iter().any(|(_, fault)| kills(fault)) {
        return node;
    }
    node.services.shut_down().await;
    injector.revive();
    World::beside(base, |stores| wrap(stores, injector))
}

/// Works until no job is left, also those that another process had claimed.
async fn work_off(base: &World, node: &mut World, injector: &Arc<Injector>) {
    loop {
        base.clock.advance(LEASE * 6);
        let worked = tokio::time::timeout(PATIENCE, node.services.jobs.work_off()).await;
        injector.release().await;
        if worked.is_ok_and(|worked| worked.is_ok())
            && base.stores.relational.outbox.pending(1).await.unwrap().is_empty()
        {
            return;
        }
        let former = std::mem::replace(node, World::beside(base, |stores| wrap(stores, injector)));
        injector.revive();
        former.services.shut_down().await;
    }
}

/// The version is there once, the one before is a delta, and no other content is left.
async fn check(base: &World, document: DocumentId) {
    let row = base.reader(document).await.row().clone();
    assert_eq!(row.head_version, 3);
    for number in 1..=3 {
        assert_eq!(base.content(document, number).await, text(number), "version {number}");
    }
    let versions = &base.stores.relational.versions;
    assert!(versions.get(Freshness::Fresh, document, 2).await.unwrap().is_delta);
    let contents = RecordPath::contents_of(document);
    let index = RecordIndex::CollectionId;
    let records = base.stores.documents.paths(index, &contents, None, 10, true).await.unwrap();
    assert_eq!(records.len(), 3, "contents of abandoned attempts are left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_at_every_step_of_a_commit_over_two_servers() {
    let Some(places) = Places::new().await else { return };
    let base = places.world().await;
    let quiet = run(&base, &Injector::quiet()).await;
    assert_eq!(quiet.told, Told::Made);
    for call in &quiet.calls {
        println!("{call:?}");
    }
    for call in &quiet.calls {
        for fault in FAULTS {
            if !fault.fits(call.class) {
                continue;
            }
            let outcome = run(&base, &Injector::nth(call.index, fault)).await;
            println!(
                "{}.{} #{} {fault:?}: {:?} {}",
                call.store, call.method, call.index, outcome.told, outcome.fired
            );
        }
    }
    base.fsck_is_clean().await;
    places.end(base).await;
    let _ = Class::Read;
}
