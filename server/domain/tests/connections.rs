//! Connections to live documents: who may connect, what they are told, and how their rights end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "connections/ends.rs"]
mod ends;
#[path = "support/mod.rs"]
mod support;
#[path = "connections/wire.rs"]
mod wire;

use futures::FutureExt as _;
use izanagi_domain::{
    accounts::Network,
    documents::{LiveConnection, RequestKey},
    error::Error,
    live::{Closing, DocumentNews, LiveSettings, PresenceUpdate, SeatEvent},
    principal::{ApiKeyCaller, Principal},
    services::Settings,
    storage::Restored,
};
use izanagi_shared::{
    id::{ApiKeyId, DocumentId},
    permission::{Scope, Standing},
    rules::CommitMessage,
    wire::PatchDocumentRequest,
};
use std::time::Duration;
use support::{Plan, World, insert};
use uuid::Uuid;
use wire::Wire;

fn key_of(world: &World, scopes: &[Scope]) -> Principal {
    let key = ApiKeyId(Uuid::from_u128(7));
    Principal::ApiKey(ApiKeyCaller { user: world.ada.user, key, scopes: scopes.to_vec() })
}

async fn connect(world: &World, who: &Principal, id: DocumentId) -> LiveConnection {
    world.services.documents.connect(who, id, Network::None).await.unwrap()
}

async fn refusal(world: &World, who: &Principal, id: DocumentId, from: Network) -> Error {
    let refused = world.services.documents.connect(who, id, from).await;
    refused.map(drop).unwrap_err()
}

async fn change(world: &World, id: DocumentId, change: PatchDocumentRequest) {
    let owner = world.owner(id).await;
    world.services.documents.change(&owner, &change).await.unwrap();
}

fn public(is_public: bool) -> PatchDocumentRequest {
    PatchDocumentRequest { is_public: Some(is_public), ..PatchDocumentRequest::default() }
}

fn title(title: &str) -> PatchDocumentRequest {
    PatchDocumentRequest { title: Some(title.to_owned()), ..PatchDocumentRequest::default() }
}

#[tokio::test]
async fn the_first_event_says_what_is_true_of_the_document() {
    let world = World::new().await;
    let id = world.create("text").await;
    let mut ada = Wire::of(connect(&world, &world.ada.into(), id).await);
    let event = ada.document().await;
    assert_eq!((event.title.as_str(), event.head_version), ("Plan", 0));
    assert_eq!((event.standing, event.news), (Standing::Owner, None));
}

#[tokio::test]
async fn a_stranger_and_an_anonymous_caller_learn_nothing() {
    let world = World::new().await;
    let id = world.create("text").await;
    let none = Network::None;
    assert!(matches!(refusal(&world, &world.bob.into(), id, none).await, Error::NotFound(_)));
    let anonymous = Principal::Anonymous;
    assert!(matches!(refusal(&world, &anonymous, id, none).await, Error::Unauthenticated));
    let writer = key_of(&world, &[Scope::Write]);
    assert!(matches!(refusal(&world, &writer, id, none).await, Error::ScopeMissing(Scope::Read)));
    assert_eq!(world.services.documents.connections(), 0);
}

