//! Whether the stores can serve requests.

use crate::{
    core::Core,
    error::{Error, Internal, Result},
    storage::{StoreError, StoreResult},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::timeout};

/// How long an answer is reused. Anyone may ask, and each answer takes a durable write.
const VALID_FOR: Duration = Duration::from_secs(3);
/// A store that takes longer is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks the stores by reading and writing: a full disk still answers reads.
#[derive(Debug, Clone)]
pub struct Readiness {
    core: Core,
    /// Locked during a check, so that others wait for its answer.
    last: Arc<Mutex<Option<Answer>>>,
}

#[derive(Debug)]
struct Answer {
    found: StoreResult<()>,
    /// On the clock that cannot be set.
    at: Duration,
}

impl Readiness {
    pub(crate) fn new(core: Core) -> Self {
        Self { core, last: Arc::default() }
    }

    /// Checks that the stores answer reads and accept writes.
    ///
    /// # Errors
    /// `Unavailable` with what is wrong.
    pub async fn check(&self) -> Result<()> {
        let mut last = self.last.lock().await;
        let now = self.core.clock.uptime();
        let found = match &*last {
            Some(Answer { found, at }) if now.saturating_sub(*at) < VALID_FOR => found.clone(),
            _ => {
                let found = timeout(PATIENCE, self.ask()).await;
                let late = || Err(StoreError::Unavailable("the store did not answer".to_owned()));
                let found = found.unwrap_or_else(|_| late());
                *last = Some(Answer { found: found.clone(), at: now });
                found
            }
        };
        drop(last);
        found.map_err(|error| Error::Unavailable(Internal::new(error)))
    }

    async fn ask(&self) -> StoreResult<()> {
        let relational = &self.core.stores.relational;
        relational.inspect.documents(None, 1).await?;
        relational.upkeep.probe(self.core.clock.now()).await
    }
}
