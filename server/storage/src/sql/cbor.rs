//! Records as CBOR (RFC 8949). Common field names are encoded as integers.

use izanagi_domain::storage::{Data, Value};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap as _,
};
use std::fmt;

/// Field names that are stored as their index in this list, because a delta is often smaller than
/// the names around it. Stored records depend on the order: from the first release on, only
/// append.
const NAMES: [&str; 9] =
    ["type", "hash", "content", "chunks", "base", "format", "patch", "print", "text"];

/// Encodes a record's fields as a CBOR map.
///
/// # Errors
/// The fields nest deeper than [`Value::MAX_DEPTH`] and could not be read back.
pub(super) fn to_bytes(data: &Data) -> Result<Vec<u8>, String> {
    let depth = 1 + data.values().map(Value::depth).max().unwrap_or(0);
    if depth > Value::MAX_DEPTH {
        return Err(format!("the record nests {depth} levels deep"));
    }
    let mut bytes = Vec::new();
    ciborium::into_writer(&Fields(data), &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Decodes a record's fields.
pub(super) fn from_bytes(mut bytes: &[u8]) -> Result<Data, String> {
    // One more than the maximum depth, because a plain value in the deepest list is counted too.
    let limit = Value::MAX_DEPTH + 1;
    let Read(value) = ciborium::de::from_reader_with_recursion_limit(&mut bytes, limit)
        .map_err(|error| error.to_string())?;
    match value {
        Value::Map(data) if bytes.is_empty() => Ok(data),
        Value::Map(_) => Err(format!("{} bytes after the record", bytes.len())),
        _ => Err("the record is not a map".to_owned()),
    }
}

fn name(place: i64) -> Option<&'static str> {
    NAMES.get(usize::try_from(place).ok()?).copied()
}

/// Serialises by reference, without copying.
struct Fields<'a>(&'a Data);

struct Written<'a>(&'a Value);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (field, value) in self.0 {
            match NAMES.iter().position(|name| name == field) {
                Some(place) => map.serialize_entry(&place, &Written(value))?,
                None => map.serialize_entry(field, &Written(value))?,
            }
        }
        map.end()
    }
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Value::List(items) => serializer.collect_seq(items.iter().map(Written)),
            Value::Map(fields) => Fields(fields).serialize(serializer),
        }
    }
}

struct Read(Value);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Values).map(Self)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that a record can hold")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        i64::try_from(number).map(Value::Int).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(bytes.to_owned()))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(bytes))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Read(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Data::new();
        while let Some((Read(field), Read(value))) = entries.next_entry()? {
            let field = match field {
                Value::Text(field) => Some(field),
                Value::Int(place) => name(place).map(str::to_owned),
                _ => None,
            };
            fields.insert(field.ok_or_else(|| A::Error::custom("not a field name"))?, value);
        }
        Ok(Value::Map(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Data {
        let mut value = Value::Int(1);
        for _ in 1..levels {
            value = Value::List(vec![value]);
        }
        Data::from([("a".to_owned(), value)])
    }

    #[test]
    fn reads_back_what_nests_as_deep_as_it_may() {
        let data = nested(Value::MAX_DEPTH);
        assert_eq!(from_bytes(&to_bytes(&data).unwrap()), Ok(data));
        assert!(to_bytes(&nested(Value::MAX_DEPTH + 1)).is_err());
    }

    #[test]
    fn common_names_take_one_byte() {
        let data = |names: &[&str]| -> Data {
            names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect()
        };
        let (common, other) = (data(&NAMES), data(&["other"]));
        assert_eq!(to_bytes(&common).unwrap().len(), 1 + 2 * NAMES.len());
        for data in [common, other] {
            assert_eq!(from_bytes(&to_bytes(&data).unwrap()), Ok(data));
        }
    }

    #[test]
    fn refuses_what_nests_deeper() {
        // A map whose only value is a deeply nested list.
        let mut bytes = vec![0xA1, 0x61, b'a'];
        bytes.extend([0x81; 100_000]);
        assert!(from_bytes(&bytes).unwrap_err().contains("ecursion"));
    }

    #[test]
    fn refuses_what_no_record_holds() {
        for bytes in [
            &[0x01][..],                                          // not a map
            &[0xA0, 0x00],                                        // a map and something behind it
            &[0xA1, 0x61, b'a', 0xF9, 0x3E, 0x00],                // 1.5
            &[0xA1, 0x61, b'a', 0x1B, 0xFF, 0, 0, 0, 0, 0, 0, 0], // beyond i64
            &[0xA1, 0x18, 0x64, 0x01],                            // a name that is not in the list
        ] {
            assert!(from_bytes(bytes).is_err(), "{bytes:?}");
        }
    }
}
