//! All services together, and the work they do by themselves.

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

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How often people may ask.
    pub limits: LimitSettings,
    /// When rooms do what they do by themselves.
    pub live: LiveSettings,
    /// How much work may be in progress.
    pub budget: BudgetSettings,
    /// How many passwords are hashed at the same time, 19 MiB each.
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

/// How long op ids are remembered (DESIGN §6), and sessions that are over (PRODUCT O8).
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How often the collector goes round.
const COLLECT_EVERY: Duration = Duration::from_secs(60);
/// How often whole tables are walked for what can be forgotten, and how soon after the start.
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
    /// The checker.
    pub fsck: Fsck,
    /// How often people may ask.
    pub limits: Limits,
    /// Stores, budgets and tasks below all of these.
    pub core: Core,
    keep_edits: Duration,
}

impl Services {
    /// The services over these stores. Must be called inside a Tokio runtime.
    ///
    /// # Errors
    /// A setting makes no sense.
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

    /// Starts what runs by itself: the outbox and the collector.
    pub fn start(&self) {
        self.core.tasks.spawn(self.versions.clone().serve_outbox(self.core.stop.clone()));
        self.core.tasks.spawn(self.clone().collect_regularly());
    }

    /// Whether the stores answer.
    ///
    /// # Errors
    /// One of them does not.
    pub async fn check_ready(&self) -> Result<()> {
        self.core.stores.inspect.documents(None, 1).await?;
        Ok(())
    }

    /// Lets rooms drain and work end, and waits for it.
    pub async fn shut_down(&self) {
        self.core.stop.cancel();
        self.core.tasks.close();
        // A room that cannot persist gives up by itself; the log has everything.
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
            // Each statement is done or not done without whoever asked: this may end anywhere.
            let result = tokio::select! {
                () = self.core.stop.cancelled() => return,
                result = contained(work) => result,
            };
            if let Err(error) = result {
                tracing::warn!(?error, is_daily, "collecting failed; it goes on the next time");
            }
        }
    }

    /// Everything that the collector does by itself; gives how many attempts it has erased.
    ///
    /// # Errors
    /// The first that was met; the rest was done all the same.
    pub async fn collect(&self) -> Result<u64> {
        let collected = self.collect_round().await;
        self.forget().await?;
        collected
    }

    /// What is found through indexes, every minute.
    async fn collect_round(&self) -> Result<u64> {
        let now = self.core.clock.now();
        let erased = self.versions.collect_garbage().await;
        let revocations = self.core.stores.revocations.forget(now).await;
        self.limits.forget_idle();
        revocations?;
        erased
    }

    /// What takes a walk through whole tables, once a day.
    async fn forget(&self) -> Result<()> {
        let before = self.core.clock.now().minus(KEPT);
        let ops = self.core.stores.log.forget_ops(before).await;
        let sessions = self.core.stores.upkeep.forget_sessions(before).await;
        let history = EditStore::of(&self.core);
        let edits = history.forget(self.core.clock.now().minus(self.keep_edits)).await;
        ops?;
        sessions?;
        Ok(edits?)
    }
}
