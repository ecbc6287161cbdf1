//! Serialises requests with the same key, so that the second finds the result of the first, and
//! commits of the same document.

use crate::hash::sha256_parts;
use izanagi_shared::id::DocumentId;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex as Turn, OwnedMutexGuard},
    time::timeout,
};

type Key = [u8; 32];

/// Returns the key for commits of a document.
pub(super) fn of_document(document: DocumentId) -> Key {
    sha256_parts(&[b"document", document.0.as_bytes()])
}

/// Maximum wait, because a store may hang.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A lock per key in use.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<Key, Arc<Turn<()>>>>>);

/// The lock of one request; released when dropped.
pub(super) struct InTurn {
    turns: Turns,
    key: Key,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until no other request uses this key, up to a limit. Correctness does not depend on
    /// the lock: it only makes concurrent requests get the same answer.
    pub(super) async fn take(&self, key: Key) -> InTurn {
        let turn = Arc::clone(self.0.lock().entry(key).or_default());
        let guard = timeout(LONGEST_WAIT, turn.lock_owned()).await.ok();
        InTurn { turns: self.clone(), key, guard }
    }
}

impl Drop for InTurn {
    fn drop(&mut self) {
        let mut turns = self.turns.0.lock();
        self.guard.take();
        // A waiter holds a clone, taken under this lock, so a count of one means that no request
        // waits.
        if turns.get(&self.key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use tokio::task::yield_now;

    #[tokio::test]
    async fn equal_keys_wait_for_each_other_and_leave_nothing_behind() {
        let turns = Turns::default();
        let first = turns.take([1; 32]).await;
        let other = turns.take([2; 32]).await;
        let mut second = pin!(turns.take([1; 32]));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        yield_now().await;
        drop(second.await);
        drop(other);
        assert!(turns.0.lock().is_empty());
    }
}
