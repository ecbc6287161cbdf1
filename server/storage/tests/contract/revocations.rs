use crate::{fixtures::*, provider::TestStore};
use izanagi_shared::id::SessionId;

suite!(with_redis:
    a_revocation_lasts_until_its_expiry,
    a_later_revocation_never_shortens_an_earlier_one,
    expired_revocations_are_removed,
);

async fn a_revocation_lasts_until_its_expiry(store: &TestStore) {
    let session = SessionId(fresh_uuid());
    assert_eq!(store.revocations.is_revoked(session).await, Ok(false));
    store.revocations.revoke(session, at(100)).await.unwrap();
    store.clock.set(at(99));
    assert_eq!(store.revocations.is_revoked(session).await, Ok(true));
    store.clock.set(at(100));
    assert_eq!(store.revocations.is_revoked(session).await, Ok(false));
}

async fn a_later_revocation_never_shortens_an_earlier_one(store: &TestStore) {
    let session = SessionId(fresh_uuid());
    for until in [100, 50, 200, 150] {
        store.revocations.revoke(session, at(until)).await.unwrap();
    }
    store.clock.set(at(199));
    assert_eq!(store.revocations.is_revoked(session).await, Ok(true));
}

async fn expired_revocations_are_removed(store: &TestStore) {
    let (over, lasting) = (SessionId(fresh_uuid()), SessionId(fresh_uuid()));
    store.revocations.revoke(over, at(10)).await.unwrap();
    store.revocations.revoke(lasting, at(20)).await.unwrap();
    store.revocations.forget(at(15)).await.unwrap();
    assert_eq!(store.revocations.is_revoked(over).await, Ok(false));
    assert_eq!(store.revocations.is_revoked(lasting).await, Ok(true));
}
