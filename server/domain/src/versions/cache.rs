//! Cache of recently used contents, so that a commit need not read its parent. Contents are
//! verified before they enter and immutable, so entries are never stale.

use izanagi_shared::id::CommitId;
use lru::LruCache;
use parking_lot::Mutex;
use std::sync::Arc;

/// Maximum total size in bytes.
const CAPACITY: usize = 16 * 1024 * 1024;

#[derive(Clone)]
pub(super) struct ContentCache(Arc<Mutex<Held>>);

struct Held {
    texts: LruCache<CommitId, Arc<str>>,
    bytes: usize,
}

impl Default for ContentCache {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Held { texts: LruCache::unbounded(), bytes: 0 })))
    }
}

impl ContentCache {
    pub(super) fn get(&self, commit: CommitId) -> Option<Arc<str>> {
        self.0.lock().texts.get(&commit).cloned()
    }

    pub(super) fn put(&self, commit: CommitId, text: Arc<str>) {
        // A text large enough to evict everything else is not cached.
        if text.len() > CAPACITY / 4 {
            return;
        }
        let mut held = self.0.lock();
        held.bytes += text.len();
        if let Some(old) = held.texts.put(commit, text) {
            held.bytes -= old.len();
        }
        while held.bytes > CAPACITY {
            let Some((_, text)) = held.texts.pop_lru() else { break };
            held.bytes -= text.len();
        }
        drop(held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn lets_the_oldest_go_when_full() {
        let cache = ContentCache::default();
        let text: Arc<str> = "x".repeat(CAPACITY / 4).into();
        let id = |n| CommitId(Uuid::from_u128(n));
        for n in 0..5 {
            cache.put(id(n), Arc::clone(&text));
        }
        assert!(cache.get(id(0)).is_none());
        assert!(cache.get(id(4)).is_some());
        assert!(cache.0.lock().bytes <= CAPACITY);
    }
}
