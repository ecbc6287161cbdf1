use crate::{fixtures::*, provider::TestStore};
use bytes::Bytes;
use std::time::{Duration, Instant};

suite!(with_redis:
    a_value_stays_until_it_is_removed_or_replaced,
    a_value_ends_by_itself,
    what_is_too_large_is_not_kept,
);

const LONG: Duration = Duration::from_secs(60);

async fn a_value_stays_until_it_is_removed_or_replaced(store: &TestStore) {
    let key = format!("key:{}", fresh());
    assert_eq!(store.cache.get(&key).await, None);
    for value in [vec![], vec![0, 255, 13, 10], vec![7; 100_000]] {
        let value = Bytes::from(value);
        store.cache.put(&key, value.clone(), LONG).await;
        assert_eq!(store.cache.get(&key).await, Some(value));
    }
    store.cache.remove(&key).await;
    store.cache.remove(&key).await;
    assert_eq!(store.cache.get(&key).await, None);
}

async fn a_value_ends_by_itself(store: &TestStore) {
    let key = format!("key:{}", fresh());
    store.cache.put(&key, Bytes::from_static(b"x"), Duration::from_millis(300)).await;
    let begun = Instant::now();
    while store.cache.get(&key).await.is_some() {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    store.cache.put(&key, Bytes::from_static(b"x"), Duration::ZERO).await;
    assert_eq!(store.cache.get(&key).await, None);
}

async fn what_is_too_large_is_not_kept(store: &TestStore) {
    let key = format!("key:{}", fresh());
    store.cache.put(&key, Bytes::from_static(b"old"), LONG).await;
    store.cache.put(&key, vec![0; 5 * 1024 * 1024].into(), LONG).await;
    assert_eq!(store.cache.get(&key).await, None, "the old value is not true any more");
}
