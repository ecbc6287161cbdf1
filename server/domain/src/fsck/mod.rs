//! `fsck`: walks every invariant that the design promises and names what is broken. It runs beside
//! a live server: open intents and pending demotions are no faults, and a document that changes
//! while it is looked at is looked at again.

mod contents;
mod document;
mod live;
mod repair;

use crate::{
    error::{Error, Result},
    storage::Stores,
    versions::Versions,
};
use izanagi_shared::id::DocumentId;
use std::fmt;

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
    /// `head_version` and `head_commit` name the newest version.
    Head,
    /// Version numbers run from 1 without holes.
    VersionHole,
    /// Each version's parent is the version before it.
    Parent,
    /// Each chain hash follows from its parent's.
    Chain,
    /// Each version reads back with its length and hash.
    Content,
    /// The newest version, the first, every 64th, and those to be kept are whole.
    Keyframe,
    /// Every delta's base is a version of the same document, and its hash the base's.
    Base,
    /// Every content belongs to a version or to an attempt that may still commit.
    Orphan,
    /// A version's intent is closed as committed, and no other is.
    Intent,
    /// The log has no row above `live_seq`, and none below it is missing.
    Log,
    /// The newest snapshot loads, and lies not above `live_seq`.
    Snapshot,
    /// The materialised text is the text of its number.
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
            Self::Head => "head",
            Self::VersionHole => "version hole",
            Self::Parent => "parent",
            Self::Chain => "chain",
            Self::Content => "content",
            Self::Keyframe => "keyframe",
            Self::Base => "base",
            Self::Orphan => "orphan",
            Self::Intent => "intent",
            Self::Log => "log",
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
    /// What a repair did.
    pub repaired: Vec<String>,
}

/// The checker.
#[derive(Debug, Clone)]
pub struct Fsck {
    stores: Stores,
    versions: Versions,
}

/// How many documents are read in one go.
const BATCH: u32 = 100;
/// How often a document that changes meanwhile is looked at again.
const LOOKS: u32 = 5;

impl Fsck {
    /// A checker over these stores.
    #[must_use]
    pub fn new(stores: Stores, versions: Versions) -> Self {
        Self { stores, versions }
    }

    /// Checks everything. With `repair`, does what loses nothing: makes stored texts anew from the
    /// log, puts contents aside that nobody references.
    ///
    /// # Errors
    /// A store cannot be reached.
    pub async fn run(&self, repair: bool) -> Result<Report> {
        let mut report = Report::default();
        for line in self.stores.inspect.integrity().await? {
            report.faults.push(Fault { document: None, kind: FaultKind::Database, detail: line });
        }
        let mut after = None;
        loop {
            let rows = self.stores.inspect.documents(after, BATCH).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id);
            for row in &rows {
                report.documents += 1;
                self.check_until_still(row.id, &mut report).await?;
            }
        }
        if repair {
            self.repair(&mut report).await?;
        }
        Ok(report)
    }

    /// Looks at a document until it has not changed while it was looked at; only then is what was
    /// found believed.
    async fn check_until_still(&self, id: DocumentId, report: &mut Report) -> Result<()> {
        for look in 1..=LOOKS {
            let before = match self.stores.catalog.get(id).await {
                Ok(row) => row,
                Err(crate::storage::StoreError::NotFound) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            let (faults, versions) = self.check_document(&before).await?;
            let after = self.stores.catalog.get(id).await;
            let still = after.as_ref() == Ok(&before);
            if faults.is_empty() || still || look == LOOKS {
                report.versions += versions;
                report.faults.extend(faults);
                return Ok(());
            }
        }
        Err(Error::internal("unreachable: the last look always ends"))
    }
}
