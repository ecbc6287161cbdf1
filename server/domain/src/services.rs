//! All services of the domain and their background tasks.

use crate::{
    accounts::{Accounts, LimitSettings, Limits, Passwords, Tokens},
    budget::{Budget, BudgetSettings},
    contained::contained,
    core::Core,
    documents::Documents,
    edits::{EditStore, Edits},
    error::Result,
    fsck::Fsck,
    live::{LiveSettings, Rooms},
    storage::{Clock, Ids, Stores},
    versions::Versions,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior};

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

/// Retention of op ids (DESIGN §6) and of ended sessions (PRODUCT O8).
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Interval of the garbage collector.
const COLLECT_EVERY: Duration = Duration::from_secs(60);
/// Interval of jobs that scan whole tables, and their delay after the start.
const FORGET_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
const FORGET_FIRST: Duration = Duration::from_secs(5 * 60);

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
    /// Rate limits.
    pub limits: Limits,
    /// Stores, budgets and tasks shared by all services.
    pub core: Core,
    keep_edits: Duration,
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
        let limits = Limits::new(settings.limits, Arc::clone(&clock))?;
        let passwords = Passwords::new(settings.password_hashes_at_once)?;
        let core = Core::new(stores, clock, ids, Budget::new(settings.budget)?);
        let rooms = Rooms::new(&core, settings.live);
        let documents = Documents::new(core.clone(), rooms);
        let versions = Versions::new(core.clone(), documents.clone());
        let accounts = Accounts::new(core.clone(), passwords, tokens, limits.clone());
        let fsck = Fsck::new(core.clone(), versions.clone());
        let edits = Edits::new(core.clone());
        let keep_edits = settings.live.keep_edits;
        Ok(Self { accounts, documents, versions, edits, fsck, limits, core, keep_edits })
    }

    /// Starts the background tasks: the outbox and the collector.
    pub fn start(&self) {
        self.core.tasks.spawn(self.versions.clone().serve_outbox(self.core.stop.clone()));
        self.core.tasks.spawn(self.clone().collect_regularly());
    }

    /// Checks that the stores answer.
    ///
    /// # Errors
    /// A store does not answer.
    pub async fn check_ready(&self) -> Result<()> {
        self.core.stores.relational.inspect.documents(None, 1).await?;
        Ok(())
    }

    /// Waits until rooms are drained and tasks have ended.
    pub async fn shut_down(&self) {
        self.core.stop.cancel();
        self.core.tasks.close();
        // Rooms that cannot persist give up on their own; the log has every update.
        let _ = tokio::time::timeout(Duration::from_secs(10), self.core.tasks.wait()).await;
    }

    async fn collect_regularly(self) {
        let mut rounds = tokio::time::interval(COLLECT_EVERY);
        let mut days = tokio::time::interval_at(Instant::now() + FORGET_FIRST, FORGET_EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_daily = tokio::select! {
                () = self.core.stop.cancelled() => return,
                _ = rounds.tick() => false,
                _ = days.tick() => true,
            };
            let work = async {
                if is_daily { self.forget().await } else { self.collect_round().await.map(drop) }
            };
            // Every statement is atomic, so this task may be cancelled anywhere.
            let result = tokio::select! {
                () = self.core.stop.cancelled() => return,
                result = contained(work) => result,
            };
            if let Err(error) = result {
                tracing::warn!(?error, is_daily, "the collection failed and will be retried");
            }
        }
    }

    /// Runs every collection; returns the number of attempts erased.
    ///
    /// # Errors
    /// The first error. The remaining collections still run.
    pub async fn collect(&self) -> Result<u64> {
        let collected = self.collect_round().await;
        self.forget().await?;
        collected
    }

    /// Collections that use an index; every minute.
    async fn collect_round(&self) -> Result<u64> {
        let now = self.core.clock.now();
        let erased = self.versions.collect_garbage().await;
        let revocations = self.core.stores.revocations.forget(now).await;
        self.limits.forget_idle();
        revocations?;
        erased
    }

    /// Collections that scan whole tables; once a day.
    async fn forget(&self) -> Result<()> {
        let before = self.core.clock.now().minus(KEPT);
        let quarantined = self.core.stores.relational.log.forget_quarantined(before).await;
        let ops = self.core.stores.relational.log.forget_ops(before).await;
        let sessions = self.core.stores.relational.upkeep.forget_sessions(before).await;
        let history = EditStore::of(&self.core);
        let edits = history.forget(self.core.clock.now().minus(self.keep_edits)).await;
        quarantined?;
        ops?;
        sessions?;
        Ok(edits?)
    }
}
