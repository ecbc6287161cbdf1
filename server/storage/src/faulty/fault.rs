//! Kinds of faults, and the calls they apply to.

/// Whether a call changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// It only reads.
    Read,
    /// It may write.
    Write,
}

/// A way in which a store call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Has no effect; returns `Unavailable`.
    ErrorBefore,
    /// A write takes effect, but its reply is lost: returns `Unknown`.
    LostReply,
    /// A write returns `Unknown` at once and takes effect only after the next call to any store, or
    /// when released, like a statement queued behind a lock. The next reader does not see it.
    LateEffect,
    /// Does not return until released; then the call is executed and answered. A write is executed
    /// at the release even if its caller is gone.
    Hang,
    /// A write is executed twice, as by a network that retries; the second answer is returned.
    Repeat,
    /// Only the first half of a batch is executed; returns `Unknown`. Other writes, and batches of
    /// one, are executed completely, as with [`Fault::LostReply`].
    PartialBatch,
    /// A read returns the previous answer of the same call, or that of an empty store.
    StaleRead,
    /// One bit of the content read is flipped: in a record, a snapshot state or a text.
    CorruptByte,
    /// The process dies before the call takes effect: all calls have no effect and fail until
    /// [`revive`](super::Injector::revive).
    KillBefore,
    /// A write takes effect, then the process dies.
    KillAfter,
}

impl Fault {
    /// All kinds.
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

    /// Whether this fault applies to calls of this class. A read with a lost reply, or a repeated
    /// read, is indistinguishable from one that fails or succeeds.
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

    /// Whether the fault kills the process.
    pub(super) const fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }
}
