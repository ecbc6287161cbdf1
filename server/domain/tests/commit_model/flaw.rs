//! Protocols that are wrong in one place: the checker has to find what each of them breaks.

/// One rule left out of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// After an unknown outcome: a plain SELECT, no fence.
    NoFence,
    /// The fence closes the intent of the asker's own attempt only, not all of its request.
    FenceOwnAttemptOnly,
    /// A refusal (412, nothing to commit) is given without looking whether the request is committed.
    RefuseWithoutLook,
    /// A refusal is taken as final although another saver of the request is alive.
    RefuseWhileOthersWork,
    /// Both stores in one file: the fence runs beside the queue in which the transaction still waits.
    FenceBesideQueue,
    /// A retry takes the commit id of the attempt before it.
    ReuseCommitId,
    /// After an unknown outcome of step 3 the saver goes on to step 4.
    CommitAfterUnknownCreate,
    /// Step 4 does not compare the head with the expected parent.
    NoHeadCheck,
    /// Step 4 does not look at the intent.
    NoIntentCheck,
    /// Step 4 closes the intent as committed also when the head has moved.
    IntentClosedWithoutVersion,
    /// `versions.request_key` is not unique.
    KeyNotUnique,
    /// The collector picks expired intents and deletes, without closing them first.
    GcWithoutMark,
    /// A collector deletes what it closed itself, not what a fence or a dead collector closed.
    GcOnlyOwnMarks,
    /// The demoter drops the content as soon as a patch is there, unread.
    DropUnverified,
    /// The demoter's updates do not carry the record version that they were planned on.
    UpdateUnchecked,
}
