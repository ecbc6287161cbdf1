//! The two stores: SQL holds the metadata ("who, when, where"), the document store the content
//! ("what").
//!
//! A text is a number unique to its attempt and is its own hash. Each call models one atomic
//! statement, whatever happens to the process that sent it.

use super::flaw::Flaw;

/// Maximum number of attempts over all requests; each has its own commit id and text.
pub(crate) const ATTEMPTS: usize = 4;
/// Number of commit ids, including the initial one.
pub(crate) const COMMITS: usize = ATTEMPTS + 1;
/// Commit id and text of version 1, which exists before the model starts.
pub(crate) const FOUNDING: u8 = 0;
/// Result of applying a damaged patch.
pub(crate) const GARBAGE: u8 = u8::MAX;

/// A row of `versions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Version {
    pub(crate) number: u8,
    pub(crate) commit: u8,
    /// Hash of the committed text.
    pub(crate) text: u8,
    pub(crate) request: u8,
}

/// Version 1. Its request is not one of the model's.
const FIRST_VERSION: Version =
    Version { number: 1, commit: FOUNDING, text: FOUNDING, request: u8::MAX };

/// Status of a row in `commit_intents`; `Missing` means there is no row: it was not inserted, or it
/// was committed and forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Intent {
    Missing,
    Open,
    Committed,
    Gc,
}

/// Result of step 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitReply {
    Row,
    NoRow,
    /// Unique violation on `request_key`; the statement is rolled back.
    KeyTaken,
}

/// The relational store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sql {
    /// In commit order. The model does not enforce unique numbers; a property checks them.
    rows: [Option<Version>; COMMITS],
    pub(crate) intents: [Intent; COMMITS],
    /// `demotions[n]`: the outbox has a pending job to demote version n.
    pub(crate) demotions: [bool; COMMITS + 1],
}

impl Sql {
    /// Creates a document with version 1 committed.
    pub(crate) fn founded() -> Self {
        let mut rows = [None; COMMITS];
        rows[0] = Some(FIRST_VERSION);
        // The intent of version 1 was forgotten.
        let intents = [Intent::Missing; COMMITS];
        Self { rows, intents, demotions: [false; COMMITS + 1] }
    }

    pub(crate) fn versions(&self) -> impl Iterator<Item = &Version> + Clone {
        self.rows.iter().map_while(Option::as_ref)
    }

    pub(crate) fn head(&self) -> Version {
        self.versions().last().copied().unwrap_or(FIRST_VERSION)
    }

    pub(crate) fn by_number(&self, number: u8) -> Option<&Version> {
        self.versions().find(|version| version.number == number)
    }

    pub(crate) fn by_request(&self, request: u8) -> Option<&Version> {
        self.versions().find(|version| version.request == request)
    }

    pub(crate) fn is_listed(&self, commit: u8) -> bool {
        self.versions().any(|version| version.commit == commit)
    }

    /// Step 2. Does nothing if the commit id is a version. If the row exists already, which happens
    /// only with a reused id, a closed intent is reopened, since the flaw would otherwise have no
    /// effect.
    pub(crate) fn insert_intent(&mut self, commit: u8, flaw: Option<Flaw>) {
        let used = self.is_listed(commit) && flaw != Some(Flaw::VersionsUnchecked);
        let intent = &mut self.intents[usize::from(commit)];
        if *intent != Intent::Committed && !used {
            *intent = Intent::Open;
        }
    }

    /// Whether an attempt or a version has this commit id.
    pub(crate) fn is_used(&self, commit: u8) -> bool {
        self.intents[usize::from(commit)] != Intent::Missing || self.is_listed(commit)
    }

    /// Whether a commit id is a version without an intent.
    pub(crate) fn is_forgotten(&self, commit: u8) -> bool {
        self.intents[usize::from(commit)] == Intent::Missing && self.is_listed(commit)
    }

    /// Forgets a committed intent.
    pub(crate) fn forget(&mut self, commit: u8) {
        let intent = &mut self.intents[usize::from(commit)];
        if *intent == Intent::Committed {
            *intent = Intent::Missing;
        }
    }

    pub(crate) fn is_open(&self, commit: u8) -> bool {
        self.intents[usize::from(commit)] == Intent::Open
    }

    /// Committed, or closed by a fence or a collector. A closed intent is never reopened.
    pub(crate) fn is_closed(&self, commit: u8) -> bool {
        matches!(self.intents[usize::from(commit)], Intent::Committed | Intent::Gc)
            || self.is_listed(commit)
    }

