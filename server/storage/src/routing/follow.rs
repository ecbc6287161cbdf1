//! Following the move of the document store on one node.

use super::{DocumentsPlace, Reads, Route, mover::DocumentsMover};
use izanagi_domain::storage::{MovePhase, MovedStore, StoreMove, StoreResult};
use std::time::{Duration, Instant};
use tokio::sync::OwnedRwLockWriteGuard;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const STORE: MovedStore = MovedStore::Documents;
/// How often the row is read while nothing moves.
const CALM: Duration = Duration::from_secs(1);
/// How often it is read during a move.
const BRISK: Duration = Duration::from_millis(100);
/// How often a node shows that it is alive.
const BEAT: Duration = Duration::from_secs(2);
/// How often what was counted is kept.
const COUNT: Duration = Duration::from_secs(5);
/// How long a node takes for one look at the row and what follows from it.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a node holds its writes before it takes the phase back.
const HOLD: Duration = Duration::from_secs(3);

/// A node that follows.
pub(super) struct Follower<'a> {
    mover: &'a DocumentsMover,
    /// The move and the phase in which this node works; outer `None` before the first look.
    at: Option<Option<(Uuid, MovePhase)>>,
    /// Holds the writes, since when.
    held: Option<(OwnedRwLockWriteGuard<()>, Instant)>,
    beat: Instant,
    counted: Instant,
}

impl<'a> Follower<'a> {
    pub(super) fn new(mover: &'a DocumentsMover) -> Self {
        Self { mover, at: None, held: None, beat: Instant::now(), counted: Instant::now() }
    }

    /// Follows until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        if self.mover.is_shared {
            // From now on, this node is to know that it looks often enough.
            self.mover.routed.saw(self.mover.opened);
        }
        loop {
            let begun = Instant::now();
            let look = tokio::select! {
                look = tokio::time::timeout(PATIENCE, self.look()) => look,
                () = stop.cancelled() => break,
            };
            match look {
                Ok(Ok(())) if self.mover.is_shared => self.mover.routed.saw(begun),
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the place of the documents is not known now");
                }
                Err(_) => {
                    tracing::warn!("the place of the documents could not be found out in time");
                }
            }
            if self.counted.elapsed() > COUNT {
                self.counted = Instant::now();
                self.keep_counts().await;
            }
            let pause = if self.at.flatten().is_some_and(|(_, phase)| phase.is_open()) {
                BRISK
            } else {
                CALM
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => break,
            }
        }
        self.keep_counts().await;
        if self.mover.writes && self.at.flatten().is_some() {
            let leave = self.mover.moves.leave(STORE, self.mover.node);
            // A node that is silent is ignored after a while.
            let _ = tokio::time::timeout(BRISK, leave).await;
        }
    }

    async fn keep_counts(&self) {
        let routed = &self.mover.routed;
        let keep = routed.counters.keep(&*routed.marks);
        // What is not kept now will be later.
        let _ = tokio::time::timeout(PATIENCE, keep).await;
    }

    async fn look(&mut self) -> StoreResult<()> {
        let row = self.mover.moves.get(STORE).await?;
        let now = row.as_ref().map(|row| (row.id, row.phase));
        if self.at != Some(now) {
            if !self.is_same_route(now) {
                self.enter(row.as_ref()).await?;
            }
            let is_new = self.at.is_none();
            self.at = Some(now);
            if now.is_some() || !is_new {
                self.confirm(now).await?;
            }
            return Ok(());
        }
        let Some((id, phase)) = now.filter(|(_, phase)| phase.is_open()) else { return Ok(()) };
        if self.beat.elapsed() > BEAT {
            self.confirm(now).await?;
            self.open_shadow(row.as_ref()).await;
        }
        if phase == MovePhase::Holding
            && self.held.as_ref().is_some_and(|(_, since)| since.elapsed() > HOLD)
        {
            // Whoever leads the move is gone, or too slow: writes must not wait longer.
            let at = self.mover.clock.now();
            self.mover.moves.turn(id, phase, MovePhase::Verifying, at).await?;
        }
        Ok(())
    }

    async fn confirm(&mut self, at: Option<(Uuid, MovePhase)>) -> StoreResult<()> {
        self.beat = Instant::now();
        if !self.mover.writes {
            return Ok(());
        }
        self.mover.moves.confirm(STORE, self.mover.node, at).await
    }

    /// Whether another phase changes nothing for the writes: they need not wait for it.
    fn is_same_route(&self, now: Option<(Uuid, MovePhase)>) -> bool {
        let (Some((id, phase)), Some((new_id, new_phase))) = (self.at.flatten(), now) else {
            return false;
        };
        let writes_to_both =
            |phase| matches!(phase, MovePhase::Asked | MovePhase::Copying | MovePhase::Verifying);
        id == new_id && writes_to_both(phase) && writes_to_both(new_phase)
    }

    /// Begins to work in the phase of this row.
    async fn enter(&mut self, row: Option<&StoreMove>) -> StoreResult<()> {
        let Some(route) = self.mover.route_of(row).await? else { return Ok(()) };
        let held = match self.held.take() {
            Some((held, _)) => held,
            None => self.mover.routed.hold().await,
        };
        self.mover.routed.set(route, &held);
        let holds = row.is_some_and(|row| row.phase == MovePhase::Holding);
        self.held = holds.then(|| (held, Instant::now()));
        if let Some(row) = row {
            tracing::info!(phase = row.phase.as_str(), "the documents are moving");
        }
        Ok(())
    }

    /// Tries again to open a second place that could not be opened.
    async fn open_shadow(&mut self, row: Option<&StoreMove>) {
        let route = self.mover.routed.route();
        if route.mirrors
            && route.shadow.is_none()
            && self.held.is_none()
            && let Err(error) = self.enter(row).await
        {
            tracing::debug!(%error, "the second place of the documents is not open yet");
        }
    }
}

impl DocumentsMover {
    /// Returns the route in the phase of a row; `None` if the settings decide and name two places.
    pub(crate) async fn route_of(&self, row: Option<&StoreMove>) -> StoreResult<Option<Route>> {
        let Some(row) = row else {
            let is_atomic = self.configured == DocumentsPlace::Users;
            return match self.is_dual {
                true => Ok(None),
                false => self.single(&self.configured, is_atomic).await.map(Some),
            };
        };
        let (source, target) = self.places_of(row)?;
        let source = source.unwrap_or_else(|| self.configured.clone());
        Ok(Some(match row.phase {
            MovePhase::Moved if self.is_dual && target == self.configured => return Ok(None),
            MovePhase::Moved => self.single(&target, false).await?,
            MovePhase::Cancelled => self.single(&source, false).await?,
            MovePhase::Switched => self.double(&target, &source).await?,
            MovePhase::Asked | MovePhase::Copying | MovePhase::Verifying | MovePhase::Holding => {
                self.double(&source, &target).await?
            }
        }))
    }

    async fn single(&self, place: &DocumentsPlace, is_atomic: bool) -> StoreResult<Route> {
        Ok(Route::single(self.open(place).await?.store.clone(), is_atomic))
    }

    async fn double(&self, first: &DocumentsPlace, second: &DocumentsPlace) -> StoreResult<Route> {
        let primary = self.open(first).await?.store.clone();
        let shadow = match self.open(second).await {
            Ok(opened) => Some(opened.store.clone()),
            // Marks remember what it lacks.
            Err(error) => {
                tracing::warn!(%error, "the second place of the documents cannot be opened");
                None
            }
        };
        Ok(Route { primary, shadow, mirrors: true, reads: Reads::Primary, is_atomic: false })
    }
}
