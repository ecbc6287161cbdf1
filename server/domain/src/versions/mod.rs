//! Versions (PRODUCT V1–V5, DESIGN §5): committing, reading, restoring, and the work that keeps
//! old ones small. A version once listed opens for ever, byte for byte what was committed.

mod attempt;
mod cache;
mod chain;
mod collect;
mod commit;
mod compare;
mod content;
mod demote;
mod encode;
mod head;
mod outbox;
mod read;
mod restore;
mod turns;

pub use chain::chain_hash;
pub(crate) use collect::Paths;
pub use commit::{Base, CommitInput};
pub use compare::{Comparison, Side};
pub(crate) use content::Form;
pub use demote::KEYFRAME_EVERY;
pub use read::VersionQuery;

use crate::{
    documents::Documents,
    storage::{Clock, Ids, Stores},
};
use cache::ContentCache;
use head::Heads;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use turns::Turns;

/// How long an attempt to commit may take (DESIGN §5, step 2).
pub const INTENT_LIFETIME: Duration = Duration::from_secs(60);

/// The service for versions.
#[derive(Clone)]
pub struct Versions {
    pub(crate) stores: Arc<Stores>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    documents: Documents,
    cache: ContentCache,
    heads: Heads,
    /// Rings when there is something in the outbox.
    outbox_bell: Arc<Notify>,
    turns: Turns,
    tasks: TaskTracker,
}

impl std::fmt::Debug for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Versions").finish_non_exhaustive()
    }
}

impl Versions {
    /// The service over these stores; what it starts runs in `tasks`.
    #[must_use]
    pub fn new(
        stores: Arc<Stores>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        documents: Documents,
        tasks: TaskTracker,
    ) -> Self {
        let (cache, outbox_bell) = (ContentCache::default(), Arc::default());
        let (heads, turns) = (Heads::default(), Turns::default());
        Self { stores, clock, ids, documents, cache, heads, outbox_bell, turns, tasks }
    }
}
