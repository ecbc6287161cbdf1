//! All services of the domain and their background tasks.

use crate::{
    accounts::{Accounts, LimitSettings, Limits, Passwords, Tokens},
    budget::{Budget, BudgetSettings},
    core::Core,
    documents::Documents,
    edits::Edits,
    error::Result,
    fsck::Fsck,
    jobs::Jobs,
    live::{LiveSettings, Rooms},
    moves::Moves,
    readiness::Readiness,
    storage::{Clock, Ids, Stores},
    versions::Versions,
};
use std::{sync::Arc, time::Duration};

/// Settings of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Rate limits.
    pub limits: LimitSettings,
    /// Timing and sizes of live editing.
    pub live: LiveSettings,
    /// Limits on work in progress.
    pub budget: BudgetSettings,
    /// Number of passwords hashed concurrently, 19 MiB each.
    pub password_hashes_at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: LimitSettings::default(),
            live: LiveSettings::default(),
            budget: BudgetSettings::default(),
            password_hashes_at_once: 2,
        }
    }
}

/// Interval at which idle rate limits and the memory of idle password hashes are dropped.
const TIDY_EVERY: Duration = Duration::from_secs(20);

/// Every service of the domain.
#[derive(Debug, Clone)]
pub struct Services {
    /// Accounts and sessions.
    pub accounts: Accounts,
    /// Documents.
    pub documents: Documents,
    /// Versions.
    pub versions: Versions,
    /// Edit history.
    pub edits: Edits,
    /// `fsck`.
    pub fsck: Fsck,
    /// Background jobs.
    pub jobs: Jobs,
    /// Rate limits.
    pub limits: Limits,
    /// Moves of stores to other places.
    pub moves: Moves,
    /// Whether the stores work.
    pub readiness: Readiness,
    /// Stores, budgets and tasks shared by all services.
    pub core: Core,
}

impl Services {
    /// Creates the services. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// A setting is invalid.
    pub fn new(
        stores: Stores,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        tokens: Tokens,
        settings: Settings,
    ) -> Result<Self> {
        let limits = Limits::new(settings.limits, Arc::clone(&clock), stores.counters.clone())?;
        let passwords = Passwords::new(settings.password_hashes_at_once)?;
        let core = Core::new(stores, clock, ids, Budget::new(settings.budget)?);
        let rooms = Rooms::new(&core, settings.live);
        let documents = Documents::new(core.clone(), rooms);
        let versions = Versions::new(core.clone(), documents.clone());
        let accounts = Accounts::new(core.clone(), passwords, tokens, limits.clone());
        let fsck = Fsck::new(core.clone(), versions.clone());
        let edits = Edits::new(core.clone());
        let jobs = Jobs::new(core.clone(), versions.clone(), settings.live.keep_edits);
        let readiness = Readiness::new(core.clone());
        let moves = Moves::new(core.clone());
        let services = Self {
            accounts,
            documents,
            versions,
            edits,
            fsck,
            jobs,
            limits,
            moves,
            readiness,
            core,
        };
        services.follow_moves();
        Ok(services)
    }

    /// Lets this process follow the moves of stores, commands too: what they read must be the truth.
    fn follow_moves(&self) {
        for mover in &self.core.stores.movers {
            let (mover, stop) = (Arc::clone(mover), self.core.stop.clone());
            self.core.tasks.spawn(async move { mover.follow(stop).await });
        }
    }

    /// Starts the background tasks.
    pub fn start(&self) {
        self.jobs.start();
        // These are in the memory of each process, so this is not a job.
        let (limits, accounts) = (self.limits.clone(), self.accounts.clone());
        let stop = self.core.stop.clone();
        self.core.tasks.spawn(async move {
            let wait = || tokio::time::timeout(TIDY_EVERY, stop.cancelled());
            while wait().await.is_err() {
                limits.forget_idle();
                accounts.release_idle_memory();
            }
        });
    }

    /// Waits until rooms are drained and tasks have ended.
    pub async fn shut_down(&self) {
        self.core.stop.cancel();
        self.core.tasks.close();
        // Rooms that cannot persist give up on their own; the log has every update.
        let _ = tokio::time::timeout(Duration::from_secs(10), self.core.tasks.wait()).await;
    }
}
