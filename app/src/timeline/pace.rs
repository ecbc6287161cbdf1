//! How fast a history is played.

/// A pause between two edits that is longer is shortened to this. In milliseconds.
const LONGEST_PAUSE: f64 = 1_000.0;

/// The speeds, as multiples of the speed at which the text was written.
pub const SPEEDS: [u32; 3] = [1, 10, 100];

/// Played time that has not been used up by edits. In milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pace(f64);

impl Pace {
    /// Lets time pass, and returns the position to show. `times` are those of the edits, by position
    /// from 1: an edit is shown as long after the one before it as it was made, but pauses are cut.
    #[must_use]
    pub fn advance(
        &mut self,
        passed: f64,
        from: usize,
        len: usize,
        times: impl Fn(usize) -> i64,
    ) -> usize {
        self.0 += passed.max(0.0);
        let mut position = from;
        while position < len {
            let pause = if position == 0 { 0 } else { times(position + 1) - times(position) };
            #[expect(clippy::cast_precision_loss, reason = "years have fewer milliseconds")]
            let pause = (pause.max(0) as f64).min(LONGEST_PAUSE);
            if self.0 < pause {
                return position;
            }
            self.0 -= pause;
            position += 1;
        }
        self.0 = 0.0;
        position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_as_far_apart_as_they_were_made() {
        // The second one after 100 ms, the third after an hour.
        let times = |position: usize| [0, 0, 100, 3_600_000][position];
        let mut pace = Pace::default();
        assert_eq!(pace.advance(1.0, 0, 3, times), 1);
        assert_eq!(pace.advance(98.0, 1, 3, times), 1);
        assert_eq!(pace.advance(2.0, 1, 3, times), 2);
        assert_eq!(pace.advance(998.0, 2, 3, times), 2);
        assert_eq!(pace.advance(1.0, 2, 3, times), 3);
        assert_eq!(pace, Pace::default());
    }

    #[test]
    fn edits_of_one_moment_are_shown_together() {
        assert_eq!(Pace::default().advance(0.0, 0, 9, |_| 7), 9);
        assert_eq!(Pace::default().advance(500.0, 0, 2, |position| [0, 9, 5][position]), 2);
    }
}
