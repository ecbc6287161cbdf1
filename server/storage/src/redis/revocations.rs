//! Revocations in Redis, which is never the truth: what says that a session is alive is believed for
//! a few seconds only, and without an answer the relational database decides. So a Redis that is dead,
//! has lost its data or evicted a key makes this slower, never open.

use super::{
    config::RedisPlace,
    connection::{Connection, Trouble},
};
use async_trait::async_trait;
use izanagi_domain::{
    log_rate::LogRate,
    storage::{Clock, RevocationStore, StoreResult},
};
use izanagi_shared::{id::SessionId, time::Timestamp};
use redis::{Script, cmd, pipe};
use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// A call takes at most this long; then the database is asked.
const LIMIT: Duration = Duration::from_millis(50);
/// How long the other nodes believe that a session is alive if they cannot be told of its end.
const ALIVE_FOR: Duration = Duration::from_secs(2);
/// Keys stay this much longer than needed, for nodes whose clocks are behind.
const SLACK: Duration = Duration::from_secs(60);
/// Value of a session that is not revoked.
const ALIVE: &str = "alive";

static UNWRITTEN: LazyLock<LogRate> = LazyLock::new(LogRate::default);

/// Keeps the later of two ends. A value of another type is replaced.
static REVOKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local old = redis.pcall('GET', KEYS[1]) \
         local known = type(old) == 'string' and string.match(old, '^revoked:(%-?%d+)$') \
         if known and tonumber(known) >= tonumber(ARGV[1]) then return 0 end \
         redis.call('SET', KEYS[1], 'revoked:' .. ARGV[1], 'PX', ARGV[2]) \
         return 1",
    )
});

/// Revocations with a fast copy in Redis.
pub(crate) struct RedisRevocations {
    pub(super) redis: Arc<Connection>,
    pub(super) place: RedisPlace,
    /// The truth.
    pub(super) truth: Arc<dyn RevocationStore>,
    pub(super) clock: Arc<dyn Clock>,
    /// Revocations that end before this are forgotten, in microseconds.
    pub(super) forgotten: AtomicI64,
}

/// What a key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Alive,
    Revoked(Timestamp),
}

impl Mark {
    fn parse(value: &str) -> Option<Self> {
        if value == ALIVE {
            return Some(Self::Alive);
        }
        let until = value.strip_prefix("revoked:")?.parse().ok()?;
        Some(Self::Revoked(Timestamp::from_micros(until)))
    }
}

impl RedisRevocations {
    fn key(&self, session: SessionId) -> String {
        self.place.key(format_args!("session:{session}"))
    }

    async fn read(&self, key: &str) -> Result<Option<Mark>, Trouble> {
        let value: Option<String> = self
            .redis
            .run(
                LIMIT,
                |mut redis| async move { cmd("GET").arg(key).query_async(&mut redis).await },
            )
            .await?;
        Ok(value.as_deref().and_then(Mark::parse))
    }

    /// Notes that a session is alive, unless something has been noted meanwhile; returns what is noted.
    async fn note_alive(&self, key: &str) -> Result<Option<Mark>, Trouble> {
        let alive_for = ALIVE_FOR.as_millis();
        let (value,): (Option<String>,) = self
            .redis
            .run(LIMIT, |mut redis| async move {
                let mut both = pipe();
                both.cmd("SET").arg(key).arg(ALIVE).arg("NX").arg("PX").arg(alive_for as u64);
                both.ignore().cmd("GET").arg(key).query_async(&mut redis).await
            })
            .await?;
        Ok(value.as_deref().and_then(Mark::parse))
    }

    async fn write(&self, key: &str, until: Timestamp) -> Result<(), Trouble> {
        let ttl = (until.since(self.clock.now()) + SLACK).as_millis();
        let mut revoke = REVOKE.prepare_invoke();
        revoke.key(key).arg(until.as_micros()).arg(u64::try_from(ttl).unwrap_or(u64::MAX / 4));
        let written = self
            .redis
            .run(LIMIT, |mut redis| async move { revoke.invoke_async::<()>(&mut redis).await });
        if written.await.is_ok() {
            return Ok(());
        }
        // A full Redis still deletes, and then everyone asks the database.
        self.redis
            .run(
                LIMIT,
                |mut redis| async move { cmd("DEL").arg(key).query_async(&mut redis).await },
            )
            .await
    }

    fn holds(&self, until: Timestamp) -> bool {
        until > self.clock.now() && until.as_micros() >= self.forgotten.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl RevocationStore for RedisRevocations {
    async fn revoke(&self, session: SessionId, until: Timestamp) -> StoreResult<()> {
        self.truth.revoke(session, until).await?;
        if let Err(error) = self.write(&self.key(session), until).await
            && let Some(omitted) = UNWRITTEN.admit()
        {
            tracing::warn!(%error, omitted, "Redis was not told of a revocation; other nodes learn of it within {ALIVE_FOR:?}");
        }
        Ok(())
    }

    async fn is_revoked(&self, session: SessionId) -> StoreResult<bool> {
        let key = self.key(session);
        match self.read(&key).await {
            Ok(Some(Mark::Alive)) => return Ok(false),
            Ok(Some(Mark::Revoked(until))) if self.holds(until) => return Ok(true),
            Ok(_) => {}
            Err(_) => return self.truth.is_revoked(session).await,
        }
        if self.truth.is_revoked(session).await? {
            return Ok(true);
        }
        // If it was revoked since the database was asked, the key says so.
        let noted = self.note_alive(&key).await;
        Ok(matches!(noted, Ok(Some(Mark::Revoked(until))) if self.holds(until)))
    }

    /// Redis forgets by itself.
    async fn forget(&self, before: Timestamp) -> StoreResult<()> {
        self.forgotten.fetch_max(before.as_micros(), Ordering::Relaxed);
        self.truth.forget(before).await
    }
}
