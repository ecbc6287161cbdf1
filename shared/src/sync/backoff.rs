//! Delays between retries.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// Returns the delay before retry `attempt`, counted from 0. It doubles up to 30 seconds. `jitter`,
/// from 0 to 1, shortens it by up to half, so that pages that lost the server at the same time do
/// not reconnect at the same time.
#[must_use]
pub fn retry_delay(attempt: u32, jitter: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << attempt.min(16));
    doubled.min(LONGEST).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 0.0, 500)]
    #[case(1, 0.0, 1_000)]
    #[case(3, 0.5, 3_000)]
    #[case(40, 0.0, 30_000)]
    #[case(40, 1.0, 15_000)]
    fn delays_grow_up_to_a_limit(#[case] attempt: u32, #[case] jitter: f64, #[case] millis: u64) {
        assert_eq!(retry_delay(attempt, jitter), Duration::from_millis(millis));
    }
}
