//! Repairs. They lose no data, unless the caller allows a restart that does ([`super::restore`]).

use super::{
    FaultKind, Findings, Fsck, Report, contents::must_be_whole, live::replay, orphans::Orphan,
};
use crate::{
    edits::EditStore,
    error::{Error, Result},
    live::LiveText,
    storage::{DocumentRow, SavedText, StoreError, Topic, VersionRow},
};
use izanagi_shared::id::DocumentId;
use std::collections::{BTreeMap, BTreeSet};

/// Returns when a kind of fault is repaired, if there is a repair: what others depend on comes first,
/// and nothing is removed before what is missing has been looked for.
const fn place(kind: FaultKind) -> Option<usize> {
    Some(match kind {
        FaultKind::Details => 0,
        FaultKind::Head => 1,
        FaultKind::Chain => 2,
        FaultKind::Keyframe | FaultKind::StoredAs | FaultKind::Chunk => 3,
        FaultKind::Snapshot | FaultKind::Log => 5,
        FaultKind::History => 6,
        FaultKind::Text => 7,
        FaultKind::Client => 8,
        FaultKind::Orphan => 9,
        _ => return None,
    })
}

impl Fsck {
    pub(super) async fn repair(&self, report: &mut Report, may_lose: bool) -> Result<()> {
        if report.faults.iter().any(|fault| fault.kind == FaultKind::Job) {
            self.retry_jobs(report).await?;
        }
        let mut faults: BTreeMap<DocumentId, BTreeSet<(usize, FaultKind)>> = BTreeMap::new();
        for fault in &report.faults {
            if let (Some(document), Some(place)) = (fault.document, place(fault.kind)) {
                faults.entry(document).or_default().insert((place, fault.kind));
            }
        }
        for (document, kinds) in faults {
            let mut repaired = Vec::new();
            for (_, kind) in kinds {
                match self.repair_one(document, kind, may_lose).await {
                    Ok(lines) if lines.is_empty() => {}
                    Ok(lines) => repaired.push((kind, lines)),
                    // A document too damaged to repair must not block the others.
                    Err(error @ (Error::Internal(_) | Error::CorruptVersion { .. })) => {
                        let kind = kind.as_str();
                        report
                            .notes
                            .push(format!("document {document}: {kind}: no repair: {error:?}"));
                    }
                    Err(error) => return Err(error),
                }
            }
            if !repaired.is_empty() {
                self.report_repairs(document, repaired, report).await?;
            }
        }
        Ok(())
    }