#[tokio::test]
async fn posts_are_told_to_others_and_stored() {
    let world = World::new().await;
    let id = world.create("text").await;
    let ada = connect(&world, &world.ada.into(), id).await;
    let mut again = Wire::of(connect(&world, &world.ada.into(), id).await);
    let mut replica = world.replica(id).await;
    let delta = replica.edit(&[insert(0, "more ")]);
    let receipt = ada.poster().post(Some("op".to_owned()), delta.clone()).await.unwrap();
    let receipt = receipt.await.unwrap();
    assert_eq!((receipt.seq, receipt.pending), (1, false));
    let update = again.update().await;
    assert_eq!((update.seq, update.actor), (1, world.ada.user.into()));
    assert_eq!(world.text(id).await, "more text");
    let repeated = ada.poster().post(Some("op".to_owned()), delta).await.unwrap();
    assert_eq!(repeated.await.unwrap(), receipt);
    let long = "x".repeat(65);
    assert!(matches!(ada.poster().post(Some(long), vec![]).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_replica_learns_what_it_lacks_and_what_the_server_has() {
    let world = World::new().await;
    let id = world.create("text").await;
    let ada = connect(&world, &world.ada.into(), id).await;
    let whole = ada.poster().missing(vec![0]).await.unwrap();
    assert_eq!(whole.lineage, world.reader(id).await.row().lineage);
    let nothing = ada.poster().missing(whole.state_vector.clone()).await.unwrap();
    assert_eq!((nothing.delta.as_slice(), nothing.seq), ([0, 0].as_slice(), 0));
    let refused = ada.poster().missing(vec![9, 9]).await;
    assert!(matches!(refused, Err(Error::BadUpdate(_))), "{refused:?}");
}

#[tokio::test]
async fn readers_are_told_but_cannot_post() {
    let world = World::new().await;
    let id = world.create("text").await;
    change(&world, id, public(true)).await;
    let ada = connect(&world, &world.ada.into(), id).await;
    let reader = key_of(&world, &[Scope::Read]);
    for who in [Principal::Anonymous, world.bob.into(), reader] {
        let mut wire = Wire::of(connect(&world, &who, id).await);
        assert!(wire.poster.require_editor().is_err());
        let delta = world.replica(id).await.edit(&[insert(0, "x")]);
        let refused = wire.poster.post(None, delta).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
        let mut replica = world.replica(id).await;
        let posted = ada.poster().post(None, replica.edit(&[insert(0, "a")])).await.unwrap();
        posted.await.unwrap();
        wire.update().await;
    }
}

#[tokio::test]
async fn the_public_neither_sees_who_is_there_nor_is_seen() {
    let world = World::new().await;
    let id = world.create("text").await;
    change(&world, id, public(true)).await;
    let mut ada = Wire::of(connect(&world, &world.ada.into(), id).await);
    let mut public = Wire::of(connect(&world, &Principal::Anonymous, id).await);
    ada.poster.present(PresenceUpdate::new(1, 1, Some("{}".into()))).unwrap();
    public.poster.present(PresenceUpdate::new(2, 1, Some("{}".into()))).unwrap();
    assert_eq!(ada.presence().await.client, 1);
    // News do not name anybody to them either.
    change(&world, id, title("New")).await;
    let event = public.document_after(|event| event.title == "New").await;
    assert_eq!((event.standing, event.news), (Standing::Public, None));
    assert!(public.presences.is_empty());
    assert!(ada.presences.iter().all(|presence| presence.client == 1));
    let long = "x".repeat(LiveSettings::default().presence_bytes + 1);
    let refused = ada.poster.present(PresenceUpdate::new(1, 2, Some(long.into())));
    assert!(matches!(refused, Err(Error::TooLarge(_))), "{refused:?}");
}

#[tokio::test]
async fn a_commit_is_told_with_its_number_and_author() {
    let world = World::new().await;
    let id = world.create("text").await;
    let mut ada = Wire::of(connect(&world, &world.ada.into(), id).await);
    world.write(id, "more text").await;
    world.commit(id, "more").await.unwrap();
    let event = ada.document_after(|event| event.head_version == 1).await;
    let Some(DocumentNews::Committed { number, by }) = event.news else { panic!("{event:?}") };
    assert_eq!((number, by.username.as_str()), (1, "ada"));
}

#[tokio::test]
async fn a_restore_is_told_with_what_it_brings_back() {
    let world = World::new().await;
    let id = world.create("first").await;
    world.commit(id, "one").await.unwrap();
    let seq = world.reader(id).await.row().live_seq;
    world.write(id, "second").await;
    world.commit(id, "two").await.unwrap();
    let mut ada = Wire::of(connect(&world, &world.ada.into(), id).await);
    let (editor, versions) = (world.editor(id).await, &world.services.versions);
    // With a message of its own, which does not say that it is a restore.
    let message = CommitMessage::parse("Back").unwrap();
    versions.restore(&editor, 1, Some(message), RequestKey::none()).await.unwrap();
    let event = ada.document_after(|event| event.head_version == 3).await;
    let Some(DocumentNews::Restored { what, number, by }) = event.news else { panic!("{event:?}") };
    assert_eq!((what, number, by.username.as_str()), (Restored::Version(1), 3, "ada"));
    world.write(id, "fourth").await;
    world.commit(id, "four").await.unwrap();
    versions.restore_edit(&editor, seq, None, RequestKey::none()).await.unwrap();
    let event = ada.document_after(|event| event.head_version == 5).await;
    let Some(DocumentNews::Restored { what, .. }) = event.news else { panic!("{event:?}") };
    assert_eq!(what, Restored::Edit(seq));
}

#[tokio::test]
async fn a_new_title_is_told_with_who_gave_it() {
    let world = World::new().await;
    let id = world.create("text").await;
    let mut ada = Wire::of(connect(&world, &world.ada.into(), id).await);
    change(&world, id, title("New")).await;
    let event = ada.document_after(|event| event.title == "New").await;
    let Some(DocumentNews::Changed { by }) = event.news else { panic!("{event:?}") };
    assert_eq!(by.username, "ada");
    change(&world, id, public(true)).await;
    assert!(ada.document_after(|event| event.is_public).await.title == "New");
}

#[tokio::test]
async fn an_owner_too_leaves_a_document_in_the_trash() {
    let world = World::new().await;
    let id = world.create("text").await;
    let mut ada = Wire::of(connect(&world, &world.ada.into(), id).await);
    world.services.documents.trash(&world.owner(id).await).await.unwrap();
    assert!(ada.document_after(|event| event.deleted_at.is_some()).await.head_version == 0);
    assert_eq!(ada.closed().await, Closing::Trashed);
    assert!(ada.poster.require_editor().is_err());
    assert!(ada.poster.post(None, vec![0, 0]).await.is_err());
    let documents = &world.services.documents;
    let refused = documents.connect(&world.ada.into(), id, Network::None).await;
    assert!(matches!(refused, Err(Error::Trashed)), "{refused:?}");
    let back = PatchDocumentRequest { deleted: Some(false), ..PatchDocumentRequest::default() };
    change(&world, id, back).await;
    let ada = Wire::of(connect(&world, &world.ada.into(), id).await);
    assert!(ada.poster.require_editor().is_ok());
}

#[tokio::test]
async fn connections_are_limited_by_document_user_and_address() {
    let live = LiveSettings {
        seats_per_document: 4,
        seats_per_user: 2,
        seats_per_address: 3,
        ..LiveSettings::default()
    };
    let settings = Settings { live, ..Settings::default() };
    let world = World::with(Plan { settings, ..Plan::default() }).await;
    let id = world.create("text").await;
    change(&world, id, public(true)).await;
    let (here, there) = (Network::of_text("192.0.2.1"), Network::of_text("192.0.2.2"));
    let (ada, anonymous) = (world.ada.into(), Principal::Anonymous);
    let connect = async |who: &Principal, from| {
        world.services.documents.connect(who, id, from).await.unwrap()
    };
    let (first, _second) = (connect(&ada, here).await, connect(&ada, here).await);
    let refused = refusal(&world, &ada, id, there).await;
    assert!(matches!(refused, Error::RateLimited(_)), "{refused:?}");
    let _third = connect(&anonymous, here).await;
    let refused = refusal(&world, &anonymous, id, here).await;
    assert!(matches!(refused, Error::RateLimited(_)), "{refused:?}");
    let _fourth = connect(&anonymous, there).await;
    let refused = refusal(&world, &anonymous, id, there).await;
    assert!(matches!(refused, Error::Overloaded(_)), "{refused:?}");
    drop(first);
    let _again = connect(&ada, here).await;
    assert_eq!(world.services.documents.connections(), 4);
}

#[tokio::test]
async fn a_connection_that_is_dropped_leaves() {
    let world = World::new().await;
    let id = world.create("text").await;
    let ada = connect(&world, &world.ada.into(), id).await;
    let poster = ada.poster();
    drop(ada);
    let refused = poster.post(None, vec![0, 0]).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert!(poster.require_editor().is_err());
    assert_eq!(world.services.documents.connections(), 0);
    let mut connection = connect(&world, &world.ada.into(), id).await;
    let mut events = Vec::new();
    connection.events(&mut events).await;
    assert!(matches!(events.as_slice(), [SeatEvent::Document(_)]), "{events:?}");
    assert!(connection.events(&mut events).now_or_never().is_none());
}

#[tokio::test]
async fn a_shutdown_ends_connections() {
    let world = World::new().await;
    let id = world.create("text").await;
    let mut ada = Wire::of(connect(&world, &world.ada.into(), id).await);
    world.services.shut_down().await;
    assert_eq!(ada.closed().await, Closing::GoingAway);
    let refused = refusal(&world, &world.ada.into(), id, Network::None).await;
    assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
}
