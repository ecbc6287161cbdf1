use std::time::Duration;

/// A token bucket: holds up to `burst` tokens and gains `per_second` of them.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    per_second: u32,
    burst: u32,
    /// The time at which the bucket is full. What is missing is proportional to the time until then.
    full_at: Duration,
}

impl TokenBucket {
    pub(super) const fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second, burst, full_at: Duration::ZERO }
    }

    fn time_for(&self, tokens: u32) -> Duration {
        Duration::from_secs(1).saturating_mul(tokens) / self.per_second.max(1)
    }

    /// Takes tokens and returns whether they were there; if not, none are taken.
    pub(super) fn take(&mut self, now: Duration, tokens: u32) -> bool {
        let full_at = self.full_at.max(now) + self.time_for(tokens);
        let is_there = full_at <= now + self.time_for(self.burst);
        if is_there {
            self.full_at = full_at;
        }
        is_there
    }

    /// When this many tokens will be there.
    pub(super) fn ready_at(&self, tokens: u32) -> Duration {
        (self.full_at + self.time_for(tokens)).saturating_sub(self.time_for(self.burst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_a_burst_and_then_the_rate() {
        let mut bucket = TokenBucket::new(10, 30);
        let start = Duration::from_secs(100);
        assert!((0..30).all(|_| bucket.take(start, 1)));
        assert!(!bucket.take(start, 1));
        assert_eq!(bucket.ready_at(1), start + Duration::from_millis(100));
        let later = start + Duration::from_secs(1);
        assert!((0..10).all(|_| bucket.take(later, 1)));
        assert!(!bucket.take(later, 1));
        assert!(bucket.take(start + Duration::from_secs(60), 30));
        assert!(!bucket.take(start + Duration::from_secs(600), 31));
    }
}
