//! Commits in one transaction, as long as the contents are in the relational database alone.

use super::Routed;
use async_trait::async_trait;
use izanagi_domain::storage::{AtomicCommit, CommitOutcome, NewRecord, NewVersion, StoreResult};
use std::sync::Arc;

/// Commits of a routed store.
pub(crate) struct RoutedCommits {
    pub(crate) routed: Arc<Routed>,
    pub(crate) users: Arc<dyn AtomicCommit>,
}

#[async_trait]
impl AtomicCommit for RoutedCommits {
    async fn commit_with_content(
        &self,
        records: &[NewRecord],
        version: &NewVersion,
    ) -> StoreResult<Option<CommitOutcome>> {
        let (route, pass) = self.routed.begin_write().await?;
        if !route.is_atomic {
            return Ok(None);
        }
        // The transaction itself fails once a move is known, however late it runs.
        let outcome = self.users.commit_with_content(records, version).await;
        drop(pass);
        outcome
    }
}
