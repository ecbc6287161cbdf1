//! The cache in Redis.

use super::{config::RedisPlace, connection::Connection};
use async_trait::async_trait;
use bytes::Bytes;
use izanagi_domain::storage::Cache;
use redis::cmd;
use std::{sync::Arc, time::Duration};

/// A call takes at most this long; then the value is computed again.
const LIMIT: Duration = Duration::from_millis(50);
/// Larger values are not kept.
const LARGEST: usize = 4 * 1024 * 1024;

/// A cache in Redis.
pub(crate) struct RedisCache {
    pub(super) redis: Arc<Connection>,
    pub(super) place: RedisPlace,
}

impl RedisCache {
    fn key(&self, key: &str) -> String {
        self.place.key(key)
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, key: &str) -> Option<Bytes> {
        let key = self.key(key);
        let value = self.redis.run(LIMIT, |mut redis| async move {
            cmd("GET").arg(key).query_async::<Option<Vec<u8>>>(&mut redis).await
        });
        value.await.ok().flatten().map(Bytes::from)
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        let ttl = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX / 4);
        if value.len() > LARGEST || ttl == 0 {
            return self.remove(key).await;
        }
        let key = self.key(key);
        let put = self.redis.run(LIMIT, |mut redis| async move {
            let mut set = cmd("SET");
            set.arg(key).arg(&value[..]).arg("PX").arg(ttl);
            set.query_async::<()>(&mut redis).await
        });
        if let Err(error) = put.await {
            tracing::debug!(%error, "a value was not cached");
        }
    }

    async fn remove(&self, key: &str) {
        let key = self.key(key);
        let removed = self.redis.run(LIMIT, |mut redis| async move {
            cmd("DEL").arg(key).query_async::<()>(&mut redis).await
        });
        drop(removed.await);
    }

    fn is_shared(&self) -> bool {
        true
    }
}
