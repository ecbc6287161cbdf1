//! Rights: granting handles, and notifying their holders of changes.

#[path = "support/mod.rs"]
mod support;

use izanagi_domain::{
    accounts::Caller,
    error::Error,
    principal::{ApiKeyCaller, LinkCaller, Principal},
};
use izanagi_shared::{
    id::{ApiKeyId, ShareLinkId},
    permission::{Scope, Standing},
};
use support::World;
use uuid::Uuid;

fn key_of(caller: Caller, scopes: &[Scope]) -> Principal {
    let key = ApiKeyId(Uuid::from_u128(7));
    Principal::ApiKey(ApiKeyCaller { user: caller.user, key, scopes: scopes.to_vec() })
}

#[tokio::test]
async fn an_api_key_is_limited_to_its_scopes() {
    let world = World::new().await;
    let id = world.create("text").await;
    let documents = &world.services.documents;
    let reader = key_of(world.ada, &[Scope::Read]);
    assert_eq!(documents.for_reader(&reader, id).await.unwrap().standing(), Standing::Owner);
    let refused = documents.for_editor(&reader, id).await;
    assert!(matches!(refused, Err(Error::ScopeMissing(Scope::Write))), "{refused:?}");
    let writer = key_of(world.ada, &[Scope::Write]);
    assert!(documents.for_editor(&writer, id).await.is_ok());
    let refused = documents.for_reader(&writer, id).await;
    assert!(matches!(refused, Err(Error::ScopeMissing(Scope::Read))), "{refused:?}");
    // Documents of other users stay hidden, whatever the scopes.
    let stranger = key_of(world.bob, &[Scope::Read, Scope::Write, Scope::Admin]);
    assert!(matches!(documents.for_reader(&stranger, id).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn an_api_key_needs_the_admin_scope_to_change_owners() {
    let world = World::new().await;
    let id = world.create("text").await;
    let documents = &world.services.documents;
    let (ada, bob) = (world.ada.user, world.bob.user);
    let writer = key_of(world.ada, &[Scope::Write]);
    let owner = documents.for_owner(&writer, id).await.unwrap();
    for refused in
        [documents.add_owner(&owner, bob).await, documents.remove_owner(&owner, ada).await]
    {
        assert!(matches!(refused, Err(Error::ScopeMissing(Scope::Admin))), "{refused:?}");
    }
    let admin = key_of(world.ada, &[Scope::Write, Scope::Admin]);
    let owner = documents.for_owner(&admin, id).await.unwrap();
    documents.add_owner(&owner, bob).await.unwrap();
}

#[tokio::test]
async fn a_visitor_edits_every_document_but_not_in_the_trash() {
    let world = World::new().await;
    let id = world.create("text").await;
    let documents = &world.services.documents;
    let visitor = Principal::Visitor(world.bob.user);
    assert!(documents.for_editor(&visitor, id).await.is_ok());
    documents.trash(&world.owner(id).await).await.unwrap();
    for refused in [
        documents.for_reader(&visitor, id).await.map(drop),
        documents.for_editor(&visitor, id).await.map(drop),
    ] {
        assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn jobs_reach_every_document() {
    let world = World::new().await;
    let id = world.create("text").await;
    let reader = world.services.documents.for_reader(&Principal::Job("search"), id).await.unwrap();
    assert_eq!(reader.standing(), Standing::Owner);
}

#[tokio::test]
async fn an_unknown_link_opens_nothing() {
    let world = World::new().await;
    let document = world.create("text").await;
    let link = ShareLinkId(Uuid::from_u128(1));
    let bearer = Principal::ShareLink(LinkCaller { link, document });
    let refused = world.services.documents.for_reader(&bearer, document).await;
    assert!(matches!(refused, Err(Error::NotFound(_))), "{refused:?}");
}

#[tokio::test]
async fn the_etag_is_known_without_the_text() {
    use izanagi_storage::faulty::{Injector, wrap};
    let injector = Injector::quiet();
    let plan = support::Plan {
        wrap: Box::new({
            let injector = std::sync::Arc::clone(&injector);
            move |stores| wrap(stores, &injector)
        }),
        ..support::Plan::default()
    };
    let world = World::with(plan).await;
    let id = world.create("text").await;
    let reader = world.reader(id).await;
    let view = world.services.documents.view_with_content(&reader).await.unwrap();
    let before = injector.calls().len();
    assert_eq!(world.services.documents.etag(&reader).await.unwrap(), view.etag);
    let calls = &injector.calls()[before..];
    assert!(calls.is_empty(), "{calls:?}");
}
