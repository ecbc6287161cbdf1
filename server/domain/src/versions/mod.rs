//! Versions (PRODUCT V1–V5, DESIGN §5): committing, reading, restoring, and compaction. A listed
//! version stays readable permanently, byte for byte as committed.

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

use crate::{core::Core, documents::Documents};
use cache::ContentCache;
use head::Heads;
use std::time::Duration;
use turns::Turns;

/// Lifetime of a commit attempt (DESIGN §5, step 2).
pub const INTENT_LIFETIME: Duration = Duration::from_secs(60);

/// The service for versions.
#[derive(Clone)]
pub struct Versions {
    core: Core,
    documents: Documents,
    cache: ContentCache,
    heads: Heads,
    turns: Turns,
}

impl std::fmt::Debug for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Versions").finish_non_exhaustive()
    }
}

impl Versions {
    /// Creates the service.
    #[must_use]
    pub fn new(core: Core, documents: Documents) -> Self {
        let (cache, heads, turns) = (ContentCache::default(), Heads::default(), Turns::default());
        Self { core, documents, cache, heads, turns }
    }

    /// The documents of these versions.
    pub(crate) const fn documents(&self) -> &Documents {
        &self.documents
    }
}
