//! Rates: `10/60s burst 20`, or in the file also `{ count: 10, per: 60s, burst: 20 }`.

use super::{
    Refused,
    numbers::{count, duration, parse_duration},
};
use izanagi_domain::accounts::Rate;
use serde::{
    Deserialize,
    de::{Deserializer, Error, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};
use std::{fmt, num::NonZeroU32, time::Duration};

/// A rate. The burst defaults to `count`.
pub(in super::super) fn rate<'de, D: Deserializer<'de>>(from: D) -> Result<Rate, D::Error> {
    from.deserialize_any(RateVisitor)
}

struct RateVisitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    #[serde(deserialize_with = "count")]
    count: NonZeroU32,
    #[serde(deserialize_with = "duration")]
    per: Duration,
    #[serde(default, deserialize_with = "some_count")]
    burst: Option<NonZeroU32>,
}

fn some_count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<NonZeroU32>, D::Error> {
    count(from).map(Some)
}

impl<'de> Visitor<'de> for RateVisitor {
    type Value = Rate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ALLOWED)
    }

    fn visit_str<E: Error>(self, given: &str) -> Result<Rate, E> {
        parse(given).ok_or_else(|| Refused::new(given, ALLOWED).into_error())
    }

    fn visit_map<A: MapAccess<'de>>(self, parts: A) -> Result<Rate, A::Error> {
        let Parts { count, per, burst } = Parts::deserialize(MapAccessDeserializer::new(parts))?;
        rate_of(count, per, burst).ok_or_else(|| {
            let given = format!("{count} in {per:?}");
            A::Error::invalid_value(Unexpected::Str(&given), &"use at most one a nanosecond")
        })
    }
}

const ALLOWED: &str = "use a rate such as 10/60s or 50/1s burst 2000";

fn parse(given: &str) -> Option<Rate> {
    let (rate, burst) = match given.split_whitespace().collect::<Vec<_>>()[..] {
        [rate] => (rate, None),
        [rate, "burst", burst] => (rate, Some(burst.parse().ok()?)),
        _ => return None,
    };
    let (count, per) = rate.split_once('/')?;
    rate_of(count.parse().ok()?, parse_duration(per)?, burst)
}

fn rate_of(count: NonZeroU32, per: Duration, burst: Option<NonZeroU32>) -> Option<Rate> {
    let has_interval = !(per / count.get()).is_zero();
    has_interval.then(|| Rate { count, per, burst: burst.unwrap_or(count) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("10/60s", Some((10, 60_000, 10)))]
    #[case("10/1m burst 20", Some((10, 60_000, 20)))]
    #[case("  50/500ms   burst 7 ", Some((50, 500, 7)))]
    #[case("10", None)]
    #[case("10/60", None)]
    #[case("0/60s", None)]
    #[case("10/0s", None)]
    #[case("10/60s burst", None)]
    #[case("10/60s burst 0", None)]
    #[case("10/60s and 20", None)]
    #[case("4294967295/1ms", None)]
    fn rates(#[case] text: &str, #[case] parts: Option<(u32, u64, u32)>) {
        let rate = parse(text).map(|Rate { count, per, burst }| {
            (count.get(), u64::try_from(per.as_millis()).unwrap(), burst.get())
        });
        assert_eq!(rate, parts);
    }
}
