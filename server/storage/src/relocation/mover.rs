//! Carries out a move of the relational database.

use super::{
    Locks, OWNER, PURPOSE, claim,
    opening::{self, OpenDatabase, describe, open_place},
};
use crate::{
    config::{Place, RelationalOptions, StorageConfig},
    error::OpenError,
    sql::{
        Database as _,
        moving::{self, Backing, Ended, Engine, Progress, Switch},
    },
    url::StoreUrl,
};
use async_trait::async_trait;
use izanagi_domain::{
    sealing::Sealer,
    storage::{
        Clock, Ids, MovePhase, MoveProgress, MovedStore, NewMove, Sealed, StoreError, StoreMove,
        StoreMover, StoreMoves, StoreResult,
    },
};
use izanagi_shared::rules::Secret;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const STORE: MovedStore = MovedStore::Relational;

/// How often a move says how far it is, and looks whether it is cancelled.
const REPORT: Duration = Duration::from_secs(1);
/// Changes that a pause may begin with.
const FEW: usize = 128;
/// After a pause that took too long.
const REST: Duration = Duration::from_secs(2);

/// Moves the relational database.
pub(crate) struct RelationalMover {
    switch: Arc<Switch>,
    moves: Arc<dyn StoreMoves>,
    sealer: Option<Sealer>,
    options: RelationalOptions,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    locks: Locks,
}

