//! Moves of stores, as `izanagi migrate-store` asks for them and follows them.

use crate::{
    core::Core,
    error::Result,
    storage::{MovePhase, MovedStore, StoreMove, Topic},
};
use izanagi_shared::rules::Secret;

/// Moves of stores.
#[derive(Debug, Clone)]
pub struct Moves {
    core: Core,
}

/// What became of a request to begin a move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It begins.
    Begun,
    /// It cannot, and why, for the administrator.
    Refused(String),
}

/// What became of a request to cancel a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelling {
    /// It is cancelled.
    Cancelled,
    /// There is none.
    Nothing,
    /// The new place is the truth already.
    TooLate,
}

impl Moves {
    /// Creates the service.
    #[must_use]
    pub const fn new(core: Core) -> Self {
        Self { core }
    }

    /// Asks for a move of a store to a URL.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn begin(
        &self,
        store: MovedStore,
        target: &Secret,
        overwrite: bool,
    ) -> Result<Asked> {
        let Some(mover) = self.core.stores.movers.iter().find(|mover| mover.store() == store)
        else {
            let why = format!("this version cannot move the store {}", store.as_str());
            return Ok(Asked::Refused(why));
        };
        let new = match mover.prepare(target, overwrite).await {
            Ok(new) => new,
            Err(why) => return Ok(Asked::Refused(why)),
        };
        if !self.core.stores.relational.moves.begin(&new).await? {
            let why = "another move is under way; see --status, or end it with --cancel";
            return Ok(Asked::Refused(why.to_owned()));
        }
        self.core.wake.up(Topic::Move);
        Ok(Asked::Begun)
    }

    /// Returns the move of a store, if there is one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn get(&self, store: MovedStore) -> Result<Option<StoreMove>> {
        Ok(self.core.stores.relational.moves.get(store).await?)
    }

    /// Forgets the move of a store if it is done; returns whether there was one.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn forget(&self, store: MovedStore) -> Result<bool> {
        let moves = &self.core.stores.relational.moves;
        match moves.get(store).await? {
            Some(row) if row.phase == MovePhase::Moved => {
                moves.remove(row.id).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Cancels the move of a store, if its new place is not the truth yet.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn cancel(&self, store: MovedStore) -> Result<Cancelling> {
        let moves = &self.core.stores.relational.moves;
        loop {
            let Some(row) = moves.get(store).await? else { return Ok(Cancelling::Nothing) };
            match row.phase {
                MovePhase::Moved => return Ok(Cancelling::Nothing),
                MovePhase::Switched => return Ok(Cancelling::TooLate),
                MovePhase::Cancelled => return Ok(Cancelling::Cancelled),
                phase @ (MovePhase::Asked
                | MovePhase::Copying
                | MovePhase::Verifying
                | MovePhase::Holding) => {
                    let now = self.core.clock.now();
                    if moves.turn(row.id, phase, MovePhase::Cancelled, now).await? {
                        self.core.wake.up(Topic::Move);
                        return Ok(Cancelling::Cancelled);
                    }
                }
            }
        }
    }
}
