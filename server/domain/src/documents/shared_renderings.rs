//! Renderings that all nodes share. Each node keeps its own in memory; this saves rendering a long text
//! once a node, and again when it has been displaced.

use super::{Documents, render::Key, sanitise};
use crate::{
    error::Result,
    hash::sha256,
    storage::{seal, unseal},
};
use izanagi_shared::markdown::Rendered;
use std::{sync::Arc, time::Duration};

/// Shorter texts are rendered faster than they are fetched and checked. Without optimisation, 1 KiB takes
/// 0.35 ms to render and 0.22 ms to decode and check, 100 KiB take 51 ms and 26 ms, and a fetch takes
/// 0.2 to 0.5 ms more. With it both are some 15 times faster, but not the fetch.
const FROM_BYTES: usize = 32 * 1024;
/// How long they are kept.
const KEPT_FOR: Duration = Duration::from_secs(60 * 60);

/// The place of a rendering in the shared cache.
pub(super) struct Place {
    key: String,
    /// Everything that it depends on.
    source: Vec<u8>,
    outside_images: bool,
}

impl Documents {
    /// Returns where a rendering of a text of this length is shared, if it is.
    pub(super) fn shared_place(&self, key: &Key, length: usize) -> Option<Place> {
        if length < FROM_BYTES || !self.core.stores.cache.is_shared() {
            return None;
        }
        let (hash, kind, labels, outside_images) = key;
        // Another version may render differently.
        let version = env!("CARGO_PKG_VERSION");
        let rest = format!("{kind:?} {outside_images} {version} {labels:?}");
        let source = [hash.as_slice(), rest.as_bytes()].concat();
        let key = format!("document:rendered:{}:html", hex::encode(sha256(&source)));
        Some(Place { key, source, outside_images: *outside_images })
    }

    /// Returns a rendering that some node has made. It is checked like one that is made here: write access
    /// to the cache must not be enough to put a script into a page.
    pub(super) async fn shared_rendering(&self, place: &Place) -> Result<Option<Rendered>> {
        let cache = &self.core.stores.cache;
        let Some(sealed) = cache.get(&place.key).await else { return Ok(None) };
        let (source, outside_images) = (place.source.clone(), place.outside_images);
        let check = move || {
            let rendered: Rendered = serde_json::from_slice(&unseal(&source, &sealed)?).ok()?;
            sanitise::is_allowed(&rendered.html, outside_images).then_some(rendered)
        };
        let found = self.core.budget.run(check).await?;
        if found.is_none() {
            cache.remove(&place.key).await;
        }
        Ok(found)
    }

    /// Shares a rendering with other nodes, if there is time for it.
    pub(super) async fn share_rendering(&self, place: &Place, rendered: &Arc<Rendered>) {
        let (source, rendered) = (place.source.clone(), Arc::clone(rendered));
        let encode = move || serde_json::to_vec(&*rendered).map(|value| seal(&source, &value));
        if let Ok(Ok(sealed)) = self.core.budget.run(encode).await {
            self.core.stores.cache.put(&place.key, sealed, KEPT_FOR).await;
        }
    }
}