    /// Step 4: checks intent and head, advances the head, inserts the version, closes the intent and
    /// enqueues the demotion. In one transaction with steps 2 and 3 there is no intent.
    pub(crate) fn commit(
        &mut self,
        version: Version,
        has_intent: bool,
        flaw: Option<Flaw>,
    ) -> CommitReply {
        let intent = usize::from(version.commit);
        let parent = version.number - 1;
        let open = self.intents[intent] == Intent::Open;
        if has_intent && !open && flaw != Some(Flaw::NoIntentCheck) {
            return CommitReply::NoRow;
        }
        if self.head().number != parent && flaw != Some(Flaw::NoHeadCheck) {
            if flaw == Some(Flaw::IntentClosedWithoutVersion) {
                self.intents[intent] = Intent::Committed;
            }
            return CommitReply::NoRow;
        }
        if self.by_request(version.request).is_some() && flaw != Some(Flaw::KeyNotUnique) {
            return CommitReply::KeyTaken;
        }
        let Some(row) = self.rows.iter_mut().find(|row| row.is_none()) else {
            return CommitReply::NoRow;
        };
        *row = Some(version);
        if has_intent {
            self.intents[intent] = Intent::Committed;
        }
        self.demotions[usize::from(parent)] = true;
        CommitReply::Row
    }

    /// `UPDATE commit_intents SET status = 'gc' WHERE commit_id = … AND status = 'open'`: used by
    /// the fence and by the collector. Returns whether a row was closed.
    pub(crate) fn close(&mut self, commit: u8) -> bool {
        let intent = &mut self.intents[usize::from(commit)];
        let was_open = *intent == Intent::Open;
        if was_open {
            *intent = Intent::Gc;
        }
        was_open
    }
}

/// A reverse delta that turns the text `from` of the record `base` into the text `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Patch {
    pub(crate) base: u8,
    pub(crate) from: u8,
    pub(crate) to: u8,
}

impl Patch {
    pub(crate) fn apply(self, text: u8) -> u8 {
        if text == self.from { self.to } else { GARBAGE }
    }
}

/// A record of the document store, addressed by commit id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Record {
    Absent,
    /// Deleted by a collector.
    Deleted,
    /// Only content is a snapshot, only a patch is a delta; both together is a demotion in
    /// progress.
    Present {
        content: Option<u8>,
        patch: Option<Patch>,
        revision: u8,
    },
}

impl Record {
    pub(crate) fn is_present(&self) -> bool {
        matches!(self, Self::Present { .. })
    }

    /// Returns the full text if the record still has it.
    pub(crate) fn content(&self) -> Option<u8> {
        match self {
            Self::Present { content, .. } => *content,
            Self::Absent | Self::Deleted => None,
        }
    }

    pub(crate) fn patch(&self) -> Option<Patch> {
        match self {
            Self::Present { patch, .. } => *patch,
            Self::Absent | Self::Deleted => None,
        }
    }
}

/// An update by a demoter: its record, the record version it was planned on, and the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Update {
    pub(crate) commit: u8,
    pub(crate) expected: u8,
    pub(crate) change: Change,
}

/// The two updates of step 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Change {
    AddPatch(Patch),
    DropContent,
}

/// The document store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Contents {
    records: [Record; COMMITS],
}

impl Contents {
    /// Creates the store with version 1 as a snapshot.
    pub(crate) fn founded() -> Self {
        let mut contents = Self { records: [Record::Absent; COMMITS] };
        contents.create(FOUNDING, FOUNDING);
        contents
    }

    pub(crate) fn record(&self, commit: u8) -> &Record {
        &self.records[usize::from(commit)]
    }

    /// Returns the version of an existing record.
    pub(crate) fn revision(&self, commit: u8) -> Option<u8> {
        match self.record(commit) {
            Record::Present { revision, .. } => Some(*revision),
            Record::Absent | Record::Deleted => None,
        }
    }

    /// Step 3. An existing record is overwritten, which is noticeable only with a reused commit id.
    pub(crate) fn create(&mut self, commit: u8, text: u8) {
        self.records[usize::from(commit)] =
            Record::Present { content: Some(text), patch: None, revision: 0 };
    }

    /// Deletes a record. Idempotent.
    pub(crate) fn delete(&mut self, commit: u8) {
        if self.record(commit).is_present() {
            self.records[usize::from(commit)] = Record::Deleted;
        }
    }

    /// Applies an update unless the record version has changed since it was planned. With `checked`
    /// false, this models a store or caller that does not compare versions.
    pub(crate) fn update(&mut self, update: Update, checked: bool) {
        let record = &mut self.records[usize::from(update.commit)];
        let Record::Present { content, patch, revision } = record else {
            return;
        };
        if checked && *revision != update.expected {
            return;
        }
        match update.change {
            Change::AddPatch(added) => *patch = Some(added),
            Change::DropContent => *content = None,
        }
        // Correct runs stay far below the limit; it keeps flawed ones finite.
        *revision = (*revision + 1).min(4);
    }

    /// Returns the text of a record by following its bases up to a snapshot.
    pub(crate) fn text(&self, commit: u8) -> Option<u8> {
        let record = self.record(commit);
        if let Some(whole) = record.content() {
            return Some(whole);
        }
        // Terminates: a base always belongs to a later commit, and a damaged patch changes only the
        // resulting text.
        let patch = record.patch()?;
        self.text(patch.base).map(|base| patch.apply(base))
    }
}
