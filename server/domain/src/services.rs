//! All services together, and the work they do by themselves.

use crate::{
    accounts::{Accounts, LimitSettings, Limits, Passwords, Tokens},
    documents::Documents,
    error::Result,
    fsck::Fsck,
    live::{LiveSettings, Rooms},
    storage::{Clock, Ids, Stores},
    versions::Versions,
};
use std::{sync::Arc, time::Duration};
use tokio::time::MissedTickBehavior;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How often people may ask.
    pub limits: LimitSettings,
    /// When rooms do what they do by themselves.
    pub live: LiveSettings,
    /// How many passwords are hashed at the same time, 19 MiB each.
    pub password_hashes_at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: LimitSettings::default(),
            live: LiveSettings::default(),
            password_hashes_at_once: 2,
        }
    }
}

/// How long op ids are remembered (DESIGN §6).
const OPS_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long finished outbox items are kept.
const OUTBOX_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// How often the collector goes round.
const COLLECT_EVERY: Duration = Duration::from_secs(60);

/// Every service of the domain.
#[derive(Debug, Clone)]
pub struct Services {
    /// Accounts and sessions.
    pub accounts: Accounts,
    /// Documents.
    pub documents: Documents,
    /// Versions.
    pub versions: Versions,
    /// The checker.
    pub fsck: Fsck,
    /// How often people may ask.
    pub limits: Limits,
    /// The stores below all of these.
    pub stores: Stores,
    clock: ClockHandle,
    stop: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Clone)]
struct ClockHandle(Arc<dyn Clock>);

impl std::fmt::Debug for ClockHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
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
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let limits = Limits::new(settings.limits, Arc::clone(&clock))?;
        let passwords = Passwords::new(settings.password_hashes_at_once)?;
        let rooms = Rooms::new(
            Arc::clone(&stores.log),
            Arc::clone(&clock),
            Arc::clone(&ids),
            settings.live,
            stop.clone(),
            tasks.clone(),
        );
        let documents = Documents::new(stores.clone(), Arc::clone(&clock), Arc::clone(&ids), rooms);
        let versions = Versions::new(
            stores.clone(),
            Arc::clone(&clock),
            Arc::clone(&ids),
            documents.clone(),
            tasks.clone(),
        );
        let accounts = Accounts::new(
            stores.clone(),
            Arc::clone(&clock),
            ids,
            passwords,
            tokens,
            limits.clone(),
        );
        let fsck = Fsck::new(stores.clone(), versions.clone());
        let clock = ClockHandle(clock);
        Ok(Self { accounts, documents, versions, fsck, limits, stores, clock, stop, tasks })
    }

    /// Starts what runs by itself: the outbox and the collector.
    pub fn start(&self) {
        self.tasks.spawn(self.versions.clone().serve_outbox(self.stop.clone()));
        self.tasks.spawn(self.clone().collect_regularly());
    }

    /// Whether the stores answer.
    ///
    /// # Errors
    /// One of them does not.
    pub async fn check_ready(&self) -> Result<()> {
        self.stores.inspect.documents(None, 1).await?;
        Ok(())
    }

    /// Lets rooms drain and work end, and waits for it.
    pub async fn shut_down(&self) {
        self.stop.cancel();
        self.tasks.close();
        // A room that cannot persist gives up by itself; the log has everything.
        let _ = tokio::time::timeout(Duration::from_secs(10), self.tasks.wait()).await;
    }

    async fn collect_regularly(self) {
        let mut ticks = tokio::time::interval(COLLECT_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.collect().await {
                tracing::warn!(?error, "collecting failed; it goes on the next time");
            }
        }
    }

    /// One round of the collector.
    ///
    /// # Errors
    /// A store cannot be reached.
    pub async fn collect(&self) -> Result<u64> {
        let now = self.clock.0.now();
        let erased = self.versions.collect_garbage().await?;
        self.stores.log.forget_ops(now.minus(OPS_KEPT)).await?;
        self.stores.outbox.forget(now.minus(OUTBOX_KEPT)).await?;
        self.stores.revocations.forget(now).await?;
        self.limits.forget_idle();
        Ok(erased)
    }
}
