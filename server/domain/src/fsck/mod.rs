//! `fsck`: walks every invariant that the design promises and names what is broken. It runs beside
//! a live server: open intents and pending demotions are no faults, and a document that changes
//! while it is looked at is looked at again. What makes no sense is a fault and ends nothing.

mod contents;
mod document;
mod findings;
mod history;
mod live;
mod orphans;
mod repair;

use crate::{core::Core, error::Result, storage::StoreError, versions::Versions};
use findings::Findings;
use izanagi_shared::id::DocumentId;
use std::{fmt, time::Duration};

/// What is wrong with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// In which document, if in one.
    pub document: Option<DocumentId>,
    /// Which invariant does not hold.
    pub kind: FaultKind,
    /// Where exactly, and what was found.
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

/// The invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The database's own check fails.
    Database,
    /// Each row makes sense.
    Row,
    /// `head_version` and `head_commit` name the newest version.
    Head,
    /// Version numbers run from 1 without holes.
    VersionHole,
    /// Each version's parent is the version before it.
    Parent,
    /// Each chain hash follows from its parent's.
    Chain,
    /// Each version reads back with its length and hash, and its record gives that hash.
    Content,
    /// The newest version, the first, every 64th, and those to be kept are whole.
    Keyframe,
    /// Each version's row says whether its record is a delta.
    StoredAs,
    /// There are no chunks but those that a record names.
    Chunk,
    /// Every delta's base is a version of the same document, and its hash the base's.
    Base,
    /// Every content belongs to a version or to an attempt whose content is yet to be erased.
    Orphan,
    /// No open or condemned intent is a version; a committed one is.
    Intent,
    /// The log has no row above `live_seq`, and none below it is missing.
    Log,
    /// Each segment of edit history reads back as its row says, each edit lies in one place, and
    /// there is no segment missing before another.
    History,
    /// The newest snapshot loads, and lies not above `live_seq`.
    Snapshot,
    /// The materialised text is the text of its number, and what is said of it is so.
    Text,
    /// No two op ids share a number, and none lies above `live_seq`.
    Op,
    /// A document has at least one owner.
    Owner,
}

impl FaultKind {
    /// A short name for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Row => "row",
            Self::Head => "head",
            Self::VersionHole => "version hole",
            Self::Parent => "parent",
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
        }
    }
}

/// What a run found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Documents looked at.
    pub documents: u64,
    /// Versions read back.
    pub versions: u64,
    /// Everything that is broken.
    pub faults: Vec<Fault>,
    /// What is not broken and yet worth knowing.
    pub notes: Vec<String>,
    /// What a repair did.
    pub repaired: Vec<String>,
}

/// The checker.
#[derive(Debug, Clone)]
pub struct Fsck {
    core: Core,
    versions: Versions,
}

/// How many documents or attempts are read in one go.
const BATCH: u32 = 100;
/// How often a document that changes meanwhile is looked at.
const LOOKS: u32 = 5;
/// The wait before the second look; before each further one it is longer by as much.
const PAUSE: Duration = Duration::from_millis(50);

impl Fsck {
    /// A checker over these stores.
    #[must_use]
    pub fn new(core: Core, versions: Versions) -> Self {
        Self { core, versions }
    }

    /// Checks everything. With `repair`, does what loses nothing: makes stored texts anew from the
    /// log, puts contents aside that nobody references, makes versions whole that should be.
    ///
    /// # Errors
    /// A store cannot be reached.
    pub async fn run(&self, repair: bool) -> Result<Report> {
        let mut report = Report::default();
        for line in self.core.stores.inspect.integrity().await? {
            report.faults.push(Fault { document: None, kind: FaultKind::Database, detail: line });
        }
        let mut after = None;
        loop {
            let mut found = Findings::new(None);
            let ids = self.core.stores.inspect.documents(after, BATCH).await;
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
        if repair {
            self.repair(&mut report).await?;
        }
        Ok(report)
    }

    /// Looks at a document until it has not changed while it was looked at; only then is what was
    /// found believed. Of one that keeps changing, what every look has found.
    async fn check_until_still(&self, id: DocumentId, report: &mut Report) -> Result<()> {
        let mut lasting: Option<Findings> = None;
        let mut versions = 0;
        for look in 1..=LOOKS {
            let mut found = Findings::new(Some(id));
            let before = match self.core.stores.catalog.get(id).await {
                Err(StoreError::NotFound) => return Ok(()),
                before => found.sound(FaultKind::Row, before)?,
            };
            let Some(before) = before else {
                report.take(found);
                return Ok(());
            };
            versions = self.check_document(&before, &mut found).await?;
            let is_still = match self.core.stores.catalog.get(id).await {
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
        lasting.note("kept changing while it was looked at; look again when it is quieter");
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
