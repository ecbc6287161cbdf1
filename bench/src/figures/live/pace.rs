//! When each writer sends.

use crate::{
    random::Random,
    statistics::{milliseconds, percentile},
};
use anyhow::Result;
use std::time::{Duration, Instant};

/// The moments at which writers send, in order.
pub(super) struct Pace(Vec<(Duration, usize)>);

impl Pace {
    /// Lets each of `writers` send once in each of `slots` intervals, at a random moment of it.
    pub(super) fn new(random: &mut Random, writers: usize, interval: Duration, slots: u32) -> Self {
        let mut turns = Vec::new();
        for slot in 0..slots {
            for writer in 0..writers {
                turns.push((interval.mul_f64(f64::from(slot) + random.fraction()), writer));
            }
        }
        turns.sort_unstable();
        Self(turns)
    }

    /// Sends at those moments, whatever the server does. Returns the 99th percentile of the delays
    /// in milliseconds.
    pub(super) async fn run(&self, mut send: impl FnMut(usize) -> Result<()>) -> Result<f64> {
        let start = Instant::now();
        let mut delays = Vec::with_capacity(self.0.len());
        for (at, writer) in &self.0 {
            // One timer for all writers; those that are due together need one wake-up.
            if start.elapsed() < *at {
                tokio::time::sleep_until((start + *at).into()).await;
            }
            send(*writer)?;
            delays.push(milliseconds(start.elapsed().saturating_sub(*at)));
        }
        Ok(percentile(&delays, 0.99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_writer_sends_once_in_each_interval() {
        let pace = Pace::new(&mut Random::new(1), 3, Duration::from_millis(10), 4);
        for slot in pace.0.chunks(3) {
            let mut writers: Vec<usize> = slot.iter().map(|(_, writer)| *writer).collect();
            writers.sort_unstable();
            assert_eq!(writers, [0, 1, 2]);
        }
        let mut sent = 0;
        pace.run(|_| {
            sent += 1;
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(sent, 12);
    }
}
