//! How the content of a version looks as a record (DESIGN §3): whole, in chunks, as a delta, or,
//! while it is being demoted and since it was made whole again, both at once.

use crate::storage::{Data, NewRecord, Record, RecordPath, StoreError, StoreResult};
use izanagi_shared::{
    id::{CommitId, DocumentId},
    rules::DocumentKind,
    text::delta::TextDelta,
};
use serde_json::{Value, json};

/// A record holds at most this much text; a longer one lies in chunks (a BSON document ends at
/// 16 MiB).
pub(super) const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// The way back from one version to the one before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Patch {
    Text(TextDelta),
    /// RFC 6902, with how the result is printed.
    Json {
        patch: json_patch::Patch,
        style: JsonStyle,
    },
}

/// How a JSON text is printed, so that its bytes can be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonStyle {
    Compact,
    CompactLine,
    Pretty,
    PrettyLine,
}

impl JsonStyle {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Compact, "compact"),
        (Self::CompactLine, "compact+lf"),
        (Self::Pretty, "pretty"),
        (Self::PrettyLine, "pretty+lf"),
    ];

    fn print(self, value: &Value) -> Option<String> {
        let mut text = match self {
            Self::Compact | Self::CompactLine => serde_json::to_string(value).ok()?,
            Self::Pretty | Self::PrettyLine => serde_json::to_string_pretty(value).ok()?,
        };
        if matches!(self, Self::CompactLine | Self::PrettyLine) {
            text.push('\n');
        }
        Some(text)
    }

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(style, _)| *style == self).map_or("compact", |(_, name)| name)
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(style, _)| style)
    }
}

impl Patch {
    /// The way from `newer` to `older`: a JSON Patch where that gives exactly those bytes, a text
    /// delta otherwise.
    pub(super) fn between(kind: DocumentKind, newer: &str, older: &str) -> Self {
        let json = (kind == DocumentKind::Json).then(|| Self::json_between(newer, older)).flatten();
        json.unwrap_or_else(|| Self::Text(TextDelta::between(newer, older)))
    }

    fn json_between(newer: &str, older: &str) -> Option<Self> {
        let parse = |text: &str| {
            izanagi_shared::json::check(text).ok()?;
            serde_json::from_str::<Value>(text).ok()
        };
        let (newer_value, older_value) = (parse(newer)?, parse(older)?);
        let prints = |style: JsonStyle| style.print(&older_value).as_deref() == Some(older);
        let (style, _) = JsonStyle::ALL.into_iter().find(|(style, _)| prints(*style))?;
        let patch = json_patch::diff(&newer_value, &older_value);
        let candidate = Self::Json { patch, style };
        (candidate.apply(newer).ok()? == older).then_some(candidate)
    }

    /// The older text.
    pub(super) fn apply(&self, newer: &str) -> StoreResult<String> {
        let corrupt = |what: String| StoreError::Corrupt(what);
        match self {
            Self::Text(delta) => delta.apply(newer).map_err(|error| corrupt(error.to_string())),
            Self::Json { patch, style } => {
                let mut value: Value =
                    serde_json::from_str(newer).map_err(|error| corrupt(error.to_string()))?;
                json_patch::patch(&mut value, patch).map_err(|error| corrupt(error.to_string()))?;
                style.print(&value).ok_or_else(|| corrupt("cannot print JSON".to_owned()))
            }
        }
    }

    /// Bytes of its JSON form.
    pub(super) fn stored_bytes(&self) -> usize {
        self.to_value().to_string().len()
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Text(delta) => json!(delta),
            Self::Json { patch, .. } => json!(patch),
        }
    }
}

/// Where the way back starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reverse {
    pub(super) base: CommitId,
    pub(super) base_hash: [u8; 32],
    pub(super) patch: Patch,
}

/// What a content record says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) hash: [u8; 32],
    pub(super) whole: Option<Whole>,
    pub(super) reverse: Option<Reverse>,
}

/// Where the whole text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whole {
    Inline(String),
    Chunks(usize),
}

impl Stored {
    /// The records of a new content: chunks first, so that a manifest never names what is not there.
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

    /// A whole text as a record holds it, and the records of its chunks.
    pub(super) fn whole_of(
        document: DocumentId,
        commit: CommitId,
        text: &str,
    ) -> (Whole, Vec<NewRecord>) {
        if text.len() <= CHUNK_BYTES {
            return (Whole::Inline(text.to_owned()), Vec::new());
        }
        let record = |(index, chunk): (usize, &str)| {
            let data = Data::from_iter([("text".to_owned(), Value::from(chunk))]);
            NewRecord { path: RecordPath::chunk(document, commit, index), data }
        };
        let records: Vec<_> = chunks_of(text).into_iter().enumerate().map(record).collect();
        (Whole::Chunks(records.len()), records)
    }

