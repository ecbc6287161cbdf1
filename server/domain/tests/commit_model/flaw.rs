//! Protocols with one deliberate flaw; the checker must find the property that each of them
//! violates.

/// A rule omitted from the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// After an unknown outcome, the saver reads without a fence.
    NoFence,
    /// The fence closes only the intent of its own attempt, not all intents of the request.
    FenceOwnAttemptOnly,
    /// A rejection (412, nothing to commit) is sent without checking whether the request is
    /// committed.
    RefuseWithoutLook,
    /// A rejection is treated as final although another saver of the request is alive.
    RefuseWhileOthersWork,
    /// Both stores in one file: the fence bypasses the queue in which the transaction is waiting.
    FenceBesideQueue,
    /// A retry reuses the commit id of the previous attempt.
    ReuseCommitId,
    /// After an unknown outcome of step 3, the saver continues with step 4.
    CommitAfterUnknownCreate,
    /// Step 4 does not compare the head with the expected parent.
    NoHeadCheck,
    /// Step 4 does not check the intent.
    NoIntentCheck,
    /// Step 4 closes the intent as committed even if the head has moved.
    IntentClosedWithoutVersion,
    /// `versions.request_key` is not unique.
    KeyNotUnique,
    /// The collector deletes content of expired intents without closing them first.
    GcWithoutMark,
    /// A collector deletes content only for intents it closed itself, not for those closed by a
    /// fence or a dead collector.
    GcOnlyOwnMarks,
    /// Neither step 2 nor a collector checks whether a commit id is a version, although committed
    /// intents are forgotten.
    VersionsUnchecked,
    /// The demoter drops the content as soon as a patch exists, without verifying it.
    DropUnverified,
    /// The demoter's updates do not carry the record version they were planned on.
    UpdateUnchecked,
}
