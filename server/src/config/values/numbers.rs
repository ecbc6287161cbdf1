//! Numbers, durations and sizes.

use super::{Refused, read};
use serde::de::Deserializer;
use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

/// A whole number from 1 to `u32::MAX`, for any type that can hold it.
pub(in super::super) fn count<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u32>,
{
    read(from, |given| {
        let number = given.parse::<NonZeroU32>().ok().map(NonZeroU32::get);
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            Refused::new(given, "use a whole number, at least 1 and at most 4294967295")
        })
    })
}

/// A duration.
pub(in super::super) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    read(from, |given| {
        let allowed = "use a time such as 500ms, 30s, 5m, 1h or 7d";
        parse_duration(given).ok_or_else(|| Refused::new(given, allowed))
    })
}

/// A size in bytes, as a [`ByteSize`] or any number that can hold it.
pub(in super::super) fn size<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    read(from, |given| {
        let bytes = given.parse().ok().map(ByteSize::bytes);
        bytes.and_then(|bytes| T::try_from(bytes).ok()).ok_or_else(|| {
            Refused::new(
                given,
                "use a size such as 512KiB, 64MiB or 1000000 (bytes), up to 1024TiB",
            )
        })
    })
}

/// Parses `500ms`, `30s`, `5m`, `1h` or `7d`; rejects zero.
pub(super) fn parse_duration(given: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(given)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let total = number.checked_mul(millis).filter(|total| *total > 0)?;
    Some(Duration::from_millis(total))
}

fn number_and_unit(given: &str) -> Option<(u64, &str)> {
    let end = given.find(|c: char| !c.is_ascii_digit()).unwrap_or(given.len());
    let (number, unit) = given.split_at(end);
    Some((number.parse().ok()?, unit))
}

/// A size in bytes, from 1 to 2⁵⁰: written as `512KiB`, `64MiB` or a plain number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

/// Error for an invalid [`ByteSize`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a size from 1 byte to 1024TiB")]
pub struct NotASize;

impl ByteSize {
    const UNITS: [(&str, u64); 5] =
        [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];
    /// Small enough that sums of sizes cannot overflow.
    const MAX: u64 = 1 << 50;

    /// Returns the number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for ByteSize {
    type Error = NotASize;

    fn try_from(bytes: u64) -> Result<Self, NotASize> {
        if (1..=Self::MAX).contains(&bytes) { Ok(Self(bytes)) } else { Err(NotASize) }
    }
}

impl FromStr for ByteSize {
    type Err = NotASize;

    fn from_str(given: &str) -> Result<Self, NotASize> {
        let (number, given) = number_and_unit(given).ok_or(NotASize)?;
        let unit = Self::UNITS.iter().find(|(unit, _)| *unit == given).ok_or(NotASize)?;
        number.checked_mul(unit.1).ok_or(NotASize)?.try_into()
    }
}

/// Formats in the largest unit that divides it.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = Self::UNITS.into_iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes));
        let (unit, bytes) = fits.unwrap_or(("", 1));
        write!(f, "{}{unit}", self.0 / bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("500ms", Some(500))]
    #[case("30s", Some(30_000))]
    #[case("1h", Some(3_600_000))]
    #[case("7d", Some(604_800_000))]
    #[case("0s", None)]
    #[case("10", None)]
    #[case("s", None)]
    #[case("-1s", None)]
    #[case("1 day", None)]
    #[case("18446744073709551615d", None)]
    fn durations(#[case] text: &str, #[case] millis: Option<u64>) {
        assert_eq!(parse_duration(text), millis.map(Duration::from_millis));
    }

    #[rstest]
    #[case("1", 1, "1")]
    #[case("1000000", 1_000_000, "1000000")]
    #[case("2048", 2_048, "2KiB")]
    #[case("512KiB", 524_288, "512KiB")]
    #[case("1024KiB", 1_048_576, "1MiB")]
    #[case("64MiB", 67_108_864, "64MiB")]
    #[case("3GiB", 3_221_225_472, "3GiB")]
    #[case("1024TiB", 1 << 50, "1024TiB")]
    fn sizes(#[case] text: &str, #[case] bytes: u64, #[case] shown: &str) {
        let size: ByteSize = text.parse().unwrap();
        assert_eq!((size.bytes(), size.to_string().as_str()), (bytes, shown));
    }

    #[rstest]
    #[case("")]
    #[case("0")]
    #[case("0MiB")]
    #[case("MiB")]
    #[case("64 MiB")]
    #[case("64MB")]
    #[case("1.5GiB")]
    #[case("-1")]
    #[case("1025TiB")]
    #[case("18446744073709551615TiB")]
    fn what_is_no_size(#[case] text: &str) {
        assert_eq!(text.parse::<ByteSize>(), Err(NotASize));
    }
}
