//! Clock and random source, injected so that tests can control them.

use izanagi_shared::time::Timestamp;
use rand::Rng as _;
use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// A clock.
pub trait Clock: Send + Sync {
    /// Returns the current time in UTC. It can be set, so it may jump in both directions.
    fn now(&self) -> Timestamp;
    /// Returns the time since some moment before. It never goes back: for waits and limits within
    /// this process.
    fn uptime(&self) -> Duration;
}

/// A source of ids and random bytes.
pub trait Ids: Send + Sync {
    /// Returns a fresh UUIDv7 (RFC 9562).
    fn uuid(&self) -> Uuid;
    /// Fills the slice from a cryptographically secure source.
    fn fill(&self, bytes: &mut [u8]);
}

/// The system clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    // The only place that reads the system clock; all other code uses the injected one.
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    fn uptime(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// The system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    fn uuid(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