/// Why a move does not go on.
enum Stop {
    Cancelled,
    Failed(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl RelationalMover {
    pub(crate) fn new(
        config: &StorageConfig,
        switch: Arc<Switch>,
        moves: Arc<dyn StoreMoves>,
        locks: Locks,
    ) -> Self {
        Self {
            switch,
            moves,
            sealer: config.sealer.clone(),
            options: opening::elsewhere(&config.relational),
            clock: Arc::clone(&config.clock),
            ids: Arc::clone(&config.ids),
            locks,
        }
    }
}

#[async_trait]
impl StoreMover for RelationalMover {
    fn store(&self) -> MovedStore {
        STORE
    }

    async fn prepare(&self, target: &Secret, overwrite: bool) -> Result<NewMove, String> {
        let row = self.moves.get(STORE).await.map_err(|error| describe(&error))?;
        if row.is_some_and(|row| row.phase.is_open()) {
            return Err("another move is under way".to_owned());
        }
        let place = Place::parse(&StoreUrl::from(target.expose()));
        let place = place.map_err(|error| error.to_string())?;
        let id = self.ids.uuid();
        let sealer = self.sealer.as_ref().ok_or("there is no signing key to seal its URL with")?;
        let sealed = sealer.seal(PURPOSE, OWNER, target);
        let sealed =
            sealed.map(Sealed).map_err(|error| format!("its URL cannot be sealed: {error}"))?;
        claim::claim(&self.switch.current(), &place, &self.options, id, overwrite).await?;
        Ok(NewMove { id, store: STORE, source: None, target: sealed, at: self.clock.now() })
    }

    async fn carry_on(&self) -> StoreResult<()> {
        let Some(row) = self.moves.get(STORE).await? else { return Ok(()) };
        let stopped = match row.phase {
            MovePhase::Switched | MovePhase::Moved => return Ok(()),
            MovePhase::Cancelled => Err(Stop::Cancelled),
            MovePhase::Asked | MovePhase::Copying | MovePhase::Verifying | MovePhase::Holding => {
                self.run(&row).await
            }
        };
        match stopped {
            Ok(()) => Ok(()),
            Err(Stop::Cancelled) => self.undo(&row).await,
            Err(Stop::Failed(error)) => {
                tracing::warn!(%error, "the move of the database will be tried again");
                self.report(row.id, (0, 0), &describe(&error)).await?;
                Err(error)
            }
        }
    }

    /// There is one server, which carries out the move itself.
    async fn follow(&self, _: CancellationToken) {}
}

impl RelationalMover {
    fn place_of(&self, row: &StoreMove) -> StoreResult<Place> {
        let unreadable = "the URL of the target was sealed with other keys; cancel the move";
        let sealer = self.sealer.as_ref();
        let url = sealer.and_then(|it| it.open(PURPOSE, OWNER, &row.target.0));
        let url = url.ok_or_else(|| StoreError::Corrupt(unreadable.to_owned()))?;
        Place::parse(&StoreUrl::from(url.expose())).map_err(|error| unusable(&error))
    }

    async fn run(&self, row: &StoreMove) -> Result<(), Stop> {
        let place = self.place_of(row)?;
        let source = self.switch.current();
        moving::depart(&source, row.id, &row.target.0).await?;
        // After the mark: a server that starts now sees it, and one that started before is seen here.
        if opening::others(&source).await? > 0 {
            let why = "other servers use the database: stop them until it has moved";
            return Err(StoreError::Unavailable(why.to_owned()).into());
        }
        self.lock(&place).await?;
        let target = open_place(&place, &self.options, None).await;
        let target = target.map_err(|error| unusable(&error))?;
        self.switch.prepare(true);
        let moved = self.run_to(row.id, &place, source, target.backing.clone()).await;
        if !self.switch.current().is(&target.backing) {
            self.switch.prepare(false);
            target.backing.close().await;
            return moved.map(drop);
        }
        // Somebody else may use the former database now, such as a move back to it.
        self.locks.lock().retain(|(held, _)| *held == place);
        self.lock_as_server(&place).await;
        let OpenDatabase { description: to, .. } = target;
        tracing::warn!(to, "the database has moved: set storage.users.url to the new place");
        if let Ok(pause) = moved {
            let note = format!("writes waited {} ms for the switch", pause.as_millis());
            self.report(row.id, (1, 1), &note).await?;
        }
        Ok(())
    }

    /// Returns how long writes waited.
    async fn run_to(
        &self,
        id: Uuid,
        place: &Place,
        source: Backing,
        live: Backing,
    ) -> Result<Duration, Stop> {
        let progress = Arc::<Progress>::default();
        let target = opening::unchecked(place, &live).await.map_err(|error| unusable(&error))?;
        let engine = Engine::new(id, source, target, Arc::clone(&progress)).await?;
        let engine = Arc::new(engine);
        tokio::select! {
            copied = self.copy(&engine) => copied?,
            stop = self.watch(id, &progress) => return Err(stop),
        }
        loop {
            engine.catch_up(FEW, &self.switch).await?;
            self.reach(id, MovePhase::Holding).await?;
            let end = Arc::clone(&engine).end(Arc::clone(&self.switch), live.clone());
            match end.await? {
                Ended::Switched(pause) => {
                    tracing::info!(?pause, "writes waited for the switch");
                    return Ok(pause);
                }
                Ended::Cancelled => return Err(Stop::Cancelled),
                Ended::Late => {
                    self.reach(id, MovePhase::Verifying).await?;
                    let note = "writes would have waited too long; the switch is tried again";
                    self.report(id, (0, 0), note).await?;
                    sleep(REST).await;
                }
            }
        }
    }

    /// Everything before the pause.
    async fn copy(&self, engine: &Engine) -> Result<(), Stop> {
        self.reach(engine.id(), MovePhase::Copying).await?;
        engine.prepare().await?;
        engine.copy().await?;
        self.reach(engine.id(), MovePhase::Verifying).await?;
        let differing = engine.compare().await?;
        tracing::info!(differing, "the databases were compared; what differed is copied again");
        Ok(())
    }

    /// Says how far the move is, until it is cancelled.
    async fn watch(&self, id: Uuid, progress: &Progress) -> Stop {
        loop {
            sleep(REPORT).await;
            match self.moves.get(STORE).await {
                Ok(Some(row)) if row.id == id && row.phase != MovePhase::Cancelled => {}
                Ok(_) => return Stop::Cancelled,
                Err(_) => continue,
            }
            let Progress { done, total } = progress;
            let rows = (done.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
            if let Err(error) = self.report(id, rows, "").await {
                tracing::debug!(%error, "the progress of a move was not written");
            }
        }
    }

    async fn report(&self, id: Uuid, (done, total): (u64, u64), note: &str) -> StoreResult<()> {
        let progress = MoveProgress { done, total, position: String::new(), note: note.to_owned() };
        self.moves.report(id, &progress, self.clock.now()).await
    }

    /// Goes to a phase.
    async fn reach(&self, id: Uuid, to: MovePhase) -> Result<(), Stop> {
        loop {
            let row = self.moves.get(STORE).await?.filter(|row| row.id == id);
            let Some(phase) = row.map(|row| row.phase).filter(|at| *at != MovePhase::Cancelled)
            else {
                return Err(Stop::Cancelled);
            };
            if phase == to || self.moves.turn(id, phase, to, self.clock.now()).await? {
                return Ok(());
            }
        }
    }

    /// Takes the preparation back.
    async fn undo(&self, row: &StoreMove) -> StoreResult<()> {
        self.switch.prepare(false);
        moving::stay(&self.switch.current()).await?;
        if let Ok(place) = self.place_of(row) {
            self.unlock(&place);
        }
        self.moves.remove(row.id).await
    }

    /// Takes the lock of the target. It is kept beyond a failure, and beyond this future: the pause
    /// runs to its end without it.
    async fn lock(&self, place: &Place) -> StoreResult<()> {
        if self.locks.lock().iter().any(|(held, _)| held == place) {
            return Ok(());
        }
        let lock = opening::lock_alone(place).await.map_err(|error| unusable(&error))?;
        self.locks.lock().extend(lock.map(|lock| (place.clone(), lock)));
        Ok(())
    }

    /// Lets other servers use a database on a server.
    async fn lock_as_server(&self, place: &Place) {
        if !matches!(place, Place::Postgres(_)) {
            return;
        }
        self.unlock(place);
        match opening::lock_as_server(place).await {
            Ok(lock) => self.locks.lock().extend(lock.map(|lock| (place.clone(), lock))),
            Err(error) => tracing::warn!(%error, "the lock of the new database is not held"),
        }
    }

    fn unlock(&self, place: &Place) {
        self.locks.lock().retain(|(held, _)| held != place);
    }
}

fn unusable(error: &OpenError) -> StoreError {
    StoreError::Unavailable(format!("the target cannot be used: {error}"))
}
