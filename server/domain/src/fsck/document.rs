//! The invariants between a document and its versions.

use super::{Fault, FaultKind, Fsck};
use crate::{
    error::Result,
    storage::{DocumentRow, IntentStatus, VersionRow},
    versions::chain_hash,
};
use izanagi_shared::id::DocumentId;
use std::collections::HashSet;

/// How many versions are read in one go.
const BATCH: u64 = 256;

/// Gathers faults of one document.
pub(super) struct Findings {
    pub(super) document: DocumentId,
    pub(super) faults: Vec<Fault>,
}

impl Findings {
    pub(super) fn add(&mut self, kind: FaultKind, detail: impl Into<String>) {
        let document = Some(self.document);
        self.faults.push(Fault { document, kind, detail: detail.into() });
    }
}

impl Fsck {
    /// Everything wrong with one document, and how many versions it has.
    pub(super) async fn check_document(&self, row: &DocumentRow) -> Result<(Vec<Fault>, u64)> {
        let mut found = Findings { document: row.id, faults: Vec::new() };
        let versions = self.versions_of(row).await?;
        check_history(row, &versions, &mut found);
        for version in &versions {
            self.check_content(version, row, &mut found).await?;
        }
        self.check_intents(row, &versions, &mut found).await?;
        self.check_orphans(row, &versions, &mut found).await?;
        self.check_live(row, &mut found).await?;
        Ok((found.faults, versions.len() as u64))
    }

    async fn versions_of(&self, row: &DocumentRow) -> Result<Vec<VersionRow>> {
        let mut versions: Vec<VersionRow> = Vec::new();
        let mut from = 0;
        // One past the head, to see versions that the head does not know.
        while from <= row.head_version + 1 {
            let to = from + BATCH - 1;
            versions.extend(self.stores.versions.range(row.id, from, to).await?);
            from = to + 1;
        }
        Ok(versions)
    }

    async fn check_intents(
        &self,
        row: &DocumentRow,
        versions: &[VersionRow],
        found: &mut Findings,
    ) -> Result<()> {
        let commits: HashSet<_> = versions.iter().map(|version| version.commit_id).collect();
        let mut committed = HashSet::new();
        for intent in self.stores.inspect.intents(row.id).await? {
            if intent.status == IntentStatus::Committed {
                committed.insert(intent.commit_id);
            }
            let is_version = commits.contains(&intent.commit_id);
            match intent.status {
                IntentStatus::Committed if !is_version => {
                    let detail =
                        format!("{} is closed as committed and is no version", intent.commit_id);
                    found.add(FaultKind::Intent, detail);
                }
                IntentStatus::Open | IntentStatus::Gc if is_version => {
                    let detail =
                        format!("{} is a version and not closed as committed", intent.commit_id);
                    found.add(FaultKind::Intent, detail);
                }
                _ => {}
            }
        }
        for version in versions.iter().filter(|version| !committed.contains(&version.commit_id)) {
            found
                .add(FaultKind::Intent, format!("version {} has no closed intent", version.number));
        }
        Ok(())
    }
}

fn check_history(row: &DocumentRow, versions: &[VersionRow], found: &mut Findings) {
    let newest = versions.last();
    let (number, commit) =
        newest.map_or((0, None), |version| (version.number, Some(version.commit_id)));
    if (row.head_version, row.head_commit) != (number, commit) {
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
        if version.parent_commit != parent.map(|parent| parent.commit_id) {
            found.add(FaultKind::Parent, format!("version {} has another parent", version.number));
        }
        let chain = chain_hash(
            parent.map(|parent| &parent.chain_hash),
            &version.content_hash,
            version.author.id,
            &version.message,
            version.created_at,
        );
        if chain != version.chain_hash {
            found.add(FaultKind::Chain, format!("version {} does not follow", version.number));
        }
        parent = Some(version);
    }
}
