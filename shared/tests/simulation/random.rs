/// A generator of pseudo-random numbers (`SplitMix64`), the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high - 1`.
    pub(crate) const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low)
    }

    pub(crate) const fn below(&mut self, high: usize) -> usize {
        self.between(0, high as u64) as usize
    }

    /// True `percent` times out of 100.
    pub(crate) const fn chance(&mut self, percent: u64) -> bool {
        self.between(0, 100) < percent
    }

    #[expect(clippy::cast_precision_loss, reason = "a random number")]
    pub(crate) fn jitter(&mut self) -> f64 {
        self.between(0, 1_000) as f64 / 1_000.0
    }
}
