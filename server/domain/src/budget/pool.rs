//! The pool: a bounded number of threads and of jobs that wait for them.

use crate::error::{Error, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// A pool of threads that give way to those that answer requests.
pub(super) struct Pool {
    threads: ThreadPool,
    places: Arc<Semaphore>,
}

impl Pool {
    /// Starts `threads` threads; beyond the jobs that run, `queue` may wait.
    pub(super) fn start(threads: usize, queue: usize) -> Result<Self> {
        let threads = threads.max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("izanagi-work-{number}"))
            .start_handler(|_| lower_priority())
            .build()
            .map_err(Error::internal)?;
        Ok(Self { threads: pool, places: Arc::new(Semaphore::new(threads + queue)) })
    }

    /// Waits for a place among the jobs.
    pub(super) async fn place(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.places).acquire_owned().await.map_err(Error::internal)
    }

    /// Runs a job; jobs start in the order in which they come.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (reply, done) = oneshot::channel();
        self.threads.spawn_fifo(move || {
            if !reply.is_closed() {
                let result = catch_unwind(AssertUnwindSafe(job));
                drop(place);
                // The caller may have gone away.
                let _ = reply.send(result);
            }
        });
        let done = done.await.map_err(|_| Error::internal("the pool dropped a job"))?;
        done.map_err(|_| Error::internal("a job in the pool panicked"))
    }

    #[cfg(test)]
    pub(super) fn free_places(&self) -> usize {
        self.places.available_permits()
    }
}

/// Lowers the priority of this thread. Only Linux has priorities of single threads.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!(%error, "a pool thread keeps its priority");
    }
}

#[cfg(test)]
#[allow(clippy::significant_drop_tightening, reason = "tests hold budgets on purpose")]
mod tests {
    use super::*;

    async fn run<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let pool = Pool::start(1, 1).unwrap();
        let place = pool.place().await.unwrap();
        pool.run(place, job).await
    }

    #[tokio::test]
    async fn jobs_run_on_other_threads() {
        let there = run(|| std::thread::current().id()).await.unwrap();
        assert_ne!(there, std::thread::current().id());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn jobs_run_at_low_priority() {
        use rustix::process::getpriority_process;
        let here = getpriority_process(None).unwrap();
        let there = run(|| getpriority_process(None).unwrap()).await.unwrap();
        // A larger number is a lower priority; a process that starts at the lowest stays there.
        assert!(there > here || here >= 10, "{here} here, {there} there");
    }

    #[tokio::test]
    async fn a_panic_fails_its_own_job_only() {
        let pool = Pool::start(1, 0).unwrap();
        let place = pool.place().await.unwrap();
        let failed = pool.run(place, || -> () { panic!("on purpose") }).await;
        assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
        let place = pool.place().await.unwrap();
        assert_eq!(pool.run(place, || 7).await.unwrap(), 7);
    }
}
