//! What the log keeps is sealed: the bytes behind their SHA-256. A CRDT state with a flipped bit
//! may well decode, into another text; with the seal broken it is never looked at (PRODUCT, the
//! fourth promise). The seal is made and checked here, above every provider.

use crate::hash::sha256;

const SEAL_BYTES: usize = 32;

/// The bytes with their hash in front.
#[must_use]
pub(crate) fn seal(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(SEAL_BYTES + bytes.len());
    sealed.extend_from_slice(&sha256(bytes));
    sealed.extend_from_slice(bytes);
    sealed
}

/// The bytes, if they have their hash.
#[must_use]
pub(crate) fn unseal(sealed: &[u8]) -> Option<&[u8]> {
    let (hash, bytes) = sealed.split_at_checked(SEAL_BYTES)?;
    (sha256(bytes) == hash).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let mut sealed = seal(b"update");
        assert_eq!(unseal(&sealed), Some(b"update".as_slice()));
        for at in 0..sealed.len() {
            sealed[at] ^= 1;
            assert_eq!(unseal(&sealed), None, "byte {at}");
            sealed[at] ^= 1;
        }
        assert_eq!(unseal(b"short"), None);
    }
}
