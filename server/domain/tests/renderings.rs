//! Renderings that nodes share through a cache which may hold anything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/mod.rs"]
mod support;

use async_trait::async_trait;
use bytes::Bytes;
use izanagi_domain::storage::{Cache, LocalCache};
use izanagi_shared::markdown::RenderOptions;
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use support::{Plan, World};

/// A cache of all nodes that counts, and can be spoiled.
struct Spoilable {
    inner: LocalCache,
    keys: Mutex<Vec<String>>,
    hits: AtomicU32,
}

impl Default for Spoilable {
    fn default() -> Self {
        let inner = LocalCache::new(64 * 1024 * 1024);
        Self { inner, keys: Mutex::default(), hits: AtomicU32::new(0) }
    }
}

#[async_trait]
impl Cache for Spoilable {
    async fn get(&self, key: &str) -> Option<Bytes> {
        let found = self.inner.get(key).await;
        self.hits.fetch_add(u32::from(found.is_some()), Ordering::Relaxed);
        found
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) {
        self.keys.lock().push(key.to_owned());
        self.inner.put(key, value, ttl).await;
    }

    async fn remove(&self, key: &str) {
        self.inner.remove(key).await;
    }

    fn is_shared(&self) -> bool {
        true
    }
}

async fn rendered(world: &World, id: izanagi_shared::id::DocumentId) -> String {
    let reader = world.reader(id).await;
    let labels = RenderOptions::default().labels;
    world.services.documents.render(&reader, labels, false).await.unwrap().html.clone()
}

#[tokio::test]
async fn a_long_text_is_rendered_once_for_all_nodes_and_nothing_else_is_believed() {
    let cache = Arc::new(Spoilable::default());
    let with = |cache: &Arc<Spoilable>| -> Arc<dyn Cache> { Arc::clone(cache) as _ };
    let shared = with(&cache);
    let wrap = Box::new(|stores| izanagi_domain::storage::Stores { cache: shared, ..stores });
    let here = World::with(Plan { wrap, ..Plan::default() }).await;
    let text = "Some *words* of a long text.\n\n".repeat(2_000);
    let (long, short) = (here.create(&text).await, here.create("*short*").await);
    let html = rendered(&here, long).await;
    rendered(&here, short).await;
    assert_eq!(cache.keys.lock().len(), 1, "short texts are not shared");
    let node = || {
        let shared = with(&cache);
        World::beside(&here, |stores| izanagi_domain::storage::Stores { cache: shared, ..stores })
    };
    assert_eq!(rendered(&node(), long).await, html);
    assert_eq!(cache.hits.load(Ordering::Relaxed), 1);
    let key = cache.keys.lock()[0].clone();
    let value = cache.inner.get(&key).await.unwrap();
    let mut damaged = value.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let script = br#"{"html":"<script>alert(1)</script>","toc":[],"truncated":false,"has_outside_images":false}"#;
    for wrong in [Bytes::new(), damaged.into(), value.slice(..100), Bytes::from_static(script)] {
        cache.inner.put(&key, wrong, Duration::from_secs(60)).await;
        assert_eq!(rendered(&node(), long).await, html);
        assert_eq!(cache.inner.get(&key).await.unwrap(), value, "it is repaired");
    }
}
