//! Following the move of the document store on one node. `docs/two-places.md` says what a node may do
//! in each phase, and what one may do that hears nothing.

use super::{DocumentsPlace, Origin, Reads, Route, Truth, mover::DocumentsMover};
use izanagi_domain::storage::{MovePhase, MovedStore, StoreError, StoreMove, StoreResult};
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
/// How often a look begins anew because the move went on meanwhile.
const TRIES: u32 = 8;

/// The turn in which a node works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct At {
    id: Uuid,
    turn: u64,
    phase: MovePhase,
}

/// A node that follows.
pub(super) struct Follower<'a> {
    mover: &'a DocumentsMover,
    /// Whether the row was read at all.
    has_looked: bool,
    /// Where the move is for this node; `None`: there is none.
    at: Option<At>,
    /// Holds the writes, since when.
    held: Option<(OwnedRwLockWriteGuard<()>, Instant)>,
    /// When this node has said where it is; `None`: not yet.
    beat: Option<Instant>,
    opened: Instant,
    counted: Instant,
}

impl<'a> Follower<'a> {
    pub(super) fn new(mover: &'a DocumentsMover) -> Self {
        let now = Instant::now();
        Self {
            mover,
            has_looked: false,
            at: None,
            held: None,
            beat: None,
            opened: now,
            counted: now,
        }
    }

    /// Follows until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        loop {
            let begun = Instant::now();
            let look = tokio::select! {
                look = tokio::time::timeout(PATIENCE, self.look()) => look,
                () = stop.cancelled() => break,
            };
            match look {
                Ok(Ok(())) => {
                    if self.mover.is_shared {
                        self.mover.routed.saw(begun);
                    }
                    self.mover.routed.join();
                    self.open_shadow().await;
                }
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
            let pause = if self.at.is_some_and(|at| at.phase.is_open()) { BRISK } else { CALM };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => break,
            }
        }
        self.keep_counts().await;
        self.end().await;
    }

    /// Leaves a move, once this node cannot write any more. A node that cannot make sure of it is
    /// ignored after a while, when it has stopped to write by itself.
    async fn end(mut self) {
        if !self.mover.writes || self.at.is_none() {
            return;
        }
        if let Some((held, _)) = self.held.take() {
            self.mover.routed.end(&held);
        } else {
            match tokio::time::timeout(PATIENCE, self.mover.routed.hold()).await {
                Ok(held) => self.mover.routed.end(&held),
                Err(_) => return,
            }
        }
        let leave = self.mover.moves.leave(STORE, self.mover.node, None);
        // As above.
        let _ = tokio::time::timeout(BEAT, leave).await;
    }

    async fn keep_counts(&self) {
        let routed = &self.mover.routed;
        let keep = routed.counters.keep(&*routed.marks);
        // What is not kept now will be later.
        let _ = tokio::time::timeout(PATIENCE, keep).await;
    }

    /// Reads the row, and follows it. When this returns, the row was read in the turn in which this
    /// node works, after the node has said so: a move that goes on waits for it.
    pub(super) async fn look(&mut self) -> StoreResult<()> {
        for _ in 0..TRIES {
            let is_open = self.at.is_some_and(|at| at.phase.is_open());
            let is_due = self.beat.is_none_or(|beat| beat.elapsed() > BEAT && is_open);
            if is_due && self.at.is_some() {
                self.confirm().await?;
            }
            let row = self.mover.moves.get(STORE).await?;
            let now = row.as_ref().map(|row| At { id: row.id, turn: row.turn, phase: row.phase });
            if self.has_looked && self.at == now {
                return self.give_up().await;
            }
            if !self.has_looked || !self.is_same_route(now) {
                self.enter(row.as_ref()).await?;
            }
            (self.has_looked, self.at, self.beat) = (true, now, None);
        }
        Err(StoreError::Unavailable("the move goes on faster than this node".to_owned()))
    }

    /// Takes the pause of the writes back if it takes too long.
    async fn give_up(&self) -> StoreResult<()> {
        let Some(At { id, turn, phase: MovePhase::Holding }) = self.at else { return Ok(()) };
        if self.held.as_ref().is_some_and(|(_, since)| since.elapsed() > HOLD) {
            // Whoever leads the move is gone, or too slow: writes must not wait longer.
            self.mover.moves.turn((id, turn), None, MovePhase::Verifying).await?;
        }
        Ok(())
    }

    /// Says where this node works. If it needs a second place that is not open, it only says that it
    /// is alive, so that the move waits.
    async fn confirm(&mut self) -> StoreResult<()> {
        let at = self.at.map(|at| {
            let needs_both = matches!(at.phase, MovePhase::Verifying | MovePhase::Holding);
            let is_ready = !needs_both || self.mover.routed.route().shadow.is_some();
            (at.id, if is_ready { at.turn } else { 0 })
        });
        if self.mover.writes {
            self.mover.moves.confirm(STORE, self.mover.node, at).await?;
        }
        self.beat = Some(Instant::now());
        Ok(())
    }

    /// Whether another turn changes nothing for the writes: they need not wait for it.
    fn is_same_route(&self, now: Option<At>) -> bool {
        let (Some(at), Some(now)) = (self.at, now) else { return false };
        let writes_to_both =
            |phase| matches!(phase, MovePhase::Asked | MovePhase::Copying | MovePhase::Verifying);
        at.id == now.id && writes_to_both(at.phase) && writes_to_both(now.phase)
    }

    /// Begins to work in the phase of this row.
    async fn enter(&mut self, row: Option<&StoreMove>) -> StoreResult<()> {
        let Some(route) = self.mover.route_of(row).await? else { return Ok(()) };
        let held = match self.held.take() {
            Some((held, _)) => held,
            None => self.mover.routed.hold().await,
        };
        self.mover.routed.set(route, &held);
        let is_holding = row.is_some_and(|row| row.phase == MovePhase::Holding);
        self.held = is_holding.then(|| (held, Instant::now()));
        if let Some(row) = row {
            tracing::info!(phase = row.phase.as_str(), "the documents are moving");
        }
        Ok(())
    }

    /// Tries again to open a second place that could not be opened.
    async fn open_shadow(&mut self) {
        let route = self.mover.routed.route();
        if !route.mirrors
            || route.shadow.is_some()
            || self.held.is_some()
            || self.opened.elapsed() < BEAT
        {
            return;
        }
        self.opened = Instant::now();
        match self.mover.second_of(&route).await {
            Ok(Some(shadow)) => {
                let Ok(held) = tokio::time::timeout(PATIENCE, self.mover.routed.hold()).await
                else {
                    return;
                };
                let route = Route { shadow: Some(shadow), ..(*route).clone() };
                self.mover.routed.set(route, &held);
                drop(held);
                // The move may wait for this.
                self.beat = None;
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "the second place of the documents cannot be used");
            }
        }
    }
}

