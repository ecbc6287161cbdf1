//! The invariants of contents: each reads back, those that must be whole are, and each belongs to
//! somebody.

use super::{FaultKind, Fsck, document::Findings};
use crate::{
    error::{Error, Result},
    storage::{DocumentRow, IntentStatus, RecordPath, StoreError, VersionRow},
    versions::KEYFRAME_EVERY,
};
use izanagi_shared::id::{CommitId, DocumentId};
use std::collections::HashMap;

const BATCH: u32 = 256;

impl Fsck {
    pub(super) async fn check_content(
        &self,
        version: &VersionRow,
        row: &DocumentRow,
        found: &mut Findings,
    ) -> Result<()> {
        let number = version.number;
        match self.versions.content_from_store(version).await {
            Ok(text) if text.len() as u64 == version.length => {}
            Ok(text) => {
                let detail =
                    format!("version {number} has {} bytes, not {}", text.len(), version.length);
                found.add(FaultKind::Content, detail);
            }
            Err(Error::CorruptVersion { internal, .. }) => {
                found.add(FaultKind::Content, format!("version {number}: {}", internal.for_log()));
            }
            Err(error) => return Err(error),
        }
        let path = RecordPath::content(version.document_id, version.commit_id);
        if version.content_id != path.key() {
            found.add(FaultKind::Content, format!("version {number} names another record"));
        }
        let record = match self.stores.records.get(&path).await {
            Ok(record) => record,
            // Said already, by the reading above.
            Err(StoreError::NotFound | StoreError::Corrupt(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let is_delta = record.data.get("type").and_then(|kind| kind.as_str()) == Some("delta");
        let whole_by_rule =
            number == row.head_version || number == 1 || number.is_multiple_of(KEYFRAME_EVERY);
        if is_delta && whole_by_rule {
            found.add(FaultKind::Keyframe, format!("version {number} is not whole"));
        }
        if let Some(base) = record.data.get("base").and_then(|base| base.as_str()) {
            self.check_base(version, base, &record.data, found).await?;
        }
        Ok(())
    }

    async fn check_base(
        &self,
        version: &VersionRow,
        base: &str,
        data: &crate::storage::Data,
        found: &mut Findings,
    ) -> Result<()> {
        let number = version.number;
        let base_row = match base.parse::<CommitId>() {
            Ok(commit) => self.stores.versions.by_commit(commit).await,
            Err(_) => Err(StoreError::NotFound),
        };
        match base_row {
            Ok(base) if base.document_id == version.document_id && base.number > number => {
                let said = data.get("baseHash").and_then(|hash| hash.as_str());
                if said != Some(&hex::encode(base.content_hash)) {
                    found.add(
                        FaultKind::Base,
                        format!("version {number}: its base has other bytes"),
                    );
                }
                Ok(())
            }
            Ok(_) | Err(StoreError::NotFound) => {
                found.add(FaultKind::Base, format!("version {number} has no base"));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn check_orphans(
        &self,
        row: &DocumentRow,
        versions: &[VersionRow],
        found: &mut Findings,
    ) -> Result<()> {
        for commit in self.orphans(row.id, versions).await? {
            found.add(FaultKind::Orphan, format!("content {commit} belongs to no version"));
        }
        Ok(())
    }

    /// Contents that are neither a version's nor an attempt's that may still commit or is yet to
    /// be collected.
    pub(super) async fn orphans(
        &self,
        document: DocumentId,
        versions: &[VersionRow],
    ) -> Result<Vec<CommitId>> {
        let mut owners: HashMap<CommitId, IntentStatus> = HashMap::new();
        for intent in self.stores.inspect.intents(document).await? {
            owners.insert(intent.commit_id, intent.status);
        }
        for version in versions {
            owners.insert(version.commit_id, IntentStatus::Committed);
        }
        let collection = RecordPath::contents_of(document);
        let mut orphans = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let records =
                self.stores.records.query(&collection, after.as_deref(), BATCH, false).await?;
            let Some(last) = records.last() else { return Ok(orphans) };
            after = Some(last.path.key());
            for record in &records {
                let commit = record.path.id().parse().map_err(Error::internal)?;
                if !owners.contains_key(&commit) {
                    orphans.push(commit);
                }
            }
        }
    }
}
