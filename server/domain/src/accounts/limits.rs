//! Rate limits (PRODUCT O6, DESIGN §10): GCRA from the crate `governor`, on the injected clock,
//! which does not go back when the system's time is set. Several nodes also count together, where that
//! is configured; what a node counts itself holds while they cannot.

use super::Network;
use crate::{
    error::{Error, Result},
    hash::sha256,
    storage::{Allowance, Clock, Counted, Counters},
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

    fn allowance(self) -> Allowance {
        Allowance { every: self.per / self.count.get(), burst: self.burst.get() }
    }

    fn quota(self) -> Option<Quota> {
        Quota::with_period(self.per / self.count.get()).map(|quota| quota.allow_burst(self.burst))
    }
}

/// Rate limits (DESIGN §10); all of them are configurable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// Sign-ins per account and network.
    pub sign_in: Rate,
    /// Sign-ins per account from all networks it has not signed in from.
    pub sign_in_unknown: Rate,
    /// Sign-ins per network, to any account.
    pub sign_in_address: Rate,
    /// Sign-ups per network.
    pub sign_up: Rate,
    /// Writes per user, or per network of an anonymous caller.
    pub writes: Rate,
    /// Reads per user, or per network of an anonymous caller.
    pub reads: Rate,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        Self {
            sign_in: Rate::new(10, minute, 10),
            sign_in_unknown: Rate::new(30, minute, 30),
            sign_in_address: Rate::new(60, minute, 60),
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

type Governor<K> = RateLimiter<K, DefaultKeyedStateStore<K>, LimitClock, NoOpMiddleware<Duration>>;

/// One limit.
struct Keyed<K: Hash + Eq + Clone> {
    /// Its name among the shared counters.
    name: &'static str,
    allowance: Allowance,
    own: Governor<K>,
}

/// What a limit counts by, for the shared counters. Short: an id, an address in hex,
/// or the hash of a name.
trait CountedBy: Hash + Eq + Clone + Sync {
    fn shared_key(&self) -> String;
}

/// What a sign-in is counted to. Username and email of an account count together, or a guesser would
/// have twice the attempts; so a refusal does reveal to those who use up the limit with one that the
/// other belongs to the same account. A name without an account is counted too, so that a refusal
/// of one name does not reveal whether it has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum SignInTo {
    /// An account.
    Account(UserId),
    /// A name, folded, without an account.
    Name(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    User(UserId),
    Anonymous(Network),
}

impl CountedBy for Network {
    fn shared_key(&self) -> String {
        match self {
            Self::V4(address) => hex::encode(address),
            Self::V6(address) => hex::encode(address),
            Self::None => "none".to_owned(),
        }
    }
}

impl CountedBy for Who {
    fn shared_key(&self) -> String {
        match self {
            Self::User(user) => user.to_string(),
            Self::Anonymous(network) => network.shared_key(),
        }
    }
}

impl CountedBy for SignInTo {
    fn shared_key(&self) -> String {
        match self {
            Self::Account(user) => user.to_string(),
            Self::Name(name) => hex::encode(sha256(name)),
        }
    }
}

impl CountedBy for (SignInTo, Network) {
    fn shared_key(&self) -> String {
        format!("{}:{}", self.0.shared_key(), self.1.shared_key())
    }
}

/// Counts requests and refuses those above the limit.
#[derive(Clone)]
pub struct Limits {
    clock: LimitClock,
    shared: Option<Arc<dyn Counters>>,
    sign_in: Arc<Keyed<(SignInTo, Network)>>,
    sign_in_unknown: Arc<Keyed<SignInTo>>,
    sign_in_address: Arc<Keyed<Network>>,
    sign_up: Arc<Keyed<Network>>,
    writes: Arc<Keyed<Who>>,
    reads: Arc<Keyed<Who>>,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

impl Limits {
    /// Creates limits with these rates on this clock. Nodes with the same `shared` counters count
    /// together.
    ///
    /// # Errors
    /// A period is zero.
    pub fn new(
        settings: LimitSettings,
        clock: Arc<dyn Clock>,
        shared: Option<Arc<dyn Counters>>,
    ) -> Result<Self> {
        let clock = LimitClock(clock);
        Ok(Self {
            sign_in: keyed("sign-in", settings.sign_in, &clock)?,
            sign_in_unknown: keyed("sign-in-unknown", settings.sign_in_unknown, &clock)?,
            sign_in_address: keyed("sign-in-address", settings.sign_in_address, &clock)?,
            sign_up: keyed("sign-up", settings.sign_up, &clock)?,
            writes: keyed("writes", settings.writes, &clock)?,
            reads: keyed("reads", settings.reads, &clock)?,
            clock,
            shared,
        })
    }

    /// Counts a sign-in from `ip` to any account. This is the first check: it bounds how often
    /// the others look up an account.
    ///
    /// # Errors
    /// `RateLimited` with the time to wait.
    pub(super) async fn sign_in_from(&self, ip: &str) -> Result<()> {
        self.check(&self.sign_in_address, &Network::of_text(ip)).await
    }

    /// Counts a sign-in from `ip` to an account. `is_known` if it has signed in from there: then
    /// attempts from other networks do not count, and nobody elsewhere can keep its user out.
    ///
    /// # Errors
    /// `RateLimited` with the time to wait.
    pub(super) async fn sign_in(&self, to: &SignInTo, ip: &str, is_known: bool) -> Result<()> {
        self.check(&self.sign_in, &(to.clone(), Network::of_text(ip))).await?;
        if is_known { Ok(()) } else { self.check(&self.sign_in_unknown, to).await }
    }

    /// Counts a sign-up from `ip`.
    ///
    /// # Errors
    /// `RateLimited`.
    pub(super) async fn sign_up(&self, ip: &str) -> Result<()> {
        self.check(&self.sign_up, &Network::of_text(ip)).await
    }

    /// Counts a write by a user, or by an anonymous caller from `ip`.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn write(&self, user: Option<UserId>, ip: &str) -> Result<()> {
        self.check(&self.writes, &who(user, ip)).await
    }

    /// Counts a read by a user, or by an anonymous caller from `ip`.
    ///
    /// # Errors
    /// `RateLimited`.
    pub async fn read(&self, user: Option<UserId>, ip: &str) -> Result<()> {
        self.check(&self.reads, &who(user, ip)).await
    }

    /// Drops entries that are back at a full burst.
    pub fn forget_idle(&self) {
        self.sign_in.own.retain_recent();
        self.sign_in_unknown.own.retain_recent();
        self.sign_in_address.own.retain_recent();
        self.sign_up.own.retain_recent();
        self.writes.own.retain_recent();
        self.reads.own.retain_recent();
    }

    async fn check<K: CountedBy>(&self, limit: &Keyed<K>, key: &K) -> Result<()> {
        limit.own.check_key(key).map_err(|not_until: NotUntil<Duration>| {
            let wait = not_until.earliest_possible().duration_since(self.clock.now());
            Error::RateLimited(wait.into())
        })?;
        let Some(shared) = &self.shared else { return Ok(()) };
        let key = format!("{}:{}", key.shared_key(), limit.name);
        match shared.count(&key, limit.allowance).await {
            Some(Counted::Refused(wait)) => Err(Error::RateLimited(wait)),
            Some(Counted::Admitted) | None => Ok(()),
        }
    }
}

fn keyed<K: Hash + Eq + Clone>(
    name: &'static str,
    rate: Rate,
    clock: &LimitClock,
) -> Result<Arc<Keyed<K>>> {
    let quota = rate.quota().ok_or_else(|| Error::internal("a rate limit has no period"))?;
    let own = RateLimiter::new(quota, DefaultKeyedStateStore::default(), clock.clone());
    Ok(Arc::new(Keyed { name, allowance: rate.allowance(), own }))
}

fn who(user: Option<UserId>, ip: &str) -> Who {
    user.map_or_else(|| Who::Anonymous(Network::of_text(ip)), Who::User)
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

    fn limits() -> (Arc<Hand>, Limits) {
        let clock = Arc::new(Hand::default());
        (clock.clone(), Limits::new(LimitSettings::default(), clock, None).unwrap())
    }

    fn named(name: &str) -> SignInTo {
        SignInTo::Name(name.to_owned())
    }

    #[tokio::test]
    async fn the_eleventh_sign_in_of_a_minute_waits_and_others_do_not() {
        let (clock, limits) = limits();
        let sign_in = async |name: &str, ip: &str| limits.sign_in(&named(name), ip, true).await;
        for _ in 0..10 {
            sign_in("ada", "2001:db8::1").await.unwrap();
        }
        // Another address of the same /64.
        let Error::RateLimited(wait) = sign_in("ada", "2001:db8::2").await.unwrap_err() else {
            panic!("another error");
        };
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(6), "{wait:?}");
        sign_in("ada", "2001:db8:0:1::1").await.unwrap();
        sign_in("bob", "2001:db8::1").await.unwrap();
        clock.0.lock().1 += wait;
        sign_in("ada", "2001:db8::1").await.unwrap();
    }

    #[tokio::test]
    async fn attempts_from_many_unknown_networks_leave_the_known_ones_alone() {
        let (_, limits) = limits();
        let unknown =
            async |n: u8| limits.sign_in(&named("ada"), &format!("192.0.2.{n}"), false).await;
        for n in 0..30 {
            unknown(n).await.unwrap();
        }
        assert!(matches!(unknown(30).await, Err(Error::RateLimited(_))));
        limits.sign_in(&named("ada"), "198.51.100.1", true).await.unwrap();
        limits.sign_in(&named("bob"), "192.0.2.30", false).await.unwrap();
    }

    #[tokio::test]
    async fn one_network_cannot_try_many_names() {
        let (_, limits) = limits();
        for _ in 0..60 {
            limits.sign_in_from("192.0.2.1").await.unwrap();
        }
        assert!(matches!(limits.sign_in_from("192.0.2.1").await, Err(Error::RateLimited(_))));
        limits.sign_in_from("192.0.2.2").await.unwrap();
    }

    #[tokio::test]
    async fn anonymous_callers_of_one_network_share_a_limit() {
        let (_, limits) = limits();
        for n in 0..2_000 {
            limits.read(None, &format!("2001:db8::{n:x}")).await.unwrap();
        }
        assert!(matches!(limits.read(None, "2001:db8::ffff").await, Err(Error::RateLimited(_))));
        limits.read(None, "2001:db8:1::").await.unwrap();
    }
}
