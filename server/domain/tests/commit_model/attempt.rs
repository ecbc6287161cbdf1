//! State of clients and savers: a request with its key, and the attempts to commit it.

/// An attempt to commit, with its own commit id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    pub(crate) phase: Phase,
    /// Number of the head when the text was read.
    pub(crate) parent: u8,
    /// Statement that may still execute.
    pub(crate) sent: Option<Statement>,
}

/// Progress of the saver of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Unused,
    /// Step 0 is done: the key was not found.
    Looked,
    /// A statement was sent and its reply has not arrived.
    Waiting,
    /// Step 4 changed no row, or step 1 found a head other than the one the caller named.
    NoRow,
    /// The reply was lost, or there is nothing to commit: the request must be settled before
    /// answering.
    Unsettled,
    /// The saver answered, continued with another attempt, or crashed.
    Gone,
    /// The saver learned that this attempt never commits. `fenced`: its own fence won.
    Never {
        fenced: bool,
    },
}

/// A statement in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Statement {
    /// Step 2.
    InsertIntent,
    /// Step 3.
    CreateContent,
    /// Step 4.
    Commit,
    /// Steps 2 to 4 as one transaction, if both stores share one file.
    Transaction,
}

/// State of a client: the attempt it waits for, and the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) current: Option<u8>,
    pub(crate) answer: Answer,
}

/// Answer received by a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Pending,
    Committed {
        text: u8,
        learned: Learned,
    },
    /// Not committed, and no other saver of the request was alive: final.
    Refused,
}

/// How a saver learned that the request is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Learned {
    /// Step 4 returned a row.
    Reply,
    /// Step 0, or the check after "no row", found the key.
    Key,
    /// Step 4 violated the unique key.
    UniqueViolation,
    /// The fence lost and the version exists: the commit succeeded but its reply was lost.
    LostFence,
}

impl Attempt {
    pub(crate) const UNUSED: Self = Self { phase: Phase::Unused, parent: 0, sent: None };

    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.phase, Phase::Unused | Phase::Gone | Phase::Never { .. })
    }

    /// Ends in `phase`. The parent is cleared with the last statement that needs it, so that
    /// equivalent states compare equal.
    pub(crate) fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.forget_parent();
    }

    /// Handles the reply of the last statement and moves to `phase`.
    pub(crate) fn hear(&mut self, phase: Phase) {
        self.sent = None;
        self.end(phase);
    }

    pub(crate) fn forget_parent(&mut self) {
        if self.sent.is_none() && self.phase != Phase::Waiting {
            self.parent = 0;
        }
    }
}

impl Request {
    pub(crate) const NEW: Self = Self { current: None, answer: Answer::Pending };

    /// Records the answer; the client is no longer waiting.
    pub(crate) fn end(&mut self, answer: Answer) {
        *self = Self { current: None, answer };
    }
}
