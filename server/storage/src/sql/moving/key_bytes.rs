//! Primary keys as bytes, to remember where a copy goes on.

use super::table::Key;
use crate::sql::row::Cell;

const NUMBER: u8 = 1;
const TEXT: u8 = 2;
const BYTES: u8 = 3;

/// Writes a key.
pub(super) fn encode(key: &[Cell]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for cell in key {
        let (kind, bytes) = match cell {
            // Primary keys have none.
            Cell::Null => continue,
            Cell::Number(number) => (NUMBER, number.to_le_bytes().to_vec()),
            Cell::Text(text) => (TEXT, text.clone().into_bytes()),
            Cell::Bytes(bytes) => (BYTES, bytes.clone()),
        };
        encoded.push(kind);
        encoded.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        encoded.extend(bytes);
    }
    encoded
}

/// Reads a key; `None` if the bytes are none.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Key> {
    let mut key = Key::new();
    while let Some((kind, rest)) = bytes.split_first() {
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        key.push(match *kind {
            NUMBER => Cell::Number(i64::from_le_bytes(value.try_into().ok()?)),
            TEXT => Cell::Text(String::from_utf8(value.to_vec()).ok()?),
            BYTES => Cell::Bytes(value.to_vec()),
            _ => return None,
        });
        bytes = rest;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let key = vec![Cell::Bytes(vec![0, 255]), Cell::Number(-7), Cell::Text("ä\n".into())];
        let encoded = encode(&key);
        assert_eq!(decode(&encoded), Some(key));
        for length in 1..encoded.len() {
            let cut = decode(&encoded[..length]);
            assert!(cut.is_none_or(|key| key.len() < 3), "{length}");
        }
        assert_eq!(decode(&[9, 0, 0, 0, 0]), None);
    }
}
