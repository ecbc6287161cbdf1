//! Hash chain (PRODUCT V12): each version's hash covers its parent's, so that rewriting history is
//! detectable.

use crate::{hash::sha256_parts, storage::VersionRow};
use izanagi_shared::{id::ActorId, time::Timestamp, wire::VersionNote};

/// SHA-256 over the parent's chain hash (empty for the first version), the content hash, the
/// author's id, the message, the time in microseconds (big-endian), and the title if there is one,
/// each prefixed with its length.
#[must_use]
pub fn chain_hash(
    parent: Option<&[u8; 32]>,
    content_hash: &[u8; 32],
    author: ActorId,
    note: &VersionNote,
    at: Timestamp,
) -> [u8; 32] {
    let at = at.as_micros().to_be_bytes();
    let mut parts = vec![
        parent.map_or(&[][..], |hash| hash.as_slice()),
        content_hash,
        author.0.as_bytes(),
        note.message.as_bytes(),
        &at,
    ];
    parts.extend(note.title.as_deref().map(str::as_bytes));
    sha256_parts(&parts)
}

impl VersionRow {
    /// Whether the chain hash follows from what it covers and from the preceding version, and the
    /// other facts match their checksum. If not, one of these was changed, or the preceding version is
    /// missing.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        let author = self.author.id.into();
        let has_parent = self.parent_chain_hash.is_some() == (self.number > 1);
        let chain_hash = chain_hash(
            self.parent_chain_hash.as_ref(),
            &self.content_hash,
            author,
            &self.note,
            self.created_at,
        );
        self.has_intact_facts && has_parent && chain_hash == self.chain_hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn every_part_counts() {
        let author = ActorId(Uuid::from_u128(1));
        let at = Timestamp::from_micros(1);
        let note = |message: &str, title: Option<&str>| VersionNote {
            message: message.to_owned(),
            title: title.map(str::to_owned),
        };
        let base = chain_hash(None, &[1; 32], author, &note("m", None), at);
        let others = [
            chain_hash(Some(&[0; 32]), &[1; 32], author, &note("m", None), at),
            chain_hash(None, &[2; 32], author, &note("m", None), at),
            chain_hash(None, &[1; 32], ActorId(Uuid::from_u128(2)), &note("m", None), at),
            chain_hash(None, &[1; 32], author, &note("n", None), at),
            chain_hash(None, &[1; 32], author, &note("m", Some("")), at),
            chain_hash(None, &[1; 32], author, &note("m", None), Timestamp::from_micros(2)),
        ];
        assert!(others.iter().all(|other| *other != base));
    }
}
