//! How long to wait before connecting again.

use izanagi_domain::storage::Ids;
use std::{sync::Arc, time::Duration};

/// The first wait, about.
const FIRST: Duration = Duration::from_millis(50);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(2);

/// Waits that double, with jitter, so that nodes do not all come back in the same moment.
pub(super) struct Backoff {
    ids: Arc<dyn Ids>,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(ids: Arc<dyn Ids>) -> Self {
        Self { ids, failures: 0 }
    }

    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Returns the next wait: between half and the whole of what doubling gives.
    pub(super) fn next(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures += 1;
        let mut random = [0];
        self.ids.fill(&mut random);
        whole / 2 + (whole / 2) * u32::from(random[0]) / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_domain::storage::SystemIds;

    #[test]
    fn waits_double_up_to_a_limit_with_jitter() {
        let mut backoff = Backoff::new(Arc::new(SystemIds));
        let waits: Vec<Duration> = (0..40).map(|_| backoff.next()).collect();
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST, "{waits:?}");
        assert!(waits[5] >= LONGEST / 4 && waits.iter().all(|wait| *wait <= LONGEST), "{waits:?}");
        assert!(waits[20..].iter().any(|wait| *wait != waits[20]), "{waits:?}");
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
