//! Invariants between a document and its versions.

use super::{FaultKind, Findings, Fsck};
use crate::{
    error::Result,
    storage::{
        CommitIntent, DocumentRow, Freshness, IntentStatus, StoreError, VersionFilter, VersionRow,
    },
};
use std::collections::HashSet;

/// Batch size for versions.
const BATCH: u64 = 256;

impl Fsck {
    /// Checks one document; returns the number of its versions.
    pub(super) async fn check_document(
        &self,
        row: &DocumentRow,
        found: &mut Findings,
    ) -> Result<u64> {
        if row.damage.details {
            let detail = "its title or other details were changed outside Izanagi";
            found.add(FaultKind::Details, detail);
        }
        let versions = self.versions_of(row, found).await?;
        check_history(row, &versions, found);
        for version in &versions {
            self.check_content(version, row, found).await?;
        }
        let intents = self.core.stores.relational.inspect.intents(row.id).await;
        if let Some(intents) = found.sound(FaultKind::Row, intents)? {
            check_intents(&versions, &intents, found);
            self.check_orphans(row.id, &versions, &intents, found).await?;
        }
        self.check_live(row, found).await?;
        Ok(versions.len() as u64)
    }

    /// Returns every version with a readable row.
    pub(super) async fn versions_of(
        &self,
        row: &DocumentRow,
        found: &mut Findings,
    ) -> Result<Vec<VersionRow>> {
        let count = VersionFilter {
            document_id: row.id,
            below: None,
            offset: 0,
            limit: 0,
            named: false,
            freshness: Freshness::Fresh,
        };
        // Bounds the loop if a number is damaged.
        let (_, total) = self.core.stores.relational.versions.list(&count).await?;
        let (mut versions, mut seen): (Vec<VersionRow>, u64) = (Vec::new(), 0);
        let mut from = 1;
        // Beyond the head, to detect versions it does not know of.
        while seen < total && from <= row.head_version.max(total).saturating_add(1) {
            let to = from.saturating_add(BATCH - 1);
            match self.core.stores.relational.versions.range(row.id, from, to).await {
                Err(StoreError::Corrupt(_)) => {
                    seen += self.each_version(row, from..=to, &mut versions, found).await?;
                }
                batch => {
                    let batch = batch?;
                    seen += batch.len() as u64;
                    versions.extend(batch);
                }
            }
            from = to.saturating_add(1);
        }
        if seen < total {
            let detail = format!("{} versions lie above the head", total - seen);
            found.add(FaultKind::VersionHole, detail);
        }
        Ok(versions)
    }

    /// Reads versions one by one, if one of a batch is unreadable; returns their number.
    async fn each_version(
        &self,
        row: &DocumentRow,
        numbers: impl Iterator<Item = u64>,
        versions: &mut Vec<VersionRow>,
        found: &mut Findings,
    ) -> Result<u64> {
        let mut seen = 0;
        for number in numbers {
            let version = match self
                .core
                .stores
                .relational
                .versions
                .get(Freshness::Fresh, row.id, number)
                .await
            {
                Err(StoreError::NotFound) => continue,
                Err(StoreError::Corrupt(what)) => {
                    Err(StoreError::Corrupt(format!("version {number}: {what}")))
                }
                version => version,
            };
            seen += 1;
            versions.extend(found.sound(FaultKind::Row, version)?);
        }
        Ok(seen)
    }
}

/// A version need not have an intent: a commit in a single transaction stores none, and intents of
/// committed versions are forgotten after a while.
fn check_intents(versions: &[VersionRow], intents: &[CommitIntent], found: &mut Findings) {
    let commits: HashSet<_> = versions.iter().map(|version| version.commit_id).collect();
    for CommitIntent { commit_id, status, .. } in intents {
        let detail = match (status, commits.contains(commit_id)) {
            (IntentStatus::Committed, false) => "is closed as committed but is not a version",
            (IntentStatus::Open | IntentStatus::Gc, true) => {
                "is a version but is not closed as committed"
            }
            _ => continue,
        };
        found.add(FaultKind::Intent, format!("{commit_id} {detail}"));
    }
}

pub(super) fn check_history(row: &DocumentRow, versions: &[VersionRow], found: &mut Findings) {
    let newest = versions.last();
    let (number, commit) =
        newest.map_or((0, None), |version| (version.number, Some(version.commit_id)));
    if row.damage.head {
        found.add(FaultKind::Head, "the newest version does not match its checksum");
    } else if (row.head_version, row.head_commit) != (number, commit) {
        let detail = format!("the head says version {}, the newest is {number}", row.head_version);
        found.add(FaultKind::Head, detail);
    }
    let mut parent: Option<&VersionRow> = None;
    for version in versions {
        let expected = parent.map_or(0, |parent| parent.number) + 1;
        if version.number != expected {
            let detail = format!("version {expected} is missing before {}", version.number);
            found.add(FaultKind::VersionHole, detail);
        }
        let number = version.number;
        if !version.has_intact_facts {
            let detail = format!("the counts or the name of version {number} are damaged");
            found.add(FaultKind::Chain, detail);
        } else if !version.is_intact() {
            let detail = format!("the chain hash of version {number} does not match");
            found.add(FaultKind::Chain, detail);
        }
        parent = Some(version);
    }
}
