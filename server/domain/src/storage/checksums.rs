//! Checksums of rows, by which damage to them is noticed: a number that is wrong is as bad as a text
//! that is wrong, and nothing else tells. Columns that are written together share one. They are
//! stored, so what they cover must not change for a row that exists.

use super::{DocumentRow, Restored, ShortHash, TextFacts, short_hash};
use crate::hash::sha256_parts;
use izanagi_shared::{
    id::{ActorId, CommitId, DocumentId},
    time::Timestamp,
    wire::Details,
};

/// Which parts of a document's row cannot be read, or do not match their checksum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowDamage {
    /// Kind, title and other details, creator, creation, trash or lineage. What cannot be read has its
    /// default.
    pub details: bool,
    /// The newest seq, or when and by whom the document was last changed.
    pub live: bool,
    /// The facts of the stored text.
    pub text: bool,
    /// The newest version.
    pub head: bool,
}

impl RowDamage {
    /// Whether anything is damaged.
    #[must_use]
    pub const fn any(self) -> bool {
        self.details || self.live || self.text || self.head
    }
}

fn checksum(parts: &[&[u8]]) -> ShortHash {
    short_hash(&sha256_parts(parts))
}

/// Covers what an update of the text changes in the row.
#[must_use]
pub fn live_hash(id: DocumentId, live_seq: u64, by: ActorId, at: Timestamp) -> ShortHash {
    let (seq, at) = (live_seq.to_le_bytes(), at.as_micros().to_le_bytes());
    checksum(&[b"live", id.0.as_bytes(), &seq, by.0.as_bytes(), &at])
}

/// Covers the facts of a stored text. With the seq: an old text must not pass as the newest.
#[must_use]
pub fn text_hash(id: DocumentId, facts: &TextFacts) -> ShortHash {
    let TextFacts { seq, hash, length, words } = facts;
    let (seq, length, words) = (seq.to_le_bytes(), length.to_le_bytes(), words.to_le_bytes());
    checksum(&[b"text", id.0.as_bytes(), &seq, hash, &length, &words])
}

/// Covers the newest version.
#[must_use]
pub fn head_hash(id: DocumentId, number: u64, commit: Option<CommitId>) -> ShortHash {
    let commit = commit.as_ref().map_or(&[][..], |commit| commit.0.as_bytes());
    checksum(&[b"head", id.0.as_bytes(), &number.to_le_bytes(), commit])
}

/// Covers the facts of a version that its chain hash does not.
#[must_use]
pub fn version_hash(
    commit: CommitId,
    [number, length, added, removed]: [u64; 4],
    name: Option<&str>,
    restored: Option<Restored>,
) -> ShortHash {
    let numbers = [number, length, added, removed].map(u64::to_le_bytes);
    let [number, length, added, removed] = &numbers;
    let mut parts: Vec<&[u8]> = vec![commit.0.as_bytes(), number, length, added, removed];
    parts.extend(name.map(str::as_bytes));
    let restored = restored.map(|restored| match restored {
        Restored::Version(number) => (b"restored_version".as_slice(), number.to_le_bytes()),
        Restored::Edit(seq) => (b"restored_edit".as_slice(), seq.to_le_bytes()),
    });
    if let Some((kind, number)) = &restored {
        parts.extend([*kind, number]);
    }
    checksum(&parts)
}

impl DocumentRow {
    /// Covers what its owners have set, and what never changes. A new field goes to the end, after its
    /// name, and only where it is set: a document without it keeps its checksum.
    #[must_use]
    pub fn details_hash(&self) -> ShortHash {
        // Without `..`, so that a new field does not go unnoticed.
        let Details { title, description, is_public, is_template, render_format } = &self.details;
        let flags = [u8::from(*is_public), u8::from(*is_template)];
        let seq = self.lineage_seq.to_le_bytes();
        let created_at = self.created_at.as_micros().to_le_bytes();
        let mut parts: Vec<&[u8]> = vec![
            self.id.0.as_bytes(),
            self.kind.as_str().as_bytes(),
            title.as_bytes(),
            description.as_bytes(),
            &flags,
            self.created_by.0.as_bytes(),
            &created_at,
            &self.lineage,
            &seq,
        ];
        if let Some(format) = render_format {
            parts.extend([b"render_format".as_slice(), format.as_str().as_bytes()]);
        }
        checksum(&parts)
    }

