//! Signing keys that all nodes take from the relational store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    accounts::{ACCESS_LIFETIME, ACTIVE_AFTER, KeySet, SharedKeys, SharedKeysError, SigningKey},
    sealing::Sealer,
    storage::{Clock, KeyStore, SystemIds},
};
use izanagi_shared::rules::Secret;
use izanagi_storage::faulty::{Fault, Faulty, Injector};
use std::{sync::Arc, time::Duration};
use support::World;

fn node_with(world: &World, store: Arc<dyn KeyStore>, secret: &str) -> SharedKeys {
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let sealer = Sealer::new(Secret::new(secret), []);
    SharedKeys::new(store, sealer, clock, Arc::new(SystemIds), None)
}

fn node(world: &World) -> SharedKeys {
    node_with(world, Arc::clone(&world.stores.relational.keys), "secret")
}

fn pem(key: &SigningKey) -> String {
    key.for_storage().to_owned()
}

fn knows(set: &KeySet, key: &SigningKey) -> bool {
    std::iter::once(&set.current).chain(&set.others).any(|known| pem(known) == pem(key))
}

#[tokio::test]
async fn nodes_that_start_together_use_one_key() {
    let world = World::new().await;
    let (one, other) = (node(&world), node(&world));
    let (one, other) = tokio::join!(one.load(), other.load());
    assert_eq!(pem(&one.unwrap().current), pem(&other.unwrap().current));
    let stored = world.stores.relational.keys.list().await.unwrap();
    assert_eq!(stored.len(), 1);
    let is_readable = stored[0].sealed.windows(7).any(|part| part == b"PRIVATE");
    assert!(!is_readable, "keys are stored encrypted");
}

#[tokio::test]
async fn a_new_key_verifies_on_every_node_before_one_signs_with_it() {
    let world = World::new().await;
    let (here, there) = (node(&world), node(&world));
    let old = here.load().await.unwrap().current;
    let signs_from = here.rotate().await.unwrap();
    assert!(signs_from <= world.clock.now().plus(ACTIVE_AFTER));
    let between = there.load().await.unwrap();
    assert_eq!((pem(&between.current), between.others.len()), (pem(&old), 1));
    world.clock.advance(ACTIVE_AFTER);
    let after = there.load().await.unwrap();
    assert_eq!(pem(&after.current), pem(&between.others[0]));
    assert!(knows(&after, &old), "its tokens are still valid");
}

#[tokio::test]
async fn a_key_goes_once_its_tokens_have_expired_and_rotations_are_bounded() {
    let world = World::new().await;
    let node = node(&world);
    let first = node.load().await.unwrap().current;
    for _ in 0..7 {
        node.rotate().await.unwrap();
    }
    assert!(matches!(node.rotate().await, Err(SharedKeysError::TooManyRotations)));
    assert!(knows(&node.load().await.unwrap(), &first));
    world.clock.advance(ACTIVE_AFTER + 2 * ACCESS_LIFETIME + Duration::from_secs(1));
    node.rotate().await.unwrap();
    let set = node.load().await.unwrap();
    assert!(!knows(&set, &first));
    assert_eq!(set.others.len(), 1);
}

#[tokio::test]
async fn another_secret_is_refused_and_changes_nothing() {
    let world = World::new().await;
    node(&world).load().await.unwrap();
    let stored = world.stores.relational.keys.list().await.unwrap();
    let other = node_with(&world, Arc::clone(&world.stores.relational.keys), "other");
    assert!(matches!(other.load().await, Err(SharedKeysError::WrongSecret)));
    assert!(matches!(other.rotate().await, Err(SharedKeysError::WrongSecret)));
    assert_eq!(world.stores.relational.keys.list().await.unwrap(), stored);
}

#[tokio::test]
async fn a_lost_reply_neither_loses_nor_doubles_a_key() {
    let world = World::new().await;
    // Each lists, then adds.
    for expected in [1, 2] {
        let injector = Injector::nth(1, Fault::LostReply);
        let store = Arc::new(Faulty::new(Arc::clone(&world.stores.relational.keys), &injector));
        let node = node_with(&world, store, "secret");
        if expected == 1 {
            node.load().await.unwrap();
        } else {
            node.rotate().await.unwrap();
        }
        assert_eq!(injector.fired().map(|call| call.method), Some("add"));
        assert_eq!(world.stores.relational.keys.list().await.unwrap().len(), expected);
    }
}
