//! Rate limits of all nodes (GCRA), by the clock of the Redis server: nodes whose clocks differ still
//! count together.

use super::{config::RedisPlace, connection::Connection};
use async_trait::async_trait;
use izanagi_domain::storage::{Allowance, Counted, Counters};
use redis::Script;
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

/// A call takes at most this long; then the node counts alone.
const LIMIT: Duration = Duration::from_millis(5);

/// The value is the time, in microseconds, at which the burst is whole again. What is no such time, or
/// too far ahead, is replaced. Returns the microseconds to wait, 0 if the request is admitted.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local time = redis.call('TIME') \
         local now = time[1] * 1000000 + time[2] \
         local every, burst = tonumber(ARGV[1]), tonumber(ARGV[2]) \
         local whole = redis.pcall('GET', KEYS[1]) \
         whole = type(whole) == 'string' and tonumber(whole) or now \
         whole = math.min(math.max(whole, now), now + every * burst) + every \
         local wait = whole - now - every * burst \
         if wait > 0 then return wait end \
         local ttl = math.ceil((whole - now) / 1000) \
         redis.call('SET', KEYS[1], string.format('%.0f', whole), 'PX', ttl) \
         return 0",
    )
});

/// Counters in Redis.
pub(crate) struct RedisCounters {
    pub(super) redis: Arc<Connection>,
    pub(super) place: RedisPlace,
}

#[async_trait]
impl Counters for RedisCounters {
    async fn count(&self, key: &str, allowance: Allowance) -> Option<Counted> {
        let every = u64::try_from(allowance.every.as_micros()).ok()?.max(1);
        let mut count = COUNT.prepare_invoke();
        count.key(self.place.key(format_args!("ratelimit:{key}")));
        count.arg(every).arg(allowance.burst);
        let counted = self
            .redis
            .run(LIMIT, |mut redis| async move { count.invoke_async::<u64>(&mut redis).await });
        Some(match counted.await.ok()? {
            0 => Counted::Admitted,
            wait => Counted::Refused(Duration::from_micros(wait)),
        })
    }
}
