//! Rate limits (PRODUCT O6, DESIGN §10): GCRA from the crate `governor`, on the injected clock,
//! which does not go back when the system's time is set.

use crate::{
    error::{Error, Result},
    storage::Clock,
};
use governor::{
    NotUntil, Quota, RateLimiter,
    clock::{Clock as GovernorClock, Reference},
    middleware::NoOpMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use izanagi_shared::id::UserId;
use std::{hash::Hash, num::NonZeroU32, sync::Arc, time::Duration};

/// A rate: `count` requests per period, with a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per period.
    pub count: NonZeroU32,
    /// The period.
    pub per: Duration,
    /// Maximum burst.
    pub burst: NonZeroU32,
}

impl Rate {
    const fn new(count: u32, per: Duration, burst: u32) -> Self {
        const fn at_least_one(n: u32) -> NonZeroU32 {
            match NonZeroU32::new(n) {
                Some(n) => n,
                None => NonZeroU32::MIN,
            }
        }
        Self { count: at_least_one(count), per, burst: at_least_one(burst) }
    }

    fn quota(self) -> Option<Quota> {
        Quota::with_period(self.per / self.count.get()).map(|quota| quota.allow_burst(self.burst))
    }
}

/// Rate limits (DESIGN §10); all of them are configurable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// Sign-ins per account and address.
    pub sign_in: Rate,
    /// Sign-ups per address.
    pub sign_up: Rate,
    /// Writes per user.
    pub writes: Rate,
    /// Reads per user.
    pub reads: Rate,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            sign_in: Rate::new(10, Duration::from_secs(60), 10),
            sign_up: Rate::new(20, Duration::from_secs(3_600), 20),
            writes: Rate::new(50, second, 2_000),
            reads: Rate::new(200, second, 2_000),
        }
    }
}

#[derive(Clone)]
struct LimitClock(Arc<dyn Clock>);

impl GovernorClock for LimitClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.uptime()
    }
}

type Keyed<K> = RateLimiter<K, DefaultKeyedStateStore<K>, LimitClock, NoOpMiddleware<Duration>>;

/// Counts requests and refuses those above the limit.
#[derive(Clone)]
pub struct Limits {
    clock: LimitClock,
    sign_in: Arc<Keyed<(String, String)>>,
    sign_up: Arc<Keyed<String>>,
    writes: Arc<Keyed<String>>,
    reads: Arc<Keyed<String>>,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

impl Limits {
    /// Creates limits with these rates on this clock.
    ///
    /// # Errors
    /// A period is zero.
    pub fn new(settings: LimitSettings, clock: Arc<dyn Clock>) -> Result<Self> {
        let clock = LimitClock(clock);
        Ok(Self {
            sign_in: keyed(settings.sign_in, &clock)?,
            sign_up: keyed(settings.sign_up, &clock)?,
            writes: keyed(settings.writes, &clock)?,
            reads: keyed(settings.reads, &clock)?,
            clock,
        })
    }

    /// Counts a sign-in to `login` from `ip`.
    ///
    /// # Errors
    /// `RateLimited` with the time to wait.
    pub fn sign_in(&self, login: &str, ip: &str) -> Result<()> {
        self.check(&self.sign_in, &(login.trim().to_lowercase(), ip.to_owned()))
    }

    /// Counts a sign-up from `ip`.
    ///
    /// # Errors
    /// `RateLimited`.
    pub(super) fn sign_up(&self, ip: &str) -> Result<()> {
        self.check(&self.sign_up, &ip.to_owned())
    }

    /// Counts a write by a user, or by an anonymous caller from `ip`.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn write(&self, user: Option<UserId>, ip: &str) -> Result<()> {
        self.check(&self.writes, &who(user, ip))
    }

    /// Counts a read by a user, or by an anonymous caller from `ip`.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn read(&self, user: Option<UserId>, ip: &str) -> Result<()> {
        self.check(&self.reads, &who(user, ip))
    }

    /// Drops entries that are back at a full burst.
    pub fn forget_idle(&self) {
        self.sign_in.retain_recent();
        self.sign_up.retain_recent();
        self.writes.retain_recent();
        self.reads.retain_recent();
    }

    fn check<K: Hash + Eq + Clone>(&self, limiter: &Keyed<K>, key: &K) -> Result<()> {
        limiter.check_key(key).map_err(|not_until: NotUntil<Duration>| {
            let wait = not_until.earliest_possible().duration_since(self.clock.now());
            Error::RateLimited(wait.into())
        })
    }
}

fn keyed<K: Hash + Eq + Clone>(rate: Rate, clock: &LimitClock) -> Result<Arc<Keyed<K>>> {
    let quota = rate.quota().ok_or_else(|| Error::internal("a rate limit has no period"))?;
    Ok(Arc::new(RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone())))
}

fn who(user: Option<UserId>, ip: &str) -> String {
    user.map_or_else(|| ip.to_owned(), |user| user.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::time::Timestamp;
    use parking_lot::Mutex;

    /// A clock whose time of day jumps back with every look.
    #[derive(Default)]
    struct Hand(Mutex<(i64, Duration)>);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            let mut hand = self.0.lock();
            hand.0 -= 3_600_000_000;
            Timestamp::from_micros(hand.0)
        }

        fn uptime(&self) -> Duration {
            self.0.lock().1
        }
    }

    #[test]
    fn the_eleventh_sign_in_of_a_minute_waits_and_others_do_not() {
        let clock = Arc::new(Hand::default());
        let limits = Limits::new(LimitSettings::default(), clock.clone()).unwrap();
        for _ in 0..10 {
            limits.sign_in("ada", "::1").unwrap();
        }
        let Error::RateLimited(wait) = limits.sign_in(" ADA", "::1").unwrap_err() else {
            panic!("another error");
        };
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(6), "{wait:?}");
        limits.sign_in("ada", "::2").unwrap();
        limits.sign_in("bob", "::1").unwrap();
        clock.0.lock().1 += wait;
        limits.sign_in("ada", "::1").unwrap();
    }
}