impl DocumentsMover {
    /// Returns the route in the phase of a row; `None` if the settings decide and name two places.
    pub(crate) async fn route_of(&self, row: Option<&StoreMove>) -> StoreResult<Option<Route>> {
        let Some(row) = row else {
            return match self.is_dual {
                true => Ok(None),
                false => self.configured_alone().await.map(Some),
            };
        };
        let (source, target) = self.places_of(row)?;
        let source = source.unwrap_or_else(|| self.configured.clone());
        let before = Origin { move_id: Some(row.id), truth: Truth::Source };
        let after = before.reversed();
        Ok(Some(match row.phase {
            MovePhase::Moved if self.is_dual && target == self.configured => return Ok(None),
            MovePhase::Moved => self.single(&target, after, false).await?,
            MovePhase::Cancelled => self.single(&source, before, false).await?,
            MovePhase::Switched => self.double(&target, &source, after).await?,
            MovePhase::Asked | MovePhase::Copying | MovePhase::Verifying | MovePhase::Holding => {
                self.double(&source, &target, before).await?
            }
        }))
    }

    /// Returns the route to the place of the settings.
    pub(crate) async fn configured_alone(&self) -> StoreResult<Route> {
        let is_atomic = self.configured == DocumentsPlace::Users;
        self.single(&self.configured, self.configured_origin(), is_atomic).await
    }

    /// Returns who decides by the settings.
    pub(crate) fn configured_origin(&self) -> Origin {
        let is_users = self.configured == DocumentsPlace::Users;
        Origin { move_id: None, truth: if is_users { Truth::Users } else { Truth::Documents } }
    }

    async fn single(
        &self,
        place: &DocumentsPlace,
        origin: Origin,
        is_atomic: bool,
    ) -> StoreResult<Route> {
        Ok(Route::single(self.open(place).await?.store.clone(), origin, is_atomic))
    }

    async fn double(
        &self,
        first: &DocumentsPlace,
        second: &DocumentsPlace,
        origin: Origin,
    ) -> StoreResult<Route> {
        let primary = self.open(first).await?.store.clone();
        // Marks remember what it lacks.
        let shadow = self.places.open_soon(second).await.map(|opened| opened.store.clone());
        let owns_shadow = origin.truth == Truth::Source;
        let reads = Reads::Primary;
        Ok(Route { primary, shadow, mirrors: true, origin, owns_shadow, reads, is_atomic: false })
    }
}
