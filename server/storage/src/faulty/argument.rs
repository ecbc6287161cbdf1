//! Owned arguments of store methods, so that a call can be repeated, or made after its caller was
//! dropped.

use izanagi_domain::storage::{
    AuditEvent, Freshness, MovePhase, MovedStore, RecordIndex, Sealed, Settlement, Topic,
};
use izanagi_shared::{
    id::{ActorId, CommitId, DocumentId, SessionId, UserId},
    time::Timestamp,
};
use std::{borrow::Borrow, fmt::Debug};
use uuid::Uuid;

/// An argument that can be stored and borrowed again.
pub(super) trait Argument<'a> {
    /// The owned form.
    type Kept: Clone + Debug + Send + Sync + 'static;
    /// Converts to the owned form.
    fn keep(self) -> Self::Kept;
    /// Borrows it for a call.
    fn lend(kept: &'a Self::Kept) -> Self;
}

impl<'a, T> Argument<'a> for &'a T
where
    T: ToOwned + ?Sized,
    T::Owned: Clone + Debug + Send + Sync + 'static,
{
    type Kept = T::Owned;

    fn keep(self) -> T::Owned {
        self.to_owned()
    }

    fn lend(kept: &'a T::Owned) -> Self {
        kept.borrow()
    }
}

impl<'a> Argument<'a> for Option<&'a str> {
    type Kept = Option<String>;

    fn keep(self) -> Option<String> {
        self.map(str::to_owned)
    }

    fn lend(kept: &'a Option<String>) -> Self {
        kept.as_deref()
    }
}

impl<'a> Argument<'a> for Option<&'a Sealed> {
    type Kept = Option<Sealed>;

    fn keep(self) -> Self::Kept {
        self.cloned()
    }

    fn lend(kept: &'a Self::Kept) -> Self {
        kept.as_ref()
    }
}

impl<'a> Argument<'a> for Option<&'a AuditEvent> {
    type Kept = Option<AuditEvent>;

    fn keep(self) -> Option<AuditEvent> {
        self.cloned()
    }

    fn lend(kept: &'a Option<AuditEvent>) -> Self {
        kept.as_ref()
    }
}

macro_rules! copied_arguments {
    ($($argument:ty),* $(,)?) => {
        $(impl Argument<'_> for $argument {
            type Kept = Self;

            fn keep(self) -> Self {
                self
            }

            fn lend(kept: &Self) -> Self {
                *kept
            }
        })*
    };
}

copied_arguments!(
    bool,
    u32,
    u64,
    Option<u64>,
    CommitId,
    Option<CommitId>,
    Freshness,
    RecordIndex,
    Topic,
    DocumentId,
    Option<DocumentId>,
    SessionId,
    ActorId,
    UserId,
    Option<UserId>,
    Timestamp,
    Settlement,
    Uuid,
    Option<Uuid>,
    MovedStore,
    MovePhase,
    Option<(Uuid, MovePhase)>,
);
