//! The newest version of a document, as far as the next one needs it.

use super::Versions;
use crate::{
    documents::Editor,
    error::{Error, Result},
    storage::{DocumentRow, Freshness, VersionRow},
};
use izanagi_shared::id::CommitId;
use lru::LruCache;
use parking_lot::Mutex;
use std::{num::NonZeroUsize, sync::Arc};

/// What of a version never changes and the next one builds on.
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

/// Heads seen a moment ago. A commit never changes, so nothing in here can be stale.
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
    /// The document as it is now and its newest version, if it has any.
    pub(super) async fn head(&self, editor: &Editor) -> Result<(DocumentRow, Option<Head>)> {
        let row = self.core.stores.catalog.get(editor.id()).await;
        let row = row.map_err(Error::missing("document"))?;
        let head = self.head_of(&row).await?;
        Ok((row, head))
    }

    /// The newest version by a row of its document.
    pub(super) async fn head_of(&self, row: &DocumentRow) -> Result<Option<Head>> {
        let Some(commit) = row.head_commit else { return Ok(None) };
        if let Some(head) = self.heads.get(commit) {
            return Ok(Some(head));
        }
        let head = Head::from(
            &self.core.stores.versions.get(Freshness::Fresh, row.id, row.head_version).await?,
        );
        self.heads.put(head);
        Ok(Some(head))
    }
}
