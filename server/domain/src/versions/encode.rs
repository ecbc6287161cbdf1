//! Encoding of version content as a record (DESIGN §3): a snapshot, possibly in chunks, or a delta.
//! A record has both during a demotion and after a version was promoted back to a snapshot.

mod patch;

pub(super) use patch::Patch;

use crate::storage::{Data, NewRecord, Record, RecordPath, StoreError, StoreResult, Value};
use izanagi_shared::id::{CommitId, DocumentId};
use uuid::Uuid;

/// Longer texts are split into chunks, because a BSON document is limited to 16 MiB.
pub(super) const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// A reverse delta with its base. A hash of the base would add nothing: every read ends with the
/// hash of the version that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reverse {
    pub(super) base: CommitId,
    pub(super) patch: Patch,
}

/// A decoded content record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) hash: [u8; 32],
    pub(super) whole: Option<Whole>,
    pub(super) reverse: Option<Reverse>,
}

/// Location of the full text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whole {
    Inline(String),
    Chunks(usize),
}

impl Stored {
    /// Returns the records of new content. Chunks come first, so that a manifest never names a
    /// missing chunk.
    pub(super) fn new_records(
        document: DocumentId,
        commit: CommitId,
        text: &str,
        hash: [u8; 32],
    ) -> Vec<NewRecord> {
        let (whole, mut records) = Self::whole_of(document, commit, text);
        let stored = Self { hash, whole: Some(whole), reverse: None };
        let path = RecordPath::content(document, commit);
        records.push(NewRecord { path, data: stored.to_data() });
        records
    }

    /// Returns the snapshot field of a record, and the records of its chunks.
    pub(super) fn whole_of(
        document: DocumentId,
        commit: CommitId,
        text: &str,
    ) -> (Whole, Vec<NewRecord>) {
        if text.len() <= CHUNK_BYTES {
            return (Whole::Inline(text.to_owned()), Vec::new());
        }
        let record = |(index, chunk): (usize, &str)| {
            let data = Data::from([("text".to_owned(), Value::from(chunk))]);
            NewRecord { path: RecordPath::chunk(document, commit, index), data }
        };
        let records: Vec<_> = chunks_of(text).into_iter().enumerate().map(record).collect();
        (Whole::Chunks(records.len()), records)
    }

    pub(super) fn to_data(&self) -> Data {
        let mut data = Data::new();
        let mut set = |field: &str, value: Value| drop(data.insert(field.to_owned(), value));
        set("type", if self.whole.is_some() { "snapshot" } else { "delta" }.into());
        set("hash", self.hash.into());
        match &self.whole {
            Some(Whole::Inline(text)) => set("content", text.as_str().into()),
            Some(Whole::Chunks(count)) => set("chunks", Value::Int(*count as i64)),
            None => {}
        }
        if let Some(Reverse { base, patch }) = &self.reverse {
            set("base", base.0.into_bytes().into());
            set("format", patch.format().into());
            set("patch", patch.to_value());
            if let Some(print) = patch.print() {
                set("print", print.into());
            }
        }
        data
    }

    /// Decodes a record.
    pub(super) fn parse(record: Record) -> StoreResult<Self> {
        let path = record.path;
        let mut data = record.data;
        let corrupt = |what: &str| StoreError::Corrupt(format!("{path}: {what}"));
        let hash = bytes_of(&data, "hash").ok_or_else(|| corrupt("no hash"))?;
        let whole = match (data.remove("content"), data.get("chunks")) {
            (Some(Value::Text(text)), _) => Some(Whole::Inline(text)),
            (None, Some(count)) => {
                let count = count.as_int().and_then(|count| usize::try_from(count).ok());
                Some(Whole::Chunks(count.ok_or_else(|| corrupt("bad manifest"))?))
            }
            (None, None) => None,
            (Some(_), _) => return Err(corrupt("content is not text")),
        };
        // A bad patch loses nothing while the full text is still there.
        let reverse = data.remove("patch").and_then(|patch| parse_reverse(&data, patch));
        if whole.is_none() && reverse.is_none() {
            return Err(corrupt("neither content nor a readable patch"));
        }
        Ok(Self { hash, whole, reverse })
    }
}

fn parse_reverse(data: &Data, patch: Value) -> Option<Reverse> {
    let print = data.get("print").and_then(Value::as_text);
    let patch = Patch::from_value(data.get("format")?.as_text()?, patch, print)?;
    let base = CommitId(Uuid::from_bytes(bytes_of(data, "base")?));
    Some(Reverse { base, patch })
}

fn bytes_of<const N: usize>(data: &Data, field: &str) -> Option<[u8; N]> {
    data.get(field)?.as_bytes()
}

/// Splits a text into chunks of at most [`CHUNK_BYTES`] at character boundaries.
fn chunks_of(text: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (chunk, tail) = rest.split_at(rest.floor_char_boundary(CHUNK_BYTES));
        chunks.push(chunk);
        rest = tail;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256;
    use izanagi_shared::rules::DocumentKind;

    fn ids() -> (DocumentId, CommitId) {
        (DocumentId(Uuid::from_u128(1)), CommitId(Uuid::from_u128(2)))
    }

    fn as_record(new: NewRecord) -> Record {
        let at = izanagi_shared::time::Timestamp::default();
        let NewRecord { path, data } = new;
        Record { path, data, version: 1, created_at: at, updated_at: at, deleted: false }
    }

    #[test]
    fn a_short_text_is_one_record() {
        let (document, commit) = ids();
        let mut records = Stored::new_records(document, commit, "hello\n", sha256("hello\n"));
        assert_eq!(records.len(), 1);
        let stored = Stored::parse(as_record(records.remove(0))).unwrap();
        assert_eq!(stored.whole, Some(Whole::Inline("hello\n".to_owned())));
        assert_eq!(stored.hash, sha256("hello\n"));
    }

    #[test]
    fn a_long_text_is_cut_on_characters() {
        let text = format!("x{}", "🦀".repeat(CHUNK_BYTES / 4 + 10));
        let chunks = chunks_of(&text);
        assert_eq!(chunks.concat(), text);
        assert!(chunks.len() == 2 && chunks.iter().all(|chunk| chunk.len() <= CHUNK_BYTES));
        let (document, commit) = ids();
        let records = Stored::new_records(document, commit, &text, sha256(&text));
        assert_eq!(records.len(), 3);
        let manifest = records.last().unwrap().clone();
        assert_eq!(Stored::parse(as_record(manifest)).unwrap().whole, Some(Whole::Chunks(2)));
    }

    #[test]
    fn a_delta_reads_back_from_its_record() {
        let (document, commit) = ids();
        for (kind, newer, older) in
            [(DocumentKind::Text, "one two", "one"), (DocumentKind::Json, "{\"a\":1}", "{\"a\":2}")]
        {
            let reverse = Reverse {
                base: CommitId(Uuid::from_u128(3)),
                patch: Patch::between(kind, newer, older),
            };
            let stored = Stored { hash: sha256(older), whole: None, reverse: Some(reverse) };
            let path = RecordPath::content(document, commit);
            let record = as_record(NewRecord { path, data: stored.to_data() });
            assert_eq!(Stored::parse(record).unwrap(), stored);
        }
    }
}
