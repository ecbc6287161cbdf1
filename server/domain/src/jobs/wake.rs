//! Wakes workers, so that a job starts as soon as it was enqueued by this process.

use crate::storage::Topic;
use tokio::sync::Notify;

/// One signal per topic.
#[derive(Debug, Default)]
pub struct Wake([Notify; Topic::ALL.len()]);

impl Wake {
    /// Wakes the worker of a topic. Call it after the write that enqueued a job.
    pub fn up(&self, topic: Topic) {
        if let Some(signal) = self.0.get(topic as usize) {
            signal.notify_one();
        }
    }

    /// Waits for the next signal.
    pub(super) async fn signal(&self, topic: Topic) {
        if let Some(signal) = self.0.get(topic as usize) {
            signal.notified().await;
        }
    }
}