    pub(super) fn to_data(&self) -> Data {
        let mut data = Data::new();
        let kind = if self.whole.is_some() { "snapshot" } else { "delta" };
        data.insert("type".to_owned(), kind.into());
        data.insert("hash".to_owned(), hex::encode(self.hash).into());
        let whole = self.whole.as_ref().map(|whole| match whole {
            Whole::Inline(text) => ("content", Value::from(text.as_str())),
            Whole::Chunks(count) => ("chunks", Value::from(*count)),
        });
        data.extend(whole.map(|(field, value)| (field.to_owned(), value)));
        if let Some(reverse) = &self.reverse {
            data.insert("base".to_owned(), reverse.base.to_string().into());
            data.insert("baseHash".to_owned(), hex::encode(reverse.base_hash).into());
            data.insert("patch".to_owned(), reverse.patch.to_value());
            let format = match &reverse.patch {
                Patch::Text(_) => "text",
                Patch::Json { style, .. } => {
                    data.insert("print".to_owned(), style.name().into());
                    "json-patch"
                }
            };
            data.insert("format".to_owned(), format.into());
        }
        data
    }

    /// Reads a record.
    pub(super) fn parse(record: Record) -> StoreResult<Self> {
        let path = record.path;
        let mut data = record.data;
        let corrupt = |what: &str| StoreError::Corrupt(format!("{path}: {what}"));
        let hash = hash_of(&data, "hash").ok_or_else(|| corrupt("no hash"))?;
        let whole = match (data.remove("content"), data.get("chunks")) {
            (Some(Value::String(text)), _) => Some(Whole::Inline(text)),
            (None, Some(count)) => {
                let count = count.as_u64().and_then(|count| usize::try_from(count).ok());
                Some(Whole::Chunks(count.ok_or_else(|| corrupt("bad manifest"))?))
            }
            (None, None) => None,
            (Some(_), _) => return Err(corrupt("content is no text")),
        };
        // Beside a whole text a bad patch is no loss.
        let reverse = data.remove("patch").and_then(|patch| parse_reverse(&data, patch));
        if whole.is_none() && reverse.is_none() {
            return Err(corrupt("neither content nor a patch that can be read"));
        }
        Ok(Self { hash, whole, reverse })
    }
}

fn parse_reverse(data: &Data, patch: Value) -> Option<Reverse> {
    let patch = match data.get("format")?.as_str()? {
        "text" => Patch::Text(serde_json::from_value(patch).ok()?),
        "json-patch" => Patch::Json {
            patch: serde_json::from_value(patch).ok()?,
            style: JsonStyle::parse(data.get("print")?.as_str()?)?,
        },
        _ => return None,
    };
    let base = data.get("base")?.as_str()?.parse().ok()?;
    Some(Reverse { base, base_hash: hash_of(data, "baseHash")?, patch })
}

fn hash_of(data: &Data, field: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(data.get(field)?.as_str()?, &mut hash).ok()?;
    Some(hash)
}

/// Cuts a text into pieces of at most [`CHUNK_BYTES`] on character boundaries.
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
    use rstest::rstest;
    use uuid::Uuid;

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

    #[rstest]
    #[case::sorted_compact(r#"{"a":1,"b":[1,2]}"#, r#"{"a":2,"b":[1]}"#, true)]
    #[case::sorted_pretty("{\n  \"a\": 1\n}\n", "{\n  \"a\": 2\n}\n", true)]
    #[case::other_spacing(r#"{"a": 1}"#, r#"{"a":  2}"#, false)]
    #[case::broken(r#"{"a":"#, r#"{"a":1}"#, false)]
    #[case::numbers_that_do_not_print_back(r#"{"a":1}"#, r#"{"a":1.0e3}"#, false)]
    fn json_patches_only_where_they_give_the_bytes(
        #[case] newer: &str,
        #[case] older: &str,
        #[case] as_json: bool,
    ) {
        let patch = Patch::between(DocumentKind::Json, newer, older);
        assert_eq!(matches!(patch, Patch::Json { .. }), as_json);
        assert_eq!(patch.apply(newer).unwrap(), older);
    }

    #[test]
    fn a_delta_reads_back_from_its_record() {
        let (document, commit) = ids();
        for (kind, newer, older) in
            [(DocumentKind::Text, "one two", "one"), (DocumentKind::Json, "{\"a\":1}", "{\"a\":2}")]
        {
            let reverse = Reverse {
                base: CommitId(Uuid::from_u128(3)),
                base_hash: sha256(newer),
                patch: Patch::between(kind, newer, older),
            };
            let stored = Stored { hash: sha256(older), whole: None, reverse: Some(reverse) };
            let path = RecordPath::content(document, commit);
            let record = as_record(NewRecord { path, data: stored.to_data() });
            assert_eq!(Stored::parse(record).unwrap(), stored);
        }
    }
}
