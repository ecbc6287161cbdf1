//! Damage where versions are in PostgreSQL and contents in MongoDB: a bit that has flipped, a record
//! that is gone, a wrong head. `fsck` names what is broken and nothing else, readers get the right text
//! or none, and the neighbours open. Without servers, the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

#[path = "support/servers.rs"]
mod servers;
#[path = "../../storage/tests/contract/services.rs"]
mod services;

use izanagi_domain::{
    fsck::{FaultKind, Repair},
    storage::{Freshness, RecordPath},
};
use izanagi_shared::id::DocumentId;
use mongodb::bson::{Bson, Document, doc};
use rstest::rstest;
use servers::Servers;
use std::collections::BTreeSet;
use support::World;

/// Number of versions of each document. The last is a snapshot, as is the first; the others are deltas.
const VERSIONS: u64 = 4;

/// Text of a document after so many edits.
fn text(edits: u64) -> String {
    let line = |line: u64| format!("Line {line} of a text that grows by a line with each edit.\n");
    (0..40 + edits).map(line).collect()
}

/// A document with versions and a snapshot of its live state.
async fn document(world: &World) -> DocumentId {
    let id = world.create(&text(0)).await;
    for edits in 1..=VERSIONS {
        world.write(id, &text(edits)).await;
        world.commit(id, "a line more").await.unwrap();
    }
    world.services.documents.persist(id).await.unwrap();
    id
}

/// Two documents, each with two edits since its snapshot.
async fn world(servers: &Servers) -> (World, [DocumentId; 2]) {
    let world = servers.world(4).await;
    let documents = [document(&world).await, document(&world).await];
    world.services.jobs.work_off().await.unwrap();
    let world = world.restart().await;
    for id in documents {
        for edits in VERSIONS + 1..=VERSIONS + 2 {
            world.write(id, &text(edits)).await;
        }
    }
    world.fsck_is_clean().await;
    (world, documents)
}

/// Where a bit is flipped, or what else is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    /// A bit of a content that is stored whole.
    Snapshot,
    /// A bit of a content that is stored as a difference.
    Delta,
    /// A bit of an edit in the live log.
    Update,
    /// A bit of the stored live state.
    State,
    /// The record of a version is gone.
    RemovedSnapshot,
    RemovedDelta,
    /// An edit in the live log is gone.
    RemovedUpdate,
    /// The document names another version as its newest.
    Head,
}

impl Damage {
    /// The version whose content is damaged.
    const fn version(self) -> Option<u64> {
        match self {
            Self::Snapshot | Self::RemovedSnapshot => Some(VERSIONS),
            Self::Delta | Self::RemovedDelta => Some(2),
            Self::Update | Self::State | Self::RemovedUpdate | Self::Head => None,
        }
    }

    /// What `fsck` must say: the first, and perhaps what follows from it.
    const fn faults(self) -> (FaultKind, &'static [FaultKind]) {
        match self {
            // Deltas below build on it.
            Self::Snapshot | Self::Delta | Self::RemovedSnapshot | Self::RemovedDelta => {
                (FaultKind::Content, &[FaultKind::Base, FaultKind::Keyframe, FaultKind::StoredAs])
            }
            Self::Update => (FaultKind::Log, &[FaultKind::Text, FaultKind::Row]),
            Self::RemovedUpdate => (FaultKind::Log, &[FaultKind::Text, FaultKind::History]),
            Self::State => (FaultKind::Snapshot, &[FaultKind::Text, FaultKind::Log]),
            // What would be the newest version is stored as an older one.
            Self::Head => (FaultKind::Head, &[FaultKind::Keyframe]),
        }
    }

    async fn inflict(self, servers: &Servers, world: &World, id: DocumentId, place: Place) {
        let changed = match self {
            Self::Snapshot | Self::Delta | Self::RemovedSnapshot | Self::RemovedDelta => {
                self.of_record(servers, world, id, place).await
            }
            Self::Update => servers.run(&flip("document_updates", "delta", id, place)).await,
            Self::State => servers.run(&flip("document_snapshots", "state", id, place)).await,
            Self::RemovedUpdate => {
                let delete = "DELETE FROM document_updates WHERE seq = \
                              (SELECT MIN(seq) FROM document_updates u WHERE u.document_id =";
                servers.run(&format!("{delete} '{id}') AND document_id = '{id}'")).await
            }
            Self::Head => {
                let wrong = "UPDATE documents SET head_version = head_version - 1 WHERE id =";
                servers.run(&format!("{wrong} '{id}'")).await
            }
        };
        assert_eq!(changed, 1, "{self:?}");
    }

    async fn of_record(
        self,
        servers: &Servers,
        world: &World,
        id: DocumentId,
        place: Place,
    ) -> u64 {
        let versions = &world.stores.relational.versions;
        let number = self.version().unwrap();
        let row = versions.get(Freshness::Fresh, id, number).await.unwrap();
        let is_delta = matches!(self, Self::Delta | Self::RemovedDelta);
        assert_eq!(row.is_delta, is_delta, "{self:?}");
        let path = RecordPath::content(id, row.commit_id);
        let (records, filter) = (servers.records().await, doc! { "fullpath": path.to_string() });
        if matches!(self, Self::RemovedSnapshot | Self::RemovedDelta) {
            return records.delete_one(filter).await.unwrap().deleted_count;
        }
        let field = if is_delta { "patch" } else { "content" };
        let stored: Document = records.find_one(filter.clone()).await.unwrap().unwrap();
        let mut value = stored.get_document("data").unwrap().get(field).unwrap().clone();
        assert!(flip_in(&mut value, place), "{field}: {value:?}");
        let set = doc! { "$set": { format!("data.{field}"): value } };
        records.update_one(filter, set).await.unwrap().modified_count
    }
}

