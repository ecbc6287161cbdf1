//! Ids given as text, as bytes: op ids, which clients choose, and the last segments of record paths.
//! Most are UUIDs, which take 16 bytes instead of 36.

use izanagi_domain::storage::{StoreError, StoreResult};
use uuid::Uuid;

/// Not a valid UTF-8 byte. It marks text, and keeps text from being 16 bytes long.
const MARK: u8 = 0xFF;

/// Encodes an id. The encoding is injective.
pub(super) fn to_bytes(id: &str) -> Vec<u8> {
    if let Ok(uuid) = Uuid::try_parse(id)
        && uuid.hyphenated().to_string() == id
    {
        return uuid.into_bytes().to_vec();
    }
    let mut bytes = id.as_bytes().to_vec();
    bytes.push(MARK);
    if bytes.len() == 16 {
        bytes.push(MARK);
    }
    bytes
}

/// Decodes an id.
///
/// # Errors
/// `Corrupt` if the bytes are not a valid encoding.
pub(super) fn from_bytes(bytes: &[u8]) -> StoreResult<String> {
    if let Ok(uuid) = <[u8; 16]>::try_from(bytes) {
        return Ok(Uuid::from_bytes(uuid).hyphenated().to_string());
    }
    let end = bytes.iter().position(|byte| *byte == MARK).unwrap_or(bytes.len());
    let text = String::from_utf8(bytes[..end].to_vec());
    let text = text.map_err(|error| StoreError::Corrupt(format!("an id: {error}")))?;
    if to_bytes(&text) == bytes {
        Ok(text)
    } else {
        Err(StoreError::Corrupt(format!("an id: {text}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::uuid("0190a000-0000-7000-8000-00000000000a", 16)]
    #[case::upper_case("0190A000-0000-7000-8000-00000000000A", 37)]
    #[case::hex("0190a000000070008000000000000000", 33)]
    #[case::empty("", 1)]
    #[case::fifteen_bytes("123456789012345", 17)]
    #[case::sixteen_bytes("1234567890123456", 17)]
    #[case::no_ascii("ÿ", 3)]
    fn comes_back_as_it_was(#[case] id: &str, #[case] length: usize) {
        let bytes = to_bytes(id);
        assert_eq!(bytes.len(), length);
        assert_eq!(from_bytes(&bytes), Ok(id.to_owned()));
    }

    #[rstest]
    #[case::no_mark(b"0001")]
    #[case::text_behind_the_mark(b"00\xFF01")]
    #[case::no_utf8(b"\xC3\xFF")]
    fn other_bytes_are_corrupt(#[case] bytes: &[u8]) {
        assert!(matches!(from_bytes(bytes), Err(StoreError::Corrupt(_))));
    }
}
