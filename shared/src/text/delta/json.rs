//! Serialisation of deltas as compact JSON arrays; [`TextDelta`] describes the format.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{DeltaBuilder, DeltaOp, TextDelta};

impl Serialize for TextDelta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.ops().map(Item::from))
    }
}

impl<'de> Deserialize<'de> for TextDelta {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(DeltaVisitor)
    }
}

/// One element of the array.
enum Item<'a> {
    Count(i64),
    Text(&'a str),
}

impl<'a> From<DeltaOp<'a>> for Item<'a> {
    fn from(op: DeltaOp<'a>) -> Self {
        // A length in memory is below 2^63.
        match op {
            DeltaOp::Retain(bytes) => Self::Count(bytes as i64),
            DeltaOp::Delete(bytes) => Self::Count(-(bytes as i64)),
            DeltaOp::Insert(text) => Self::Text(text),
        }
    }
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_i64(*count),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

struct DeltaVisitor;

impl<'de> Visitor<'de> for DeltaVisitor {
    type Value = TextDelta;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of byte counts and strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<TextDelta, A::Error> {
        let mut delta = DeltaBuilder::default();
        let mut base_len = 0_u64;
        while let Some(item) = items.next_element::<OwnedItem>()? {
            match item {
                OwnedItem::Text(text) => delta.insert(&text),
                OwnedItem::Count(count) => {
                    base_len = base_len.saturating_add(count.unsigned_abs());
                    // The same limit on all platforms, small enough that lengths never overflow.
                    if base_len > u64::from(u32::MAX) / 2 {
                        let unexpected = Unexpected::Signed(count);
                        return Err(A::Error::invalid_value(unexpected, &"less than 2 GiB"));
                    }
                    let bytes = count.unsigned_abs() as usize;
                    if count < 0 {
                        delta.delete(bytes);
                    } else {
                        delta.retain(bytes);
                    }
                }
            }
        }
        Ok(delta.finish())
    }
}

enum OwnedItem {
    Count(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for OwnedItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl Visitor<'_> for ItemVisitor {
    type Value = OwnedItem;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a byte count or a string")
    }

    fn visit_i64<E: Error>(self, count: i64) -> Result<OwnedItem, E> {
        Ok(OwnedItem::Count(count))
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<OwnedItem, E> {
        i64::try_from(count)
            .map(OwnedItem::Count)
            .map_err(|_| E::invalid_value(Unexpected::Unsigned(count), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OwnedItem, E> {
        Ok(OwnedItem::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<OwnedItem, E> {
        Ok(OwnedItem::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::in_pieces(r#"[1,1,-1,-2,"a","b",0,"",1]"#, r#"[2,-3,"ab",1]"#)]
    #[case::insert_before_delete(r#"["a",-1]"#, r#"[-1,"a"]"#)]
    #[case::delete_after_insert(r#"[-1,"a",-1,"b"]"#, r#"[-2,"ab"]"#)]
    #[case::nothing("[]", "[]")]
    fn reads_any_form_and_writes_the_normal_form(#[case] given: &str, #[case] normal: &str) {
        let delta: TextDelta = serde_json::from_str(given).unwrap();
        assert_eq!(serde_json::to_string(&delta).unwrap(), normal);
    }

    #[rstest]
    #[case::not_an_array("{}")]
    #[case::fraction("[1.5]")]
    #[case::null("[null]")]
    #[case::too_long("[2147483647,1]")]
    #[case::smallest_number("[-9223372036854775808]")]
    #[case::beyond_64_bits("[18446744073709551615]")]
    fn rejects_invalid_deltas(#[case] given: &str) {
        assert!(serde_json::from_str::<TextDelta>(given).is_err());
    }

    proptest! {
        #[test]
        fn survives_a_round_trip((old, new) in testing::text_pair()) {
            let delta = TextDelta::between(&old, &new);
            let json = serde_json::to_string(&delta).unwrap();
            prop_assert_eq!(serde_json::from_str::<TextDelta>(&json).unwrap(), delta);
        }
    }
}
