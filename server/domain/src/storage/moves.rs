//! Moving a store to another place while people work (DESIGN §10, `izanagi migrate-store`).
//!
//! A move is one row of the relational database. The command asks for it; one server, which holds the
//! lease of its job, carries it out; all servers follow its phase and confirm each before the next
//! begins.

use super::StoreResult;
use async_trait::async_trait;
use izanagi_shared::{rules::Secret, time::Timestamp};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A store that can move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MovedStore {
    /// Version contents and edit history.
    Documents,
    /// Everything that must change in one transaction.
    Relational,
}

impl MovedStore {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Documents, Self::Relational];

    /// Returns the name used in the database and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Relational => "relational",
        }
    }

    /// Parses a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|store| store.as_str() == name)
    }
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MovePhase {
    /// Asked for. Every node begins to write to both places, or to note what it changes.
    Asked,
    /// What was there before is copied.
    Copying,
    /// Both places are compared.
    Verifying,
    /// Writes wait for the switch.
    Holding,
    /// The new place is the truth. Some nodes may not know it yet.
    Switched,
    /// Done. The row remains as long as the settings name the old place.
    Moved,
    /// Cancelled before the switch; what was prepared is to be undone.
    Cancelled,
}

impl MovePhase {
    const ALL: [Self; 7] = [
        Self::Asked,
        Self::Copying,
        Self::Verifying,
        Self::Holding,
        Self::Switched,
        Self::Moved,
        Self::Cancelled,
    ];

    /// Returns the name used in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Copying => "copying",
            Self::Verifying => "verifying",
            Self::Holding => "holding",
            Self::Switched => "switched",
            Self::Moved => "moved",
            Self::Cancelled => "cancelled",
        }
    }

    /// Parses a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }

    /// Whether the new place is the truth.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Switched | Self::Moved)
    }

    /// Whether there is still something to do.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Moved)
    }
}

/// A URL with its password, as [`Sealer`](crate::sealing::Sealer) returns it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// A move to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMove {
    /// A fresh id.
    pub id: Uuid,
    /// The store.
    pub store: MovedStore,
    /// Where it is, if an earlier move brought it there; otherwise the settings say it.
    pub source: Option<Sealed>,
    /// Where it goes.
    pub target: Sealed,
    /// Now.
    pub at: Timestamp,
}

/// A move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreMove {
    /// Its id.
    pub id: Uuid,
    /// The store.
    pub store: MovedStore,
    /// Where it was, if an earlier move had brought it there; otherwise the settings say it.
    pub source: Option<Sealed>,
    /// Where it goes, or has gone.
    pub target: Sealed,
    /// How far it is.
    pub phase: MovePhase,
    /// How far it is.
    pub progress: MoveProgress,
    /// The worker that carries it out, and until when.
    pub claim: Option<(Uuid, Timestamp)>,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When its row was changed last.
    pub updated_at: Timestamp,
}

/// How far a move is, for people and for a worker that resumes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MoveProgress {
    /// Parts that are done in this phase.
    pub done: u64,
    /// Parts of this phase; 0 while unknown.
    pub total: u64,
    /// Where a worker resumes; only the mover understands it.
    pub position: String,
    /// What a person should know, such as why it waits. Without secrets.
    pub note: String,
}

/// What a node says about a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveNode {
    /// The node.
    pub node: Uuid,
    /// The move that it follows, and the phase in which it works.
    pub at: Option<(Uuid, MovePhase)>,
    /// Goes up with each sign of life.
    pub beats: u64,
}

/// The rows of moves.
#[async_trait]
pub trait StoreMoves: Send + Sync {
    /// Returns the move of a store, if there is one.
    async fn get(&self, store: MovedStore) -> StoreResult<Option<StoreMove>>;

    /// Writes a move and enqueues its job. A move that is done is replaced; returns `false` if one
    /// of any store is not.
    async fn begin(&self, new: &NewMove) -> StoreResult<bool>;

    /// Takes or extends the lease of a move, if no other worker has it; returns whether it did.
    async fn claim(
        &self,
        id: Uuid,
        worker: Uuid,
        now: Timestamp,
        until: Timestamp,
    ) -> StoreResult<bool>;

    /// Ends the lease of a move, whoever has it: the caller knows that nobody works.
    async fn release(&self, id: Uuid) -> StoreResult<()>;

    /// Goes from one phase to another; returns `false` if it is in another one. Progress begins
    /// anew, except for the position.
    async fn turn(
        &self,
        id: Uuid,
        from: MovePhase,
        to: MovePhase,
        at: Timestamp,
    ) -> StoreResult<bool>;

    /// Writes how far the move is.
    async fn report(&self, id: Uuid, progress: &MoveProgress, at: Timestamp) -> StoreResult<()>;

    /// Puts a target in place of another, as after a cancelled move away from a place that an earlier
    /// one had led to: the row is then that earlier move, done.
    async fn restore(&self, id: Uuid, target: &Sealed, at: Timestamp) -> StoreResult<()>;

    /// Replaces the URLs of a move by the same ones, sealed with another key.
    async fn reseal(&self, id: Uuid, source: Option<&Sealed>, target: &Sealed) -> StoreResult<()>;

    /// Removes a move and what nodes said about it.
    async fn remove(&self, id: Uuid) -> StoreResult<()>;

    /// Says that a node is alive and in which phase it works.
    async fn confirm(
        &self,
        store: MovedStore,
        node: Uuid,
        at: Option<(Uuid, MovePhase)>,
    ) -> StoreResult<()>;

    /// Returns the nodes that follow a store.
    async fn nodes(&self, store: MovedStore) -> StoreResult<Vec<MoveNode>>;

    /// Removes a node that has ended.
    async fn leave(&self, store: MovedStore, node: Uuid) -> StoreResult<()>;
}

/// Carries out the moves of one store.
#[async_trait]
pub trait StoreMover: Send + Sync {
    /// Returns the store.
    fn store(&self) -> MovedStore;

    /// Checks whether the store can move to a URL, and returns the move to begin. A place that is not
    /// empty is refused unless `overwrite` is set: what the store does not have is removed there.
    ///
    /// # Errors
    /// Why it cannot, in words for the administrator, without secrets.
    async fn prepare(&self, target: &Secret, overwrite: bool) -> Result<NewMove, String>;

    /// Carries on with the move of the store, if there is one, until it is done or cancelled. May be
    /// dropped anywhere and called again, by another node too.
    async fn carry_on(&self) -> StoreResult<()>;

    /// Follows the phases on this node until `stop`.
    async fn follow(&self, stop: CancellationToken);
}
