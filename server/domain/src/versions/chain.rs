//! Hash chain (PRODUCT V12): each version's hash covers its parent's, so that rewriting history is
//! detectable.

use crate::hash::sha256_parts;
use izanagi_shared::{id::ActorId, time::Timestamp};

/// SHA-256 over the parent's chain hash (empty for the first version), the content hash, the
/// author's id, the message, and the time in microseconds (big-endian), each prefixed with its
/// length.
#[must_use]
pub fn chain_hash(
    parent: Option<&[u8; 32]>,
    content_hash: &[u8; 32],
    author: ActorId,
    message: &str,
    at: Timestamp,
) -> [u8; 32] {
    sha256_parts(&[
        parent.map_or(&[], |hash| hash.as_slice()),
        content_hash,
        author.0.as_bytes(),
        message.as_bytes(),
        &at.as_micros().to_be_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_part_counts() {
        let author = ActorId(Uuid::from_u128(1));
        let at = Timestamp::from_micros(1);
        let base = chain_hash(None, &[1; 32], author, "m", at);
        let others = [
            chain_hash(Some(&[0; 32]), &[1; 32], author, "m", at),
            chain_hash(None, &[2; 32], author, "m", at),
            chain_hash(None, &[1; 32], ActorId(Uuid::from_u128(2)), "m", at),
            chain_hash(None, &[1; 32], author, "n", at),
            chain_hash(None, &[1; 32], author, "m", Timestamp::from_micros(2)),
        ];
        assert!(others.iter().all(|other| *other != base));
    }
}
