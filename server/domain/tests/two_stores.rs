//! Commits over two real stores (DESIGN §5): versions in SQLite, contents in MongoDB. Without a
//! server, the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

#[path = "../../storage/tests/contract/services.rs"]
mod services;
#[path = "faults/story.rs"]
mod story;

use izanagi_domain::{
    jobs::LEASE,
    storage::{Freshness, RecordIndex, RecordPath, Stores},
    versions::INTENT_LIFETIME,
};
use izanagi_storage::{
    DocumentsConfig, StorageConfig,
    faulty::{Fault, Injector, wrap},
};
use mongodb::{
    Client,
    bson::{Document, doc},
};
use rstest::rstest;
use std::{sync::Arc, time::Duration};
use story::Story;
use support::{Plan, World};
use uuid::Uuid;

/// A database of the server that belongs to one test.
struct Mongo {
    url: String,
    name: String,
}

impl Mongo {
    fn new() -> Option<Self> {
        let url = services::url("TEST_MONGODB_URL")?;
        Some(Self { url, name: format!("izanagi_test_{}", Uuid::now_v7().simple()) })
    }

    async fn client(&self) -> Client {
        Client::with_uri_str(&self.url).await.unwrap()
    }

    async fn world(&self, injector: &Arc<Injector>) -> World {
        // A failing command fails only for this test.
        let url = format!("{}&appName={}&socketTimeoutMS=2000", self.url, self.name);
        let database = Some(self.name.clone());
        let documents = Some(DocumentsConfig { database, ..DocumentsConfig::new(url) });
        let storage = StorageConfig { documents, ..StorageConfig::new("memory://") };
        let injector = Arc::clone(injector);
        let wrap = move |stores: Stores| wrap(stores, &injector);
        let plan = Plan { storage, wrap: Box::new(wrap), ..Plan::default() };
        World::with(plan).await
    }

    async fn fail(&self, command: &str, times: i32, mut fault: Document) {
        fault.insert("failCommands", [command]);
        fault.insert("appName", &self.name);
        let mode = doc! { "times": times };
        let set = doc! { "configureFailPoint": "failCommand", "mode": mode, "data": fault };
        self.client().await.database("admin").run_command(set).await.unwrap();
    }

    async fn end(&self, world: World) {
        world.close().await;
        self.client().await.database(&self.name).drop().await.unwrap();
    }
}

/// Runs the story with one injected fault as far as it goes, then restarts and runs the rest.
/// Returns the number of faults that fired.
async fn run_story(mongo: &Mongo, injector: &Arc<Injector>) -> usize {
    let world = mongo.world(injector).await;
    let mut story = Story::begin(&world).await;
    story.go_on(&world, Some(injector)).await;
    let fired = usize::from(injector.fired().is_some());
    injector.revive();
    injector.release().await;
    let world = world.restart().await;
    story.go_on(&world, None).await;
    story.check(&world).await;
    world.clock.advance(Duration::from_secs(6 * 60));
    world.services.jobs.work_off().await.unwrap();
    assert!(story.is_compacted(&world).await);
    world.fsck_is_clean().await;
    mongo.end(world).await;
    fired
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn survives_faults_at_every_write_of_a_record(
    #[values(
        Fault::ErrorBefore,
        Fault::LostReply,
        Fault::LateEffect,
        Fault::Repeat,
        Fault::KillAfter
    )]
    fault: Fault,
) {
    let Some(mongo) = Mongo::new() else { return };
    let quiet = Injector::quiet();
    run_story(&mongo, &quiet).await;
    let calls = quiet.calls();
    let writes = calls.iter().filter(|call| call.store == "records" && fault.fits(call.class));
    // Late faults are those of other calls, too, so not every call needs a run of its own.
    let mut fired = 0;
    for call in writes.step_by(2) {
        println!("{fault:?} at {call:?}");
        fired += run_story(&mongo, &Injector::nth(call.index, fault)).await;
    }
    assert!(fired >= 4, "{fault:?} fired only {fired} times");
}

/// The server stores a content, but the answer is an error: the attempt is given up and its content
/// collected, and there is one version.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_content_may_not_be_stored_is_made_once() {
    let Some(mongo) = Mongo::new() else { return };
    let world = mongo.world(&Injector::quiet()).await;
    let document = world.create("one\n").await;
    for (number, fault) in (1..).zip([
        doc! { "writeConcernError": { "code": 64, "errmsg": "waiting for replication timed out" } },
        doc! { "closeConnection": true },
        doc! { "blockConnection": true, "blockTimeMS": 3_000 },
    ]) {
        mongo.fail("insert", 1, fault).await;
        world.write(document, &format!("{number}\n")).await;
        let version = world.commit(document, "why").await.unwrap();
        assert_eq!(version.number, number);
    }
    world.clock.advance(INTENT_LIFETIME * 2);
    // The first and the last attempt are abandoned; the last is stored after its caller gave up.
    let collection = RecordPath::contents_of(document);
    let index = RecordIndex::CollectionId;
    let all = || world.stores.documents.paths(index, &collection, None, 100, true);
    let mut beat = tokio::time::interval(Duration::from_millis(50));
    while all().await.unwrap().len() < 5 {
        beat.tick().await;
    }
    world.services.versions.collect_garbage().await.unwrap();
    world.clock.advance(LEASE);
    world.services.jobs.work_off().await.unwrap();
    let records = all().await.unwrap();
    assert_eq!(records.len(), 3, "abandoned contents are left");
    for number in 1..=3 {
        assert_eq!(world.content(document, number).await, format!("{number}\n"));
    }
    world.fsck_is_clean().await;
    mongo.end(world).await;
}

/// Many versions are demoted to deltas, read back, and checked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_is_compacted_and_reads_back() {
    const VERSIONS: u64 = 70;
    let Some(mongo) = Mongo::new() else { return };
    let world = mongo.world(&Injector::quiet()).await;
    let text = |number: u64| {
        let line = |line: u64| format!("Line {line} of a text that changes a little each time.\n");
        (0..60 + number).map(line).collect::<String>()
    };
    let document = world.create(&text(0)).await;
    for number in 1..=VERSIONS {
        world.write(document, &text(number)).await;
        world.commit(document, "more").await.unwrap();
    }
    world.services.jobs.work_off().await.unwrap();
    let world = world.restart().await;
    for number in 1..=VERSIONS {
        assert_eq!(world.content(document, number).await, text(number), "version {number}");
    }
    let versions = &world.stores.relational.versions;
    let row = versions.get(Freshness::Fresh, document, 33).await.unwrap();
    assert!(row.is_delta);
    world.fsck_is_clean().await;
    let deltas = doc! { "$match": { "data.type": "delta" } };
    let size = doc! { "$group": { "_id": null, "bytes": { "$avg": { "$bsonSize": "$$ROOT" } } } };
    let records = mongo.client().await.database(&mongo.name).collection::<Document>("documents");
    let mut sizes = records.aggregate([deltas, size]).await.unwrap();
    assert!(sizes.advance().await.unwrap());
    println!("a delta takes {:?} bytes of BSON", sizes.current().get("bytes"));
    mongo.end(world).await;
}
