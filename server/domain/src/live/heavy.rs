//! Work that would keep the process's other tasks waiting.

use crate::error::{Error, Result};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};
use tokio::sync::{Semaphore, oneshot};

/// From this many bytes on, walking over them takes long enough to be done elsewhere.
pub(super) const MANY_BYTES: usize = 64 * 1024;

/// As many go on at once: enough that a short one is not kept by some long ones, for the system
/// shares the processors among them; few enough for their memory.
const AT_ONCE: usize = 16;

/// Threads for work that takes long. They give way to those that answer requests.
#[derive(Clone)]
pub(super) struct Heavy(Arc<Semaphore>);

impl Heavy {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }

    /// Does some work: here, or on a thread of its own if it `takes_long`.
    ///
    /// # Errors
    /// `Internal` if it panicked there, or if there was no thread to be had.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        takes_long: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        if !takes_long {
            return Ok(work());
        }
        let _turn = self.0.acquire().await.map_err(Error::internal)?;
        let (reply, done) = oneshot::channel();
        // Not one of tokio's threads, which would keep the priority.
        let thread = thread::Builder::new().name("izanagi-heavy".to_owned());
        let work = move || {
            give_way();
            drop(reply.send(catch_unwind(AssertUnwindSafe(work))));
        };
        thread.spawn(work).map_err(Error::internal)?;
        let done = done.await.map_err(Error::internal)?;
        done.map_err(|_| Error::internal("work on a document panicked"))
    }
}

/// Lowers the priority of this thread.
fn give_way() {
    // Elsewhere the priority is that of the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_work_is_done_elsewhere() {
        let here = thread::current().id();
        let there = Heavy::new().run(true, || thread::current().id()).await.unwrap();
        assert_ne!(here, there);
        let short = Heavy::new().run(false, || thread::current().id()).await.unwrap();
        assert_eq!(here, short);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn long_work_gives_way() {
        use rustix::process::getpriority_process;
        let here = getpriority_process(None).unwrap();
        let there = Heavy::new().run(true, || getpriority_process(None).unwrap()).await.unwrap();
        // The larger the number, the lower the priority; who starts low stays there.
        assert!(there > here || here >= 10, "{here} here, {there} there");
        assert_eq!(getpriority_process(None).unwrap(), here);
    }

    #[tokio::test]
    async fn a_panic_stays_there() {
        let answer = Heavy::new().run(true, || -> () { panic!("on purpose") }).await;
        assert!(matches!(answer, Err(Error::Internal(_))), "{answer:?}");
    }
}
