//! What a client and a saver remember: the request with its key, and the attempts to commit it.

/// One try to commit, with its own commit id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    pub(crate) phase: Phase,
    /// The number of the head when the text was taken.
    pub(crate) parent: u8,
    /// The statement that may still execute.
    pub(crate) sent: Option<Statement>,
}

/// Where the saver of an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Unused,
    /// Step 0 is done: the key was not known.
    Looked,
    /// A statement is sent and its reply awaited.
    Waiting,
    /// Step 4 answered that no row was changed, or step 1 found a head that the caller did not name.
    NoRow,
    /// No reply came, or nothing is left to commit: settle the request before answering anything.
    Unsettled,
    /// The saver answered, went on with another attempt, or crashed.
    Gone,
    /// The saver learned that this attempt never commits; `fenced`: its own fence won.
    Never {
        fenced: bool,
    },
}

/// What a saver can have on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Statement {
    /// Step 2.
    InsertIntent,
    /// Step 3.
    CreateContent,
    /// Step 4.
    Commit,
    /// Steps 2 to 4 as one transaction, where both stores are one file.
    Transaction,
}

/// What a client has: the attempt it waits for, and the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) current: Option<u8>,
    pub(crate) answer: Answer,
}

/// What a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Pending,
    Committed {
        text: u8,
        learned: Learned,
    },
    /// Not committed, said when no other saver of the request was alive: final.
    Refused,
}

/// From what a saver knew that the request is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Learned {
    /// Step 4 answered with a row.
    Reply,
    /// Step 0, or the look after "no row", found the key.
    Key,
    /// Step 4 ran into the unique key.
    UniqueViolation,
    /// The fence was lost, and the version was there: a lost reply that was a commit.
    LostFence,
}

impl Attempt {
    pub(crate) const UNUSED: Self = Self { phase: Phase::Unused, parent: 0, sent: None };

    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.phase, Phase::Unused | Phase::Gone | Phase::Never { .. })
    }

    /// Ends in `phase`. The parent is forgotten with the last statement that needs it, so that equal
    /// futures are equal states.
    pub(crate) fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.forget_parent();
    }

    /// The reply of the last statement leads to `phase`.
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

    /// The client has its answer and waits for nobody.
    pub(crate) fn end(&mut self, answer: Answer) {
        *self = Self { current: None, answer };
    }
}