    async fn repair_one(
        &self,
        document: DocumentId,
        kind: FaultKind,
        may_lose: bool,
    ) -> Result<Vec<String>> {
        match kind {
            FaultKind::Details => self.mend_details(document, may_lose).await,
            FaultKind::Head => self.mend_head(document, may_lose).await,
            FaultKind::Chain => self.mend_versions(document, may_lose).await,
            FaultKind::History => self.mend_history(document, may_lose).await,
            FaultKind::Snapshot | FaultKind::Log => self.restore(document, may_lose).await,
            FaultKind::Text => self.rewrite_text(document).await,
            FaultKind::Client => self.reserve_clients(document).await,
            FaultKind::Orphan => self.remove_orphans(document).await,
            FaultKind::Keyframe | FaultKind::StoredAs | FaultKind::Chunk => {
                self.tidy_versions(document, kind).await
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Reports what was repaired, after the document has been checked again.
    async fn report_repairs(
        &self,
        document: DocumentId,
        repaired: Vec<(FaultKind, Vec<String>)>,
        report: &mut Report,
    ) -> Result<()> {
        let mut left = Findings::new(Some(document));
        // Those of a document that was deleted for good had only orphans.
        match self.core.stores.relational.catalog.get(document).await {
            Err(StoreError::NotFound) => {}
            row => {
                self.check_document(&row?, &mut left).await?;
            }
        }
        for (kind, lines) in repaired {
            match left.faults.iter().find(|fault| fault.kind == kind) {
                None => {
                    let line = |line| format!("document {document}: {line}");
                    report.repaired.extend(lines.into_iter().map(line));
                }
                Some(fault) => {
                    let lines = lines.join("; ");
                    report.notes.push(format!("{fault}, still, after this repair: {lines}"));
                }
            }
        }
        Ok(())
    }

    /// Makes postponed jobs due, so that the server retries them at once.
    async fn retry_jobs(&self, report: &mut Report) -> Result<()> {
        let mut count = 0;
        for topic in Topic::ALL.into_iter().filter(|topic| topic.period().is_none()) {
            let now = self.core.clock.now();
            count += self.core.stores.relational.outbox.make_due(topic, now).await?;
        }
        report.repaired.push(format!("made {count} postponed jobs due"));
        Ok(())
    }

    /// Rebuilds the stored text from the log, which is authoritative.
    async fn rewrite_text(&self, document_id: DocumentId) -> Result<Vec<String>> {
        let stores = &self.core.stores.relational;
        let log = stores.log.load(document_id).await?;
        // If the log cannot be replayed, there is nothing to rebuild from.
        let lineage = replay(document_id, &log).map_err(Error::internal)?;
        let text = LiveText::new(lineage.doc().text(), log.live_seq);
        let content = text.content.to_string();
        let saved = SavedText { document_id, content, facts: text.facts };
        match stores.log.text(document_id).await {
            Ok(stored) if stored == saved => return Ok(Vec::new()),
            Ok(_) | Err(StoreError::NotFound | StoreError::Corrupt(_)) => {}
            Err(error) => return Err(error.into()),
        }
        stores.log.save_text(&saved).await?;
        Ok(vec!["rebuilt its text from the log".to_owned()])
    }

    /// Soft-deletes strays instead of removing them, so that an administrator can decide. Late
    /// content is erased, as the collector would have done.
    async fn remove_orphans(&self, document: DocumentId) -> Result<Vec<String>> {
        let (mut deleted_records, mut erased) = (0, 0);
        let now = self.core.clock.now();
        // The outbox erases the contents of deleted documents.
        if let Some((_, versions)) = self.document_and_versions(document).await? {
            let mut found = Findings::new(Some(document));
            let mut strays = self.strays(document, &versions, &mut found).await?;
            // They may be what is missing.
            if self.lacks_versions(document).await? {
                strays.clear();
            }
            for stray in strays {
                let Orphan::Stray(path) = stray else { continue };
                self.core.stores.documents.delete(&path, now).await?;
                deleted_records += 1;
            }
            let history = self.segments_and_orphans(document, &mut found).await?;
            let (_, mut orphans) = history.unwrap_or_default();
            let store = EditStore::of(&self.core);
            if !orphans.is_empty()
                && store.lacks_edits(document, &self.core.stores.relational).await?
            {
                orphans.clear();
            }
            for path in orphans {
                self.core.stores.documents.delete(&path, now).await?;
                deleted_records += 1;
            }
        }
        let intents = self.core.stores.relational.inspect.intents(document).await?;
        for late in self.late(&intents).await? {
            let Orphan::Late(commit) = late else { continue };
            self.versions.erase_content(document, commit).await?;
            erased += 1;
        }
        let deleted =
            (deleted_records > 0).then(|| format!("soft-deleted {deleted_records} records"));
        let erased = (erased > 0).then(|| format!("erased {erased} contents written too late"));
        Ok(deleted.into_iter().chain(erased).collect())
    }

    async fn tidy_versions(&self, document: DocumentId, kind: FaultKind) -> Result<Vec<String>> {
        let Some((row, versions)) = self.document_and_versions(document).await? else {
            return Ok(Vec::new());
        };
        let mut lines = Vec::new();
        for version in &versions {
            let number = version.number;
            match self.tidy(&row, version, kind).await {
                Ok(Some(line)) => lines.push(format!("{line} version {number}")),
                // The fault is already reported.
                Ok(None) | Err(Error::CorruptVersion { .. } | Error::Internal(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(lines)
    }

    async fn tidy(
        &self,
        row: &DocumentRow,
        version: &VersionRow,
        kind: FaultKind,
    ) -> Result<Option<&'static str>> {
        if self.is_busy(version).await? {
            return Ok(None);
        }
        let form = self.versions.form(version).await?;
        let (document, number) = (version.document_id, version.number);
        match kind {
            FaultKind::Keyframe if !form.is_whole => {
                if !version.keep_whole && !must_be_whole(version, row) {
                    return Ok(None);
                }
                self.versions.make_whole(document, number).await?;
                Ok(Some("made whole"))
            }
            FaultKind::StoredAs if form.is_delta != version.is_delta => {
                self.core
                    .stores
                    .relational
                    .versions
                    .set_stored(document, number, form.is_delta)
                    .await?;
                Ok(Some("corrected the row of"))
            }
            FaultKind::Chunk if form.is_delta => {
                // A delta that reproduces the text needs no chunks.
                self.versions.content_from_store(version).await?;
                let purged = self.versions.purge_left_chunks(version).await?;
                Ok((purged > 0).then_some("removed leftover chunks of"))
            }
            _ => Ok(None),
        }
    }

    async fn document_and_versions(
        &self,
        document: DocumentId,
    ) -> Result<Option<(DocumentRow, Vec<VersionRow>)>> {
        let row = match self.core.stores.relational.catalog.get(document).await {
            Err(StoreError::NotFound) => return Ok(None),
            row => row?,
        };
        let versions = self.versions_of(&row, &mut Findings::new(Some(document))).await?;
        Ok(Some((row, versions)))
    }
}
