//! Encoding of stored snapshots. Its checksum covers document and seq, so that a snapshot is not
//! accepted in another place. It names the log rows that it could not absorb, so that a missing one
//! is noticed.

use crate::{hash::sha256_parts, zstd_frame::decompress};
use izanagi_shared::id::DocumentId;

const HASH_BYTES: usize = 32;
/// States of fewer bytes are not compressed.
const COMPRESSED_FROM: usize = 512;
/// A fast level, because rooms wait for it.
const LEVEL: i32 = 3;

const RAW: u8 = 0;
const ZSTD: u8 = 1;

/// A document's state at a seq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// A Yjs update (v1).
    pub(crate) state: Vec<u8>,
    /// Seqs of earlier updates that the state does not contain because they depend on missing ones.
    pub(crate) waiting: Vec<u64>,
    /// Whether a lineage starts here, so that no earlier state and edits lead to it.
    pub(crate) begins_lineage: bool,
}

impl Snapshot {
    /// Creates a snapshot that contains all updates up to its seq.
    pub(crate) const fn complete(state: Vec<u8>) -> Self {
        Self { state, waiting: Vec::new(), begins_lineage: false }
    }

    /// Creates the first snapshot of a lineage.
    pub(crate) const fn first(state: Vec<u8>) -> Self {
        Self { state, waiting: Vec::new(), begins_lineage: true }
    }

    /// Encodes the snapshot of a document at `seq`.
    pub(crate) fn encode(&self, document: DocumentId, seq: u64) -> Vec<u8> {
        let mut bytes = vec![0; HASH_BYTES];
        bytes.extend((self.waiting.len() as u64).to_le_bytes());
        self.waiting.iter().for_each(|seq| bytes.extend(seq.to_le_bytes()));
        bytes.push(self.begins_lineage.into());
        let is_long = self.state.len() >= COMPRESSED_FROM;
        if let Some(Ok(state)) = is_long.then(|| zstd::bulk::compress(&self.state, LEVEL)) {
            bytes.push(ZSTD);
            bytes.extend(state);
        } else {
            bytes.push(RAW);
            bytes.extend_from_slice(&self.state);
        }
        let hash = hash(document, seq, &bytes[HASH_BYTES..]);
        bytes[..HASH_BYTES].copy_from_slice(&hash);
        bytes
    }

    /// Decodes the snapshot of a document at `seq`; `None` if it is damaged.
    pub(crate) fn decode(document: DocumentId, seq: u64, stored: &[u8]) -> Option<Self> {
        let (stored_hash, mut bytes) = stored.split_at_checked(HASH_BYTES)?;
        if stored_hash != hash(document, seq, bytes) {
            return None;
        }
        let count = usize::try_from(number(&mut bytes)?).ok()?;
        if count > bytes.len() {
            return None;
        }
        let waiting = (0..count).map(|_| number(&mut bytes)).collect::<Option<_>>()?;
        let (begins_lineage, bytes) = bytes.split_first()?;
        let begins_lineage = *begins_lineage != 0;
        let state = match bytes.split_first()? {
            (&RAW, state) => state.to_vec(),
            (&ZSTD, state) => decompress(state)?,
            _ => return None,
        };
        Some(Self { state, waiting, begins_lineage })
    }
}

fn hash(document: DocumentId, seq: u64, bytes: &[u8]) -> [u8; 32] {
    sha256_parts(&[document.0.as_bytes(), &seq.to_le_bytes(), bytes])
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const DOCUMENT: DocumentId = DocumentId(Uuid::from_u128(1));

    #[test]
    fn decodes_what_it_encoded() {
        for length in [0, 10, 5_000] {
            let waiting = vec![3, 5];
            let snapshot = Snapshot { waiting, ..Snapshot::first(vec![7; length]) };
            let stored = snapshot.encode(DOCUMENT, 9);
            assert!(stored.len() < 200, "{}", stored.len());
            assert_eq!(Snapshot::decode(DOCUMENT, 9, &stored), Some(snapshot));
        }
    }

    #[test]
    fn decodes_only_intact_bytes_in_their_place() {
        let snapshot = Snapshot { waiting: vec![3], ..Snapshot::complete(b"state".to_vec()) };
        let mut stored = snapshot.encode(DOCUMENT, 9);
        for at in 0..stored.len() {
            stored[at] ^= 1;
            assert_eq!(Snapshot::decode(DOCUMENT, 9, &stored), None, "byte {at}");
            stored[at] ^= 1;
        }
        assert_eq!(Snapshot::decode(DOCUMENT, 8, &stored), None);
        assert_eq!(Snapshot::decode(DocumentId(Uuid::from_u128(2)), 9, &stored), None);
        assert_eq!(Snapshot::decode(DOCUMENT, 9, &stored[..20]), None);
    }
}
