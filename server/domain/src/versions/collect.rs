//! Collecting what attempts to commit have left (DESIGN §5): an open intent that has expired is
//! closed under its lock, and only then is the content of that attempt erased.

use super::Versions;
use crate::{error::Result, storage::RecordPath};
use izanagi_shared::id::{CommitId, DocumentId};

/// How many attempts are looked at in one go.
const BATCH: u32 = 100;

impl Versions {
    /// Collects everything that can be; gives how many attempts were erased.
    ///
    /// # Errors
    /// `Unavailable`; what was not reached is collected the next time.
    pub async fn collect_garbage(&self) -> Result<u64> {
        loop {
            let now = self.clock.now();
            let expired = self.stores.intents.expired(now, BATCH).await?;
            for intent in &expired {
                self.stores.intents.condemn(intent.commit_id, now).await?;
            }
            if (expired.len() as u64) < u64::from(BATCH) {
                break;
            }
        }
        let mut erased = 0;
        loop {
            let condemned = self.stores.intents.condemned(BATCH).await?;
            for intent in &condemned {
                self.erase_content(intent.document_id, intent.commit_id).await?;
                self.stores.intents.erased(intent.commit_id, self.clock.now()).await?;
                erased += 1;
            }
            if (condemned.len() as u64) < u64::from(BATCH) {
                return Ok(erased);
            }
        }
    }

    /// Removes the records of one content, the chunks last: a manifest never names what is gone
    /// while it can still be read.
    pub(super) async fn erase_content(&self, document: DocumentId, commit: CommitId) -> Result<()> {
        let records = &self.stores.records;
        records.purge(&RecordPath::content(document, commit)).await?;
        let first = RecordPath::chunk(document, commit, 0);
        loop {
            let chunks = records.query(first.collection(), None, BATCH, true).await?;
            for chunk in &chunks {
                records.purge(&chunk.path).await?;
            }
            if chunks.is_empty() {
                return Ok(());
            }
        }
    }
}