    /// The checksum of the newest seq.
    #[must_use]
    pub fn live_hash(&self) -> ShortHash {
        live_hash(self.id, self.live_seq, self.last_modified_by, self.updated_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::{rules::DocumentKind, wire::RenderFormat};
    use uuid::Uuid;

    fn row() -> DocumentRow {
        DocumentRow {
            id: DocumentId(Uuid::from_u128(1)),
            kind: DocumentKind::Markdown,
            details: Details {
                title: "Title".to_owned(),
                description: "Description".to_owned(),
                is_public: true,
                ..Details::default()
            },
            damage: RowDamage::default(),
            created_by: ActorId(Uuid::from_u128(2)),
            last_modified_by: ActorId(Uuid::from_u128(3)),
            head_version: 0,
            head_commit: None,
            live_seq: 4,
            lineage: [5; 16],
            lineage_seq: 0,
            meta_rev: 1,
            text: TextFacts::default(),
            created_at: Timestamp::from_micros(6),
            updated_at: Timestamp::from_micros(7),
            deleted_at: None,
        }
    }

    const STORED: &str = "a419abb63e115448bfd01032ff8165c5 \
        02263c412a02490d2421bd4cce8d0c44 \
        81314bd80521a87a2e5a66eba9712bad \
        6065d13984e86953a463fa637236a2a2 \
        b4afeac0437928a654600fbf811ee2f6";

    /// These are stored: another value would mark every row as damaged.
    #[test]
    fn stored_checksums_stay_the_same() {
        let row = row();
        let commit = CommitId(Uuid::from_u128(8));
        let hashes = [
            row.details_hash(),
            row.live_hash(),
            text_hash(row.id, &row.text),
            head_hash(row.id, 0, None),
            version_hash(commit, [1, 2, 3, 4], None, None),
        ];
        assert_eq!(hashes.map(hex::encode).join(" "), STORED);
    }

    #[test]
    fn the_hash_of_details_tells_each_field() {
        let plain = row();
        let with = |change: fn(&mut DocumentRow)| {
            let mut other = plain.clone();
            change(&mut other);
            other.details_hash()
        };
        let mut hashes = vec![
            plain.details_hash(),
            with(|row| row.kind = DocumentKind::Text),
            with(|row| {
                row.details.title = "TitleDescription".to_owned();
                row.details.description = String::new();
            }),
            with(|row| row.details.is_public = false),
            with(|row| row.details.is_template = true),
            with(|row| row.details.render_format = Some(RenderFormat::Html)),
            with(|row| row.details.render_format = Some(RenderFormat::Markdown)),
            with(|row| row.created_by = ActorId(Uuid::nil())),
            with(|row| row.created_at = Timestamp::default()),
            with(|row| row.lineage = [6; 16]),
            with(|row| row.lineage_seq = 1),
            with(|row| row.id = DocumentId(Uuid::nil())),
        ];
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }

    #[test]
    fn the_other_hashes_tell_each_field() {
        let (id, by, at) = (row().id, ActorId(Uuid::nil()), Timestamp::default());
        let facts = TextFacts::default();
        let commit = CommitId(Uuid::nil());
        let mut hashes = vec![
            live_hash(id, 1, by, at),
            live_hash(id, 2, by, at),
            live_hash(id, 1, ActorId(Uuid::max()), at),
            live_hash(id, 1, by, Timestamp::from_micros(1)),
            text_hash(id, &facts),
            text_hash(id, &TextFacts { seq: 1, ..facts }),
            text_hash(id, &TextFacts { hash: [1; 32], ..facts }),
            text_hash(id, &TextFacts { length: 1, ..facts }),
            text_hash(id, &TextFacts { words: 1, ..facts }),
            head_hash(id, 1, Some(commit)),
            head_hash(id, 2, Some(commit)),
            head_hash(id, 1, None),
            version_hash(commit, [1, 2, 3, 4], None, None),
            version_hash(commit, [2, 1, 3, 4], None, None),
            version_hash(commit, [1, 2, 4, 3], None, None),
            version_hash(commit, [1, 2, 3, 4], Some(""), None),
            version_hash(commit, [1, 2, 3, 4], None, Some(Restored::Version(1))),
            version_hash(commit, [1, 2, 3, 4], None, Some(Restored::Version(2))),
            version_hash(commit, [1, 2, 3, 4], None, Some(Restored::Edit(1))),
        ];
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }
}
