//! Values in records: the subset that CBOR and BSON both store without loss.

use std::collections::BTreeMap;

/// A value in a record.
///
/// Every provider returns exactly what was written, so the type excludes what only some formats
/// support: floating-point numbers, integers beyond `i64`, and non-text keys. Lists and maps nest
/// at most [`Value::MAX_DEPTH`] levels. Text never contains U+0000.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// UTF-8 text.
    Text(String),
    /// Bytes: ids, hashes, compressed data.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A map with text keys.
    Map(BTreeMap<String, Value>),
}

/// The fields of a record.
pub type Data = BTreeMap<String, Value>;

impl Value {
    /// Maximum nesting depth. A record's own fields are level 1.
    pub const MAX_DEPTH: usize = 32;

    /// Returns the text, if this is a text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the integer, if this is an integer.
    #[must_use]
    pub const fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// Returns the bytes, if these are exactly `N` bytes.
    #[must_use]
    pub fn as_bytes<const N: usize>(&self) -> Option<[u8; N]> {
        if let Self::Bytes(bytes) = self { bytes.as_slice().try_into().ok() } else { None }
    }

    /// Returns the nesting depth; 0 for a plain value.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(fields) => 1 + fields.values().map(Self::depth).max().unwrap_or(0),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Text(_) | Self::Bytes(_) => 0,
        }
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $made:expr;)*) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )*};
}

from! {
    bool => |flag| Self::Bool(flag);
    i64 => |number| Self::Int(number);
    &str => |text| Self::Text(text.to_owned());
    String => |text| Self::Text(text);
    Vec<u8> => |bytes| Self::Bytes(bytes);
    [u8; 16] => |bytes| Self::Bytes(bytes.to_vec());
    [u8; 32] => |bytes| Self::Bytes(bytes.to_vec());
    Vec<Self> => |items| Self::List(items);
    BTreeMap<String, Self> => |fields| Self::Map(fields);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_lists_and_maps() {
        let list = Value::List(vec![Value::Null, Value::List(vec![Value::Int(1)])]);
        assert_eq!(list.depth(), 2);
        assert_eq!(Value::Map([("a".to_owned(), list)].into()).depth(), 3);
        assert_eq!(Value::from("text").depth(), 0);
    }

    #[test]
    fn bytes_have_a_fixed_length() {
        let value = Value::from([7_u8; 16]);
        assert_eq!(value.as_bytes::<16>(), Some([7; 16]));
        assert_eq!(value.as_bytes::<32>(), None);
        assert_eq!(Value::from("text").as_bytes::<4>(), None);
    }
}
