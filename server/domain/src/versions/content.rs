//! Reading version content: follows the bases of the deltas up to a snapshot, applies the deltas
//! back down, and verifies the hash (DESIGN §5).

use super::{
    Versions,
    encode::{Patch, Stored, Whole},
};
use crate::{
    error::{Error, Internal, Result},
    hash::sha256,
    storage::{Record, RecordPath, StoreError, StoreResult, Value, VersionRow},
};
use izanagi_shared::id::{CommitId, DocumentId};
use std::{collections::HashMap, sync::Arc};

use super::demote::KEYFRAME_EVERY;

/// State of a content record, for `fsck`.
pub(crate) struct Form {
    /// The record has no snapshot; its type is `delta`.
    pub(crate) is_delta: bool,
    /// The full text is present, in the record or in all of its chunks.
    pub(crate) is_whole: bool,
    /// Number of chunks it names.
    pub(crate) chunks: usize,
    /// Hash of its text, as recorded.
    pub(crate) hash: [u8; 32],
    /// Commit of its delta's base.
    pub(crate) base: Option<CommitId>,
}

/// One traversal of the store: the records read, with their record versions.
#[derive(Default)]
struct Walk {
    records: HashMap<CommitId, Record>,
    /// In reading order. Equal lists mean that two traversals saw the same records.
    seen: Vec<(CommitId, u64)>,
}

impl Versions {
    /// Returns the verified content of a version.
    ///
    /// # Errors
    /// `CorruptVersion`; unverified bytes are never returned.
    pub(super) async fn content(&self, row: &VersionRow) -> Result<Arc<str>> {
        if let Some(text) = self.cache.get(row.commit_id) {
            return Ok(text);
        }
        let text = self.content_from_store(row).await?;
        self.cache.put(row.commit_id, Arc::clone(&text));
        Ok(text)
    }

    /// Returns the verified content of a version from the store, bypassing the cache.
    pub(crate) async fn content_from_store(&self, row: &VersionRow) -> Result<Arc<str>> {
        // A concurrent demotion can make a traversal see a record in two states, so retry. If the
        // records have not changed since, they are damaged.
        let mut before: Option<Vec<(CommitId, u64)>> = None;
        loop {
            let mut walk = Walk::default();
            let result = self.walk(row, &mut walk).await;
            let wrong = match result {
                Ok(text) if sha256(&text) == row.content_hash => return Ok(text.into()),
                Ok(_) => "the content does not match its hash".to_owned(),
                Err(StoreError::Corrupt(what)) => what,
                Err(StoreError::NotFound) => "a record is missing".to_owned(),
                Err(error) => return Err(error.into()),
            };
            if before.as_ref() == Some(&walk.seen) {
                let internal = Internal::new(format!("{}: {wrong}", row.commit_id));
                return Err(Error::CorruptVersion { number: row.number, internal });
            }
            before = Some(walk.seen);
        }
    }

    async fn walk(&self, row: &VersionRow, walk: &mut Walk) -> StoreResult<String> {
        let document = row.document_id;
        let mut steps: Vec<Patch> = Vec::new();
        let mut at = row.commit_id;
        loop {
            let record = self.record(row, at, walk).await?;
            walk.seen.push((at, record.version));
            let Stored { hash, whole, reverse } = Stored::parse(record)?;
            if let Some(whole) = whole {
                match self.whole_text(document, at, whole).await {
                    Ok(text) if reverse.is_none() || sha256(&text) == hash => {
                        return steps.iter().rev().try_fold(text, |text, patch| patch.apply(&text));
                    }
                    Err(error) if reverse.is_none() => return Err(error),
                    // A chunk is missing or damaged; fall back to the delta.
                    Ok(_) | Err(StoreError::NotFound | StoreError::Corrupt(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            match reverse {
                Some(reverse) if (steps.len() as u64) < KEYFRAME_EVERY => {
                    steps.push(reverse.patch);
                    at = reverse.base;
                }
                _ => return Err(StoreError::Corrupt(format!("{at}: too many deltas"))),
            }
        }
    }

    /// Returns a record on the path. The first is read alone, because it is often a snapshot;
    /// otherwise the records it may lead to are fetched together.
    async fn record(
        &self,
        row: &VersionRow,
        commit: CommitId,
        walk: &mut Walk,
    ) -> StoreResult<Record> {
        if let Some(record) = walk.records.remove(&commit) {
            return Ok(record);
        }
        if !walk.seen.is_empty() && walk.records.is_empty() {
            let last = row.number.next_multiple_of(KEYFRAME_EVERY);
            let rows = self
                .core
                .stores
                .relational
                .versions
                .range(row.document_id, row.number + 1, last)
                .await?;
            let wanted = rows.iter().scan(false, |past_whole, row| {
                let take = !*past_whole;
                *past_whole |= !row.is_delta;
                take.then(|| RecordPath::content(row.document_id, row.commit_id))
            });
            let paths: Vec<RecordPath> = wanted.collect();
            for record in self.core.stores.documents.get_copies(&paths).await? {
                if let Ok(id) = record.path.id().parse() {
                    walk.records.insert(id, record);
                }
            }
            if let Some(record) = walk.records.remove(&commit) {
                return Ok(record);
            }
        }
        self.core.stores.documents.get(&RecordPath::content(row.document_id, commit)).await
    }

    /// Returns the state of a version's record.
    ///
    /// # Errors
    /// `NotFound` if there is none, `Corrupt` if it cannot be decoded.
    pub(crate) async fn form(&self, row: &VersionRow) -> StoreResult<Form> {
        let (document, commit) = (row.document_id, row.commit_id);
        let record = self.core.stores.documents.get(&RecordPath::content(document, commit)).await?;
        let is_delta = record.data.get("type").and_then(Value::as_text) == Some("delta");
        let Stored { hash, whole, reverse } = Stored::parse(record)?;
        let chunks = if let Some(Whole::Chunks(count)) = whole { count } else { 0 };
        let is_whole = match whole {
            Some(whole) if !is_delta => match self.whole_text(document, commit, whole).await {
                Ok(text) => sha256(&text) == row.content_hash,
                Err(StoreError::NotFound | StoreError::Corrupt(_)) => false,
                Err(error) => return Err(error),
            },
            _ => false,
        };
        let base = reverse.map(|reverse| reverse.base);
        Ok(Form { is_delta, is_whole, chunks, hash, base })
    }

    pub(super) async fn whole_text(
        &self,
        document: DocumentId,
        commit: CommitId,
        whole: Whole,
    ) -> StoreResult<String> {
        let count = match whole {
            Whole::Inline(text) => return Ok(text),
            Whole::Chunks(count) => count,
        };
        let mut text = String::new();
        for index in 0..count {
            let record =
                self.core.stores.documents.get(&RecordPath::chunk(document, commit, index)).await?;
            let chunk = record.data.get("text").and_then(Value::as_text);
            let path = &record.path;
            text.push_str(chunk.ok_or_else(|| StoreError::Corrupt(format!("{path}: no text")))?);
        }
        Ok(text)
    }
}
