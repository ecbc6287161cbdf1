//! Rate limits, counted in the process alone or by all nodes together.

use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::{
    accounts::{LimitSettings, Limits, Rate},
    error::Error,
    storage::{Clock, SystemClock},
};
use izanagi_shared::id::UserId;
use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

suite!(with_redis:
    a_burst_is_admitted_and_then_one_by_one,
    each_caller_is_counted_alone,
    nodes_count_together_if_they_share,
);

pub(crate) fn limits(store: &TestStore, per: Duration, burst: u32) -> Limits {
    let one = NonZeroU32::MIN;
    let rate = Rate { count: one, per, burst: NonZeroU32::new(burst).unwrap() };
    let settings = LimitSettings { writes: rate, ..LimitSettings::default() };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Limits::new(settings, clock, store.counters.clone()).unwrap()
}

pub(crate) async fn wait_of(limits: &Limits, user: UserId) -> Option<Duration> {
    match limits.write(Some(user), "").await {
        Ok(()) => None,
        Err(Error::RateLimited(wait)) => Some(wait),
        Err(error) => panic!("{error:?}"),
    }
}

async fn a_burst_is_admitted_and_then_one_by_one(store: &TestStore) {
    let (every, user) = (Duration::from_millis(400), UserId(fresh_uuid()));
    let limits = limits(store, every, 5);
    let begun = Instant::now();
    let mut admitted = 0;
    while admitted < 8 {
        match wait_of(&limits, user).await {
            None => admitted += 1,
            Some(wait) => assert!(wait <= every, "{wait:?}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
    assert!(begun.elapsed() >= every * 3 - Duration::from_millis(20), "{:?}", begun.elapsed());
}

async fn each_caller_is_counted_alone(store: &TestStore) {
    let limits = limits(store, Duration::from_secs(60), 2);
    for user in [(); 3].map(|()| UserId(fresh_uuid())) {
        let waits = [wait_of(&limits, user).await, wait_of(&limits, user).await];
        assert_eq!(waits, [None, None]);
        assert!(wait_of(&limits, user).await.is_some());
    }
}

async fn nodes_count_together_if_they_share(store: &TestStore) {
    let user = UserId(fresh_uuid());
    let nodes = [(); 2].map(|()| limits(store, Duration::from_secs(60), 10));
    let mut admitted = 0;
    for _ in 0..20 {
        for node in &nodes {
            admitted += u32::from(wait_of(node, user).await.is_none());
        }
    }
    // A node that Redis answers late counts alone for that request.
    let together = if store.counters.is_some() { 10..15 } else { 20..21 };
    assert!(together.contains(&admitted), "{admitted}");
}
