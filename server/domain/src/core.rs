//! Dependencies shared by all services.

use crate::{
    budget::{Budget, covered},
    error::{Error, Result},
    jobs::Wake,
    storage::{Clock, Ids, Stores},
};
use std::{fmt, ops::Deref, sync::Arc};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Stores, clock, random source, budgets and tasks of one process. Cloning it clones a pointer.
#[derive(Clone)]
pub struct Core(Arc<Parts>);

/// The parts of a [`Core`].
pub struct Parts {
    /// The stores.
    pub stores: Stores,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Generates ids and random bytes.
    pub ids: Arc<dyn Ids>,
    /// Limits memory and processor time.
    pub budget: Budget,
    /// Wakes the workers of jobs.
    pub wake: Wake,
    /// Tracks background work; a shutdown waits for it.
    pub tasks: TaskTracker,
    /// Cancelled at shutdown.
    pub stop: CancellationToken,
    /// Tracks what follows the moves of stores.
    pub followers: TaskTracker,
    /// Cancelled when everything else has ended.
    pub stop_following: CancellationToken,
}

impl Core {
    /// Creates a core.
    #[must_use]
    pub fn new(stores: Stores, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, budget: Budget) -> Self {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let wake = Wake::default();
        let (followers, stop_following) = (TaskTracker::new(), CancellationToken::new());
        Self(Arc::new(Parts {
            stores,
            clock,
            ids,
            budget,
            wake,
            tasks,
            stop,
            followers,
            stop_following,
        }))
    }
}

impl Parts {
    /// Runs work to completion even if the caller is dropped. Reserve the memory it needs
    /// beforehand.
    ///
    /// # Errors
    /// Those of the work; `Internal` if it panics.
    pub(crate) async fn run_to_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.tasks.spawn(covered(work)).await.map_err(Error::internal)?
    }
}

impl Deref for Core {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("stores", &self.stores).finish_non_exhaustive()
    }
}
