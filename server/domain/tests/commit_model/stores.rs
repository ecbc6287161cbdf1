//! The two stores: what SQL holds ("who, when, where") and what the document store holds ("what").
//!
//! A text is a number that no other attempt has; its hash is the number itself. One call here is one
//! statement: it happens wholly or not at all, whatever became of the process that sent it.

use super::flaw::Flaw;

/// How many attempts there can be, over all requests: each has a commit id and a text of its own.
pub(crate) const ATTEMPTS: usize = 4;
/// Commit ids, the founding one included.
pub(crate) const COMMITS: usize = ATTEMPTS + 1;
/// The commit id and the text of version 1, which stands before the model starts.
pub(crate) const FOUNDING: u8 = 0;
/// What a damaged patch gives.
pub(crate) const GARBAGE: u8 = u8::MAX;

/// A row of `versions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Version {
    pub(crate) number: u8,
    pub(crate) commit: u8,
    /// The hash of the text that was meant.
    pub(crate) text: u8,
    pub(crate) request: u8,
}

/// Version 1. Its request is none of the model's own.
const FIRST_VERSION: Version =
    Version { number: 1, commit: FOUNDING, text: FOUNDING, request: u8::MAX };

/// The status of a row of `commit_intents`; `Missing` is no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Intent {
    Missing,
    Open,
    Committed,
    Gc,
}

/// What step 4 answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitReply {
    Row,
    NoRow,
    /// Unique violation on `request_key`: the whole statement is undone.
    KeyTaken,
}

/// The relational side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Sql {
    /// In the order in which they were committed. No key guards the numbers here: the properties do.
    rows: [Option<Version>; COMMITS],
    pub(crate) intents: [Intent; COMMITS],
    /// `demotions[n]`: the outbox says "demote version n" and nobody has marked it done.
    pub(crate) demotions: [bool; COMMITS + 1],
}

impl Sql {
    /// A document with version 1, committed and settled.
    pub(crate) fn founded() -> Self {
        let mut rows = [None; COMMITS];
        rows[0] = Some(FIRST_VERSION);
        let mut intents = [Intent::Missing; COMMITS];
        intents[usize::from(FOUNDING)] = Intent::Committed;
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

    /// Step 2. False: there is such a row (only a reused id finds one; it is opened again, or it would
    /// be of no use).
    pub(crate) fn insert_intent(&mut self, commit: u8) -> bool {
        let intent = &mut self.intents[usize::from(commit)];
        let fresh = *intent == Intent::Missing;
        if *intent != Intent::Committed {
            *intent = Intent::Open;
        }
        fresh
    }

    pub(crate) fn is_open(&self, commit: u8) -> bool {
        self.intents[usize::from(commit)] == Intent::Open
    }

    /// Committed, or closed by a fence or a collector: no intent is opened again.
    pub(crate) fn is_closed(&self, commit: u8) -> bool {
        matches!(self.intents[usize::from(commit)], Intent::Committed | Intent::Gc)
    }

    /// Step 4: check, advance the head, insert the version, close the intent, ask for the demotion.
    pub(crate) fn commit(&mut self, version: Version, flaw: Option<Flaw>) -> CommitReply {
        let intent = usize::from(version.commit);
        let parent = version.number - 1;
        if self.intents[intent] != Intent::Open && flaw != Some(Flaw::NoIntentCheck) {
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
        self.intents[intent] = Intent::Committed;
        self.demotions[usize::from(parent)] = true;
        CommitReply::Row
    }

    /// `UPDATE commit_intents SET status = 'gc' WHERE commit_id = … AND status = 'open'`: the fence, and
    /// the mark of the collector. True when there was a row to close.
    pub(crate) fn close(&mut self, commit: u8) -> bool {
        let intent = &mut self.intents[usize::from(commit)];
        let was_open = *intent == Intent::Open;
        if was_open {
            *intent = Intent::Gc;
        }
        was_open
    }
}

/// A reverse delta: it turns the text `from` of the record `base` into the text `to`.
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
    /// Absent again: a collector was here.
    Deleted,
    /// Content alone is a snapshot, patch alone a delta; both is the middle of a demotion.
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

    /// The whole text, when the record still has it.
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

/// One update of the demoter: the record it is for, the record version it was planned on, the change.
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

/// The content side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Contents {
    records: [Record; COMMITS],
}

impl Contents {
    /// The store with the content of version 1, whole.
    pub(crate) fn founded() -> Self {
        let mut contents = Self { records: [Record::Absent; COMMITS] };
        contents.create(FOUNDING, FOUNDING);
        contents
    }

    pub(crate) fn record(&self, commit: u8) -> &Record {
        &self.records[usize::from(commit)]
    }

    /// The version of a record that is there.
    pub(crate) fn revision(&self, commit: u8) -> Option<u8> {
        match self.record(commit) {
            Record::Present { revision, .. } => Some(*revision),
            Record::Absent | Record::Deleted => None,
        }
    }

    /// Step 3. A record that is there already is put anew, which only a reused commit id can notice.
    pub(crate) fn create(&mut self, commit: u8, text: u8) {
        self.records[usize::from(commit)] =
            Record::Present { content: Some(text), patch: None, revision: 0 };
    }

    /// Deletes a record; deleting what is not there changes nothing.
    pub(crate) fn delete(&mut self, commit: u8) {
        if self.record(commit).is_present() {
            self.records[usize::from(commit)] = Record::Deleted;
        }
    }

    /// Applies an update unless the record has another version than it was planned on; `checked` false
    /// is a store, or a caller, that does not compare.
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
        // No correct run comes near the limit; a flawed one must stay finite.
        *revision = (*revision + 1).min(4);
    }

    /// The text of a record, its bases followed upward to a whole one.
    pub(crate) fn text(&self, commit: u8) -> Option<u8> {
        let record = self.record(commit);
        if let Some(whole) = record.content() {
            return Some(whole);
        }
        // A base is always of a later commit, never of the record itself; a damaged patch changes
        // only what comes out. So this ends.
        let patch = record.patch()?;
        self.text(patch.base).map(|base| patch.apply(base))
    }
}
