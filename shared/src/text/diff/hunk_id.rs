//! Ids of hunks.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The id of a hunk: the lines that it changes in both texts, and their hash.
///
/// `1f-2-1e-3-9ae16a3b2f90404f` consists of five hexadecimal numbers: 2 lines of the old text from
/// 0x1f (0-based), 3 lines of the new text from 0x1e, and the 64-bit FNV-1a hash of both. The range
/// runs from the first to the last changed line, without context. So the id does not depend on how
/// the hunk was shown, the hunk can be found without comparing the texts again, and the hash
/// detects when one of them has changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HunkId {
    old: Range<usize>,
    new: Range<usize>,
    hash: u64,
}

/// A text that is not a hunk id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid hunk id")]
pub struct HunkIdError;

impl HunkId {
    /// The id for lines, with their line ends, that start at the 0-based lines `old_start` of the
    /// old text and `new_start` of the new text.
    pub(crate) fn of(old_start: usize, old: &[&str], new_start: usize, new: &[&str]) -> Self {
        Self {
            old: old_start..old_start + old.len(),
            new: new_start..new_start + new.len(),
            hash: fnv1a(old, new),
        }
    }

    /// The line ranges of the hunk, if it belongs to these texts.
    pub(crate) fn find(
        &self,
        old_lines: &[&str],
        new_lines: &[&str],
    ) -> Option<(Range<usize>, Range<usize>)> {
        let old = old_lines.get(self.old.clone())?;
        let new = new_lines.get(self.new.clone())?;
        (fnv1a(old, new) == self.hash).then(|| (self.old.clone(), self.new.clone()))
    }
}

impl fmt::Display for HunkId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { old, new, hash } = self;
        let (old_start, old_len) = (old.start, old.len());
        let (new_start, new_len) = (new.start, new.len());
        write!(formatter, "{old_start:x}-{old_len:x}-{new_start:x}-{new_len:x}-{hash:016x}")
    }
}

impl FromStr for HunkId {
    type Err = HunkIdError;

    fn from_str(text: &str) -> Result<Self, HunkIdError> {
        let mut numbers = text.split('-');
        let mut next = || {
            let digits = numbers.next().ok_or(HunkIdError)?;
            u64::from_str_radix(digits, 16).map_err(|_| HunkIdError)
        };
        let mut next_line = || usize::try_from(next()?).map_err(|_| HunkIdError);
        let (old_start, old_len) = (next_line()?, next_line()?);
        let (new_start, new_len) = (next_line()?, next_line()?);
        let end = |start: usize, len| start.checked_add(len).ok_or(HunkIdError);
        let id = Self {
            old: old_start..end(old_start, old_len)?,
            new: new_start..end(new_start, new_len)?,
            hash: next()?,
        };
        // Only the canonical form is valid, so that ids can be compared as strings.
        (id.to_string() == text).then_some(id).ok_or(HunkIdError)
    }
}

impl TryFrom<String> for HunkId {
    type Error = HunkIdError;

    fn try_from(text: String) -> Result<Self, HunkIdError> {
        text.parse()
    }
}

impl From<HunkId> for String {
    fn from(id: HunkId) -> Self {
        id.to_string()
    }
}

/// The 64-bit FNV-1a hash of both sides, separated by a byte that does not occur in UTF-8.
fn fnv1a(old: &[&str], new: &[&str]) -> u64 {
    let bytes_of = |lines: &[&str]| lines.concat().into_bytes();
    let bytes = bytes_of(old).into_iter().chain([0xFF]).chain(bytes_of(new));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const OLD: [&str; 3] = ["a\n", "b\n", "c\n"];
    const NEW: [&str; 2] = ["a\n", "x\n"];

    #[test]
    fn matches_only_its_own_texts() {
        let id = HunkId::of(1, &OLD[1..3], 1, &NEW[1..2]);
        assert_eq!(id.find(&OLD, &NEW), Some((1..3, 1..2)));
        assert_eq!(id.find(&OLD, &["a\n", "y\n"]), None);
        assert_eq!(id.find(&OLD[..2], &NEW), None);
    }

    #[test]
    fn depends_on_the_side_of_a_line() {
        let first = HunkId::of(0, &["a\n", "b\n"], 0, &[]);
        let second = HunkId::of(0, &["a\n"], 0, &["b\n"]);
        assert_ne!(first.hash, second.hash);
    }

    #[test]
    fn survives_a_round_trip() {
        let id = HunkId::of(1, &OLD[1..3], 1, &NEW[1..2]);
        let text = id.to_string();
        assert!(text.starts_with("1-2-1-1-"), "{text}");
        assert_eq!(text.parse(), Ok(id));
    }

    #[rstest]
    #[case::empty("")]
    #[case::too_few("1-2-3-4")]
    #[case::too_many("1-2-1-1-0000000000000000-0")]
    #[case::leading_zero("01-2-1-1-0000000000000000")]
    #[case::upper_case("1-2-1-1-000000000000000A")]
    #[case::beyond_the_end_of_numbers("ffffffffffffffff-2-1-1-0000000000000000")]
    #[case::sign("+1-2-1-1-0000000000000000")]
    fn rejects_other_texts(#[case] text: &str) {
        assert_eq!(text.parse::<HunkId>(), Err(HunkIdError));
    }
}
