//! A cache of values that can be computed again.

use async_trait::async_trait;
use bytes::Bytes;
use lru::LruCache;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use std::time::{Duration, Instant};

/// Bytes of the hash before a sealed value.
const HASH: usize = 32;
/// Estimated memory of an entry beside its key and value.
const ENTRY: usize = 160;

/// A cache. It may lose everything at any time, and a failure is a miss. Values are [sealed](seal), so
/// that a wrong one is a miss, too.
#[async_trait]
pub trait Cache: Send + Sync {
    /// Returns what was put under a key, if it is still there.
    async fn get(&self, key: &str) -> Option<Bytes>;
    /// Puts a value, for at most `ttl`. What is too large is not kept.
    async fn put(&self, key: &str, value: Bytes, ttl: Duration);
    /// Removes a value.
    async fn remove(&self, key: &str);
    /// Whether other nodes get the same values.
    fn is_shared(&self) -> bool {
        false
    }
}

/// Puts a hash of the value and of what it is made from before the value.
#[must_use]
pub fn seal(source: &[u8], value: &[u8]) -> Bytes {
    [hash(source, value).as_slice(), value].concat().into()
}

/// Returns a value that was sealed with the same source; `None` for anything else.
#[must_use]
pub fn unseal(source: &[u8], sealed: &Bytes) -> Option<Bytes> {
    let stored = sealed.get(..HASH)?;
    let value = sealed.slice(HASH..);
    (stored == hash(source, &value)).then_some(value)
}

fn hash(source: &[u8], value: &[u8]) -> [u8; HASH] {
    let length = (source.len() as u64).to_be_bytes();
    let parts = Sha256::new().chain_update(length).chain_update(source).chain_update(value);
    parts.finalize().into()
}

/// A cache within this process, bounded by bytes. Least recently used values go first.
#[derive(Debug)]
pub struct LocalCache {
    state: Mutex<State>,
    most_bytes: usize,
}

#[derive(Debug)]
struct State {
    entries: LruCache<String, Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    until: Instant,
}

impl LocalCache {
    /// Creates a cache of at most this many bytes. A value can have an eighth of them.
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        let state = State { entries: LruCache::unbounded(), bytes: 0 };
        Self { state: Mutex::new(state), most_bytes }
    }

    /// The estimated memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state.lock().bytes
    }
}

impl State {
    fn remove(&mut self, key: &str) {
        if let Some((key, entry)) = self.entries.pop_entry(key) {
            self.bytes -= size(&key, &entry.value);
        }
    }
}

fn size(key: &str, value: &Bytes) -> usize {
    ENTRY + key.len() + value.len()
}

#[async_trait]
impl Cache for LocalCache {
    async fn get(&self, key: &str) -> Option<Bytes> {
        let mut state = self.state.lock();
        let entry = state.entries.get(key)?;
        if Instant::now() < entry.until {
            return Some(entry.value.clone());
        }
        state.remove(key);
        None
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        let bytes = size(key, &value);
        let mut state = self.state.lock();
        state.remove(key);
        if bytes > self.most_bytes / 8 {
            return;
        }
        while state.bytes + bytes > self.most_bytes {
            let Some((key, entry)) = state.entries.pop_lru() else { break };
            state.bytes -= size(&key, &entry.value);
        }
        state.bytes += bytes;
        state.entries.put(key.to_owned(), Entry { value, until: Instant::now() + ttl });
    }

    async fn remove(&self, key: &str) {
        self.state.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_for_the_same_source_comes_back() {
        let sealed = seal(b"source", b"value");
        assert_eq!(unseal(b"source", &sealed), Some(Bytes::from_static(b"value")));
        assert_eq!(unseal(b"other", &sealed), None);
        assert_eq!(unseal(b"sourcev", &seal(b"source", b"value")), None);
        for index in 0..sealed.len() {
            let mut damaged = sealed.to_vec();
            damaged[index] ^= 1;
            assert_eq!(unseal(b"source", &damaged.into()), None);
            assert_eq!(unseal(b"source", &sealed.slice(..index)), None);
        }
    }

    #[tokio::test]
    async fn its_bytes_are_bounded_and_the_oldest_goes_first() {
        let cache = LocalCache::new(8 * (ENTRY + 1 + 100));
        let value = Bytes::from(vec![7; 100]);
        for key in 0..8 {
            cache.put(&key.to_string(), value.clone(), Duration::from_secs(60)).await;
        }
        assert!(cache.get("0").await.is_some());
        cache.put("8", value, Duration::from_secs(60)).await;
        assert!(cache.get("0").await.is_some() && cache.get("1").await.is_none());
        assert!(cache.bytes() <= 8 * (ENTRY + 1 + 100));
        cache.put("0", vec![7; 1_000].into(), Duration::from_secs(60)).await;
        assert_eq!(cache.get("0").await, None, "it is too large, and the old one is not true");
        cache.put("9", Bytes::new(), Duration::ZERO).await;
        assert_eq!(cache.get("9").await, None);
        for key in 0..10 {
            cache.remove(&key.to_string()).await;
        }
        assert_eq!(cache.bytes(), 0);
    }
}
