//! Bounds how often a message is logged. While the storage is down every request fails, and its
//! clients choose how many requests they send.

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};

/// Messages a second, and at once.
const RATE: NonZeroU32 = NonZeroU32::MIN;
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// Admits one message a second, after ten at once.
pub struct LogRate<C: Clock = DefaultClock> {
    limiter: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
    omitted: AtomicU64,
}

impl<C: Clock + Default> Default for LogRate<C> {
    fn default() -> Self {
        Self::with_clock(C::default())
    }
}

impl<C: Clock> LogRate<C> {
    fn with_clock(clock: C) -> Self {
        let quota = Quota::per_second(RATE).allow_burst(BURST);
        let limiter = RateLimiter::direct_with_clock(quota, clock);
        Self { limiter, omitted: AtomicU64::new(0) }
    }

    /// Returns how many messages were omitted since the last one, or `None` if this one must be
    /// omitted too.
    pub fn admit(&self) -> Option<u64> {
        if self.limiter.check().is_err() {
            self.omitted.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.omitted.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::time::Duration;

    #[test]
    fn counts_what_it_omits() {
        let clock = FakeRelativeClock::default();
        let rate = LogRate::with_clock(clock.clone());
        let admitted: Vec<_> = (0..100).filter_map(|_| rate.admit()).collect();
        assert_eq!(admitted, [0; 10]);
        clock.advance(Duration::from_secs(1));
        assert_eq!((rate.admit(), rate.admit()), (Some(90), None));
    }
}
