//! The kinds of faults, and which calls each makes sense for.

/// Whether a call changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// It only looks.
    Read,
    /// It may change something.
    Write,
}

/// A way in which a call to a store goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Nothing happens; the answer is `Unavailable`.
    ErrorBefore,
    /// A write takes effect; its answer is lost on the way back: `Unknown`.
    LostReply,
    /// A write answers `Unknown` at once and takes effect only after the next call to any store, or
    /// when released: the statement that was queued behind a lock. Whoever merely looks next sees
    /// nothing of it.
    LateEffect,
    /// No answer until released; then the call is executed and answered. A write is executed at the
    /// release even if its caller has given up by then.
    Hang,
    /// A write is executed twice, as by a network that retries; the second answer is given.
    Repeat,
    /// Only the first half of a batch is executed; the answer is `Unknown`. A write that is no
    /// batch, or a batch of one, is executed whole, as with [`Fault::LostReply`].
    PartialBatch,
    /// A read gives what the same call gave the last time, or what an empty store would have given.
    StaleRead,
    /// One bit in one byte of read content is flipped: in a record, a snapshot state or a text.
    CorruptByte,
    /// The process dies before the call has an effect: nothing happens from here on and all calls
    /// fail, until [`revive`](super::Injector::revive).
    KillBefore,
    /// A write takes effect, then the process dies.
    KillAfter,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::ErrorBefore,
        Self::LostReply,
        Self::LateEffect,
        Self::Hang,
        Self::Repeat,
        Self::PartialBatch,
        Self::StaleRead,
        Self::CorruptByte,
        Self::KillBefore,
        Self::KillAfter,
    ];

    /// Whether a call of this class can meet this fault. A read that loses its reply or is repeated
    /// differs in nothing from one that fails or succeeds.
    #[must_use]
    pub const fn fits(self, class: Class) -> bool {
        match self {
            Self::ErrorBefore | Self::Hang | Self::KillBefore => true,
            Self::StaleRead | Self::CorruptByte => matches!(class, Class::Read),
            Self::LostReply
            | Self::LateEffect
            | Self::Repeat
            | Self::PartialBatch
            | Self::KillAfter => matches!(class, Class::Write),
        }
    }

    /// Whether the process dies of it.
    pub(super) const fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }
}
