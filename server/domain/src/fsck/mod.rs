//! `fsck`: checks every invariant of the design and reports violations. It runs beside a live
//! server: open intents and pending demotions are not faults, and a document that changes during
//! its check is checked again. Unreadable data is a fault and does not abort the run.

mod contents;
mod copies;
mod details;
mod document;
mod findings;
mod history;
mod jobs;
mod live;
mod orphans;
mod remains;
mod repair;
mod restore;

use crate::{core::Core, error::Result, storage::StoreError, versions::Versions};
use findings::Findings;
use izanagi_shared::id::DocumentId;
use std::{fmt, time::Duration};

/// A violated invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The affected document, if any.
    pub document: Option<DocumentId>,
    /// The violated invariant.
    pub kind: FaultKind,
    /// Location and details.
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(document) = self.document {
            write!(f, "document {document}: ")?;
        }
        write!(f, "{}: {}", self.kind.as_str(), self.detail)
    }
}

/// The checked invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// The database's own integrity check passes.
    Database,
    /// Each row is readable.
    Row,
    /// Title and other details match their hash.
    Details,
    /// `head_version` and `head_commit` name the newest version.
    Head,
    /// Version numbers run from 1 without gaps.
    VersionHole,
    /// Each chain hash follows from its parent's, and the other facts of a version match theirs.
    Chain,
    /// Each version can be read with its length and hash, and its record states that hash.
    Content,
    /// The newest version, the first, every 64th, and those to be kept are snapshots.
    Keyframe,
    /// Each version's row states whether its record is a delta.
    StoredAs,
    /// Every chunk is named by a record.
    Chunk,
    /// Every delta's base is the next version of the same document.
    Base,
    /// All content belongs to a version or to an attempt whose content is yet to be erased.
    Orphan,
    /// No open or closed intent is a version; a committed one is.
    Intent,
    /// The log has no row above `live_seq`, and no row below it is missing.
    Log,
    /// Each segment of edit history can be read and matches its row, and each edit that history keeps
    /// is stored once.
    History,
    /// The newest snapshot loads and is not above `live_seq`.
    Snapshot,
    /// The materialised text equals the text at its seq, and its facts are correct.
    Text,
    /// No two op ids share a seq, and none is above `live_seq`.
    Op,
    /// A document has at least one owner.
    Owner,
    /// Each client id of a document has an owner, or belongs to a former lineage.
    Client,
    /// Changes have different numbers, and no reader of a document has a tombstone for it.
    Change,
    /// No job has failed so often that it is parked.
    Job,
    /// Each record has an equal copy in the second place, if the documents have one.
    Copy,
}

impl FaultKind {
    /// Returns a short name for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Row => "row",
            Self::Details => "details",
            Self::Head => "head",
            Self::VersionHole => "version hole",
            Self::Chain => "chain",
            Self::Content => "content",
            Self::Keyframe => "keyframe",
            Self::StoredAs => "stored as",
            Self::Chunk => "chunk",
            Self::Base => "base",
            Self::Orphan => "orphan",
            Self::Intent => "intent",
            Self::Log => "log",
            Self::History => "history",
            Self::Snapshot => "snapshot",
            Self::Text => "text",
            Self::Op => "op",
            Self::Owner => "owner",
            Self::Client => "client",
            Self::Change => "change",
            Self::Job => "job",
            Self::Copy => "copy",
        }
    }
}

/// Result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Number of documents checked.
    pub documents: u64,
    /// Number of versions read.
    pub versions: u64,
    /// Violated invariants.
    pub faults: Vec<Fault>,
    /// Observations that are not faults.
    pub notes: Vec<String>,
    /// Completed repairs.
    pub repaired: Vec<String>,
}

/// What a run changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// Nothing.
    No,
    /// What can be repaired without losing data.
    Lossless,
    /// Also continues without what cannot be restored: restarts editing from a text that lacks edits,
    /// gives up parts of the history, and accepts details as they are now.
    MayLoseEdits,
}

/// The checker.
#[derive(Debug, Clone)]
pub struct Fsck {
    core: Core,
    versions: Versions,
}

/// Batch size for documents and attempts.
const BATCH: u32 = 100;
/// Maximum number of checks of a document that keeps changing.
const LOOKS: u32 = 5;
/// Delay before the second check; each further delay is longer by the same amount.
const PAUSE: Duration = Duration::from_millis(50);

impl Fsck {
    /// Creates a checker.
    #[must_use]
    pub fn new(core: Core, versions: Versions) -> Self {
        Self { core, versions }
    }

    /// Checks everything, then repairs what `repair` allows: rebuilds stored texts from the log and
    /// damaged documents from an older snapshot, soft-deletes unreferenced contents, and promotes
    /// versions that should be snapshots.
    ///
    /// # Errors
    /// A store is unavailable.
    pub async fn run(&self, repair: Repair) -> Result<Report> {
        let mut report = Report::default();
        for line in self.core.stores.relational.inspect.integrity().await? {
            report.faults.push(Fault { document: None, kind: FaultKind::Database, detail: line });
        }
        let mut after = None;
        loop {
            let mut found = Findings::new(None);
            let ids = self.core.stores.relational.inspect.documents(after, BATCH).await;
            let ids = found.sound(FaultKind::Row, ids)?.unwrap_or_default();
            report.take(found);
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            for id in &ids {
                report.documents += 1;
                self.check_until_still(*id, &mut report).await?;
            }
        }
        self.check_abandoned(&mut report).await?;
        self.check_jobs(&mut report).await?;
        self.check_feed(&mut report).await?;
        if repair > Repair::No {
            self.repair(&mut report, repair == Repair::MayLoseEdits).await?;
        }
        // What was repaired in the first place has to reach the second.
        self.check_copies(repair > Repair::No, &mut report).await?;
        Ok(report)
    }

    /// Checks a document until it has not changed during the check; only then are the findings
    /// reliable. For a document that keeps changing, reports only what every check found.
    async fn check_until_still(&self, id: DocumentId, report: &mut Report) -> Result<()> {
        let mut lasting: Option<Findings> = None;
        let mut versions = 0;
        for look in 1..=LOOKS {
            let mut found = Findings::new(Some(id));
            let before = match self.core.stores.relational.catalog.get(id).await {
                Err(StoreError::NotFound) => return Ok(()),
                before => found.sound(FaultKind::Row, before)?,
            };
            let Some(before) = before else {
                report.take(found);
                return Ok(());
            };
            versions = self.check_document(&before, &mut found).await?;
            let is_still = match self.core.stores.relational.catalog.get(id).await {
                Err(StoreError::NotFound) => return Ok(()),
                Err(StoreError::Corrupt(_)) => false,
                after => after? == before,
            };
            if is_still || found.faults.is_empty() {
                report.versions += versions;
                report.take(found);
                return Ok(());
            }
            if let Some(earlier) = &lasting {
                found.keep_what_was_in(earlier);
            }
            lasting = Some(found);
            if look < LOOKS {
                tokio::time::sleep(PAUSE * look).await;
            }
        }
        let mut lasting = lasting.unwrap_or_else(|| Findings::new(Some(id)));
        lasting.note("kept changing during the check; run it again when there is less activity");
        report.versions += versions;
        report.take(lasting);
        Ok(())
    }
}

impl Report {
    fn take(&mut self, found: Findings) {
        self.faults.extend(found.faults);
        self.notes.extend(found.notes);
    }
}
