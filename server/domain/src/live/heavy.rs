//! Work that would keep the process's other tasks waiting.

use crate::error::{Error, Result};
use std::{sync::Arc, thread::available_parallelism};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// From this many bytes on, walking over them takes long enough to be done elsewhere.
pub(super) const MANY_BYTES: usize = 64 * 1024;

/// Threads for work that takes long: no more at once than there are processors, so that documents
/// which need much of it do not take the machine from all others.
#[derive(Clone)]
pub(super) struct Heavy(Arc<Semaphore>);

impl Heavy {
    pub(super) fn new() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors)))
    }

    /// Does some work: here, or on such a thread if it `takes_long`.
    ///
    /// # Errors
    /// `Internal` if it panicked there.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        takes_long: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        if !takes_long {
            return Ok(work());
        }
        let _turn = self.0.acquire().await.map_err(Error::internal)?;
        spawn_blocking(work).await.map_err(Error::internal)
    }
}
