use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{AuditEvent, SealedKey};
use uuid::Uuid;

suite!(
    the_key_added_last_comes_first,
    a_key_is_added_only_after_the_newest,
    of_nodes_that_add_the_first_key_one_succeeds,
);

fn key(n: u8) -> SealedKey {
    SealedKey { id: Uuid::from_u128(n.into()), sealed: vec![n; 40], signs_from: at(n.into()) }
}

fn created() -> AuditEvent {
    AuditEvent { action: "signing_key_created", ..event(1) }
}

async fn the_key_added_last_comes_first(store: &TestStore) {
    let keys = &store.relational.keys;
    assert_eq!(keys.list().await.unwrap(), []);
    // Ids and times in another order than that of adding.
    let (first, second, third) = (key(9), key(3), key(6));
    assert!(keys.add(&first, None, &[], &created()).await.unwrap());
    assert!(keys.add(&second, Some(first.id), &[], &created()).await.unwrap());
    assert_eq!(keys.list().await.unwrap(), [second.clone(), first.clone()]);
    assert!(keys.add(&third, Some(second.id), &[first.id], &created()).await.unwrap());
    assert_eq!(keys.list().await.unwrap(), [third, second]);
    assert_eq!(store.relational.audit.newest(9).await.unwrap().len(), 3);
}

async fn a_key_is_added_only_after_the_newest(store: &TestStore) {
    let keys = &store.relational.keys;
    assert!(!keys.add(&key(1), Some(key(2).id), &[], &created()).await.unwrap());
    assert!(keys.add(&key(1), None, &[], &created()).await.unwrap());
    assert!(!keys.add(&key(2), None, &[key(1).id], &created()).await.unwrap());
    assert_eq!(keys.list().await.unwrap(), [key(1)]);
    assert_eq!(store.relational.audit.newest(9).await.unwrap().len(), 1);
}

async fn of_nodes_that_add_the_first_key_one_succeeds(store: &TestStore) {
    let add = |n| {
        let keys = std::sync::Arc::clone(&store.relational.keys);
        tokio::spawn(async move { keys.add(&key(n), None, &[], &created()).await.unwrap() })
    };
    let mut added = 0;
    for adding in (1..=8).map(add).collect::<Vec<_>>() {
        added += u32::from(adding.await.unwrap());
    }
    assert_eq!((added, store.relational.keys.list().await.unwrap().len()), (1, 1));
}