/// Where in its bytes.
#[derive(Debug, Clone, Copy)]
enum Place {
    First,
    Middle,
    Last,
}

impl Place {
    const fn of(self, length: usize) -> usize {
        match self {
            Self::First => 0,
            Self::Middle => length / 2,
            Self::Last => length - 1,
        }
    }
}

/// Flips a bit of a column of the newest row.
fn flip(table: &str, column: &str, id: DocumentId, place: Place) -> String {
    let at = match place {
        Place::First => "0".to_owned(),
        Place::Middle => format!("length({column}) / 2"),
        Place::Last => format!("length({column}) - 1"),
    };
    format!(
        "UPDATE {table} SET {column} = set_byte({column}, {at}, get_byte({column}, {at}) # 1) \
         WHERE document_id = '{id}' AND seq = (SELECT MAX(seq) FROM {table} WHERE document_id = '{id}')"
    )
}

/// Flips a bit of a text, of bytes or of a number in a value; returns whether there is any.
fn flip_in(value: &mut Bson, place: Place) -> bool {
    match value {
        Bson::String(text) if !text.is_empty() => {
            let mut bytes = text.clone().into_bytes();
            let at = place.of(bytes.len());
            bytes[at] ^= 1;
            *text = String::from_utf8(bytes).unwrap();
            true
        }
        Bson::Binary(binary) if !binary.bytes.is_empty() => {
            let at = place.of(binary.bytes.len());
            binary.bytes[at] ^= 1;
            true
        }
        Bson::Int32(number) => {
            *number ^= 1;
            true
        }
        Bson::Array(items) => {
            let at = place.of(items.len());
            flip_in(&mut items[at], place)
        }
        Bson::Document(fields) => match fields.get_mut("content") {
            // Beside it stands the name of its encoding.
            Some(content) => flip_in(content, place),
            None => fields.iter_mut().any(|(_, field)| flip_in(field, place)),
        },
        _ => false,
    }
}

/// Every text that can be read is the right one.
async fn nothing_wrong_is_shown(world: &World, id: DocumentId) {
    let reader = world.reader(id).await;
    for number in 1..=VERSIONS {
        if let Ok(shown) = world.services.versions.text(&reader, number).await {
            assert_eq!(*shown, *text(number), "version {number}");
        }
    }
    if let Ok(shown) = world.services.documents.text(&reader).await {
        assert_eq!(shown.content.to_string(), text(VERSIONS + 2));
    }
}

/// Everything of a document works.
async fn is_whole(world: &World, id: DocumentId) {
    for number in 1..=VERSIONS {
        assert_eq!(world.content(id, number).await, text(number));
    }
    assert_eq!(world.text(id).await, text(VERSIONS + 2));
    world.write(id, &text(VERSIONS + 3)).await;
    assert_eq!(world.commit(id, "on").await.unwrap().number, VERSIONS + 1);
}

async fn check(damage: Damage, place: Place) {
    let Some(servers) = Servers::new().await else { return };
    let (world, [id, neighbour]) = world(&servers).await;
    damage.inflict(&servers, &world, id, place).await;
    // Services that have read nothing yet. A restart would write what the rooms hold.
    let former = world;
    let world = World::over(&former).await;
    nothing_wrong_is_shown(&world, id).await;
    if let Some(number) = damage.version() {
        let reader = world.reader(id).await;
        assert!(world.services.versions.text(&reader, number).await.is_err());
    }
    let report = world.services.fsck.run(Repair::No).await.unwrap();
    let strangers = report.faults.iter().filter(|fault| fault.document != Some(id));
    assert_eq!(strangers.count(), 0, "{:#?}", report.faults);
    let found: BTreeSet<_> = report.faults.iter().map(|fault| fault.kind.as_str()).collect();
    let (main, others) = damage.faults();
    let allowed: BTreeSet<_> = others.iter().chain([&main]).map(|kind| kind.as_str()).collect();
    assert!(found.contains(main.as_str()) && found.is_subset(&allowed), "{:#?}", report.faults);
    if let Some(number) = damage.version() {
        let named = report.faults.iter().any(|fault| fault.detail.contains(&number.to_string()));
        assert!(named, "{:#?}", report.faults);
    }
    is_whole(&world, neighbour).await;
    nothing_wrong_is_shown(&world, id).await;
    drop(world);
    servers.end(former).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_is_found_and_never_shown(
    #[values(Damage::Snapshot, Damage::Delta, Damage::Update, Damage::State)] damage: Damage,
    #[values(Place::First, Place::Middle, Place::Last)] place: Place,
) {
    check(damage, place).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_or_wrong_is_named(
    #[values(Damage::RemovedSnapshot, Damage::RemovedDelta, Damage::RemovedUpdate, Damage::Head)]
    damage: Damage,
) {
    check(damage, Place::First).await;
}
