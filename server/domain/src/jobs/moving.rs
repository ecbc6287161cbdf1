//! The job that moves a store to another place.

use super::{Jobs, worker::Worker};
use crate::{
    error::{Error, Result},
    storage::{MovedStore, Topic},
};
use tokio_util::sync::CancellationToken;

impl Jobs {
    /// Carries on with the move of a store.
    pub(super) async fn carry_on_moving(&self, store: MovedStore) -> Result<()> {
        let mover = self.core.stores.movers.iter().find(|mover| mover.store() == store);
        let missing = || Error::internal(format!("nothing can move the store {}", store.as_str()));
        Ok(mover.ok_or_else(missing)?.carry_on().await?)
    }

    /// Carries out moves in this process, for a command that runs without a server.
    ///
    /// # Errors
    /// The outbox cannot be read or written.
    pub async fn run_moves(&self, stop: &CancellationToken) -> Result<u64> {
        Worker::new(self.clone(), Topic::Move).work_off(stop).await
    }
}
