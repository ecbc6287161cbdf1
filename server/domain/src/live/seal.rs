//! Checksums for the log's contents: bytes are stored with their SHA-256 in front. A CRDT state
//! with a flipped bit may still decode, to a different text, so the checksum is verified before
//! decoding (PRODUCT, the fourth promise). Sealing is done above the storage traits, so it protects
//! against every provider.

use crate::hash::sha256;

const SEAL_BYTES: usize = 32;

/// Prepends the hash.
#[must_use]
pub(crate) fn seal(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(SEAL_BYTES + bytes.len());
    sealed.extend_from_slice(&sha256(bytes));
    sealed.extend_from_slice(bytes);
    sealed
}

/// Returns the bytes if their hash matches.
#[must_use]
pub(crate) fn unseal(sealed: &[u8]) -> Option<&[u8]> {
    let (hash, bytes) = sealed.split_at_checked(SEAL_BYTES)?;
    (sha256(bytes) == hash).then_some(bytes)
}

/// [`unseal`] without a second buffer.
#[must_use]
pub(crate) fn into_unsealed(mut sealed: Vec<u8>) -> Option<Vec<u8>> {
    unseal(&sealed)?;
    sealed.drain(..SEAL_BYTES);
    Some(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_intact_bytes() {
        let mut sealed = seal(b"update");
        assert_eq!(unseal(&sealed), Some(b"update".as_slice()));
        for at in 0..sealed.len() {
            sealed[at] ^= 1;
            assert_eq!(unseal(&sealed), None, "byte {at}");
            sealed[at] ^= 1;
        }
        assert_eq!(unseal(b"short"), None);
        assert_eq!(into_unsealed(sealed), Some(b"update".to_vec()));
    }
}
