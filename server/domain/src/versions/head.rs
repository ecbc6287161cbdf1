//! The newest version of a document, as needed for the next one.

use super::Versions;
use crate::{
    documents::Editor,
    error::{Error, Internal, Result},
    storage::{DocumentRow, Freshness, VersionRow},
};
use izanagi_shared::id::CommitId;
use lru::LruCache;
use parking_lot::Mutex;
use std::{num::NonZeroUsize, sync::Arc};

/// Immutable facts of a version that the next one builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) number: u64,
    pub(super) commit_id: CommitId,
    pub(super) content_hash: [u8; 32],
    pub(super) chain_hash: [u8; 32],
}

impl From<&VersionRow> for Head {
    fn from(row: &VersionRow) -> Self {
        let VersionRow { number, commit_id, content_hash, chain_hash, .. } = *row;
        Self { number, commit_id, content_hash, chain_hash }
    }
}

const CAPACITY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4_095);

/// Cache of recent heads. Commits are immutable, so entries are never stale.
#[derive(Clone)]
pub(super) struct Heads(Arc<Mutex<LruCache<CommitId, Head>>>);

impl Default for Heads {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(CAPACITY))))
    }
}

impl Heads {
    pub(super) fn put(&self, head: Head) {
        self.0.lock().put(head.commit_id, head);
    }

    fn get(&self, commit: CommitId) -> Option<Head> {
        self.0.lock().get(&commit).copied()
    }
}

impl Versions {
    /// Returns the document and its newest version, if any.
    pub(super) async fn head(&self, editor: &Editor) -> Result<(DocumentRow, Option<Head>)> {
        let row = self.core.stores.relational.catalog.get(editor.id()).await;
        let row = row.map_err(Error::missing("document"))?;
        let head = self.head_of(&row).await?;
        Ok((row, head))
    }

    /// Returns the newest version, given the document's row.
    ///
    /// # Errors
    /// `CorruptDocument` if the row is damaged: a version would follow the wrong one.
    pub(super) async fn head_of(&self, row: &DocumentRow) -> Result<Option<Head>> {
        if row.damage.head {
            let what = "the newest version does not match its checksum";
            return Err(Error::CorruptDocument(Internal::new(what)));
        }
        let Some(commit) = row.head_commit else { return Ok(None) };
        if let Some(head) = self.heads.get(commit) {
            return Ok(Some(head));
        }
        let head = Head::from(
            &self
                .core
                .stores
                .relational
                .versions
                .get(Freshness::Fresh, row.id, row.head_version)
                .await?,
        );
        self.heads.put(head);
        Ok(Some(head))
    }
}
