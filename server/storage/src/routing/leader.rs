//! Leading a move from phase to phase. `docs/two-places.md` says why each step is safe.

use super::{
    OpenPlace, Origin, Routed, Truth,
    mirror::rescue,
    mover::{DocumentsMover, LEASE, STORE},
};
use izanagi_domain::storage::{MovePhase, MoveProgress, StoreError, StoreMove, StoreResult};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use uuid::Uuid;

/// How often progress is written.
const REPORT: Duration = Duration::from_millis(500);
/// How often the lease is kept at least.
const KEEP: Duration = Duration::from_secs(5);
/// After this time, whoever follows the move is told which node it waits for.
const LATE: Duration = Duration::from_secs(5);
/// Marks read at once.
const MARKS: u32 = 500;
/// How often nodes are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long the pause of the writes may last.
const PAUSE: Duration = Duration::from_secs(2);
/// Marks that are mended quickly enough in the pause of the writes.
const FEW: u64 = 32;
/// How often marks are mended before the pause, which many writers keep at more than a few.
const ROUNDS: u32 = 20;
/// Characters of a note.
const NOTE: usize = 300;
/// A node of which nothing was heard for this long is ignored. It has stopped by itself before: see
/// `TRUSTED`.
const SILENT: Duration = Duration::from_secs(30);

impl DocumentsMover {
    /// Goes on to the next turn, as long as this worker has the lease.
    async fn turn(&self, row: &StoreMove, to: MovePhase) -> StoreResult<bool> {
        self.moves.turn((row.id, row.turn), Some(self.node), to).await
    }

    /// Does the next step of a move; returns whether it is over. `compared` is the turn that this worker
    /// has begun after it had compared every record.
    pub(super) async fn step(
        &self,
        row: StoreMove,
        compared: &mut Option<u64>,
    ) -> StoreResult<bool> {
        let turn = |to| self.turn(&row, to);
        match row.phase {
            MovePhase::Asked => {
                if self.is_shared {
                    self.wait(&row, SILENT).await?;
                }
                self.confirmed(&row, None).await?;
                // Nobody works by an earlier move, or by the settings, any more.
                let dropped = self.routed.marks.clear_others(row.id).await?;
                if dropped > 0 {
                    tracing::warn!(dropped, "marks of earlier places were removed");
                }
                turn(MovePhase::Copying).await?;
            }
            MovePhase::Copying => {
                self.work(&row).await?.copy_all(row.progress.clone()).await?;
                turn(MovePhase::Verifying).await?;
            }
            MovePhase::Verifying => {
                self.confirmed(&row, None).await?;
                let work = self.work(&row).await?;
                let mended = work.compare_all().await?;
                tracing::info!(mended, "all documents were compared");
                for _ in 0..ROUNDS {
                    if work.mend_recent().await? <= FEW {
                        break;
                    }
                    self.wait(&row, LOOK).await?;
                }
                *compared = Some(row.turn + 1);
                turn(MovePhase::Holding).await?;
            }
            // Another worker has compared: whether it has ended its last step is not known.
            MovePhase::Holding if *compared != Some(row.turn) => {
                turn(MovePhase::Verifying).await?;
            }
            MovePhase::Holding => self.switch(&row).await?,
            MovePhase::Switched => {
                self.confirmed(&row, None).await?;
                turn(MovePhase::Moved).await?;
            }
            MovePhase::Moved => {
                // Nobody marks any more.
                self.confirmed(&row, None).await?;
                self.rescue_late(&row).await?;
                self.routed.marks.clear(Some(row.id)).await?;
                return Ok(true);
            }
            MovePhase::Cancelled => {
                self.confirmed(&row, None).await?;
                self.routed.marks.clear(Some(row.id)).await?;
                self.undo(&row).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn work(&self, row: &StoreMove) -> StoreResult<Work<'_>> {
        let (source, target) = self.places_of(row)?;
        let source = source.ok_or_else(|| StoreError::Corrupt("a move without source".into()))?;
        Ok(Work {
            mover: self,
            routed: &self.routed,
            row: row.clone(),
            source: self.open(&source).await?,
            target: self.open(&target).await?,
            reported: Mutex::new(Instant::now()),
            kept: Mutex::new(Instant::now()),
        })
    }

    /// In the pause: writes are held everywhere, and what they have marked is mended.
    async fn switch(&self, row: &StoreMove) -> StoreResult<()> {
        let until = Instant::now() + PAUSE;
        let held = self.confirmed(row, Some(until)).await;
        let is_ready = match held {
            Ok(()) => {
                // What is begun is waited for: nothing may reach the new place after the switch.
                let mended = self.routed.mend_all_marked(until).await;
                match mended {
                    Ok(()) => self.keep(row).await,
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        };
        let to = if is_ready.is_ok() { MovePhase::Switched } else { MovePhase::Verifying };
        // If a node has given up waiting, this changes nothing.
        self.turn(row, to).await?;
        is_ready
    }

    /// Copies what a node wrote late to the place that the documents have left. The node has told its
    /// callers that it does not know what became of it.
    async fn rescue_late(&self, row: &StoreMove) -> StoreResult<()> {
        let late = Origin { move_id: Some(row.id), truth: Truth::Source };
        let mut after = None;
        loop {
            let marks = self.routed.marks.list(after, MARKS).await?;
            let Some(last) = marks.last() else { return Ok(()) };
            after = Some(last.id);
            for mark in marks.iter().filter(|mark| mark.origin == late) {
                let work = self.work(row).await?;
                rescue((&*work.target.store, &*work.source.store), &mark.path).await?;
            }
        }
    }

    /// Waits until every node works in the phase of the move, and forgets nodes that are silent.
    async fn confirmed(&self, row: &StoreMove, until: Option<Instant>) -> StoreResult<()> {
        let mut heard: HashMap<Uuid, (u64, Instant)> = HashMap::new();
        let (begun, mut is_noted) = (Instant::now(), false);
        loop {
            let nodes = self.moves.nodes(STORE).await?;
            let is_ours = nodes.iter().any(|node| node.node == self.node);
            let mut waits = !is_ours;
            for node in nodes {
                let now = Instant::now();
                let last = heard.entry(node.node).or_insert((node.beats, now));
                if last.0 != node.beats {
                    *last = (node.beats, now);
                }
                if node.at == Some((row.id, row.turn)) {
                    continue;
                }
                if last.1.elapsed() > SILENT && node.node != self.node {
                    tracing::warn!(node = %node.node, "a node is silent; the move goes on without it");
                    self.moves.leave(STORE, node.node, Some(node.beats)).await?;
                    // It may have shown itself just now.
                    waits = true;
                } else {
                    waits = true;
                    if !is_noted && begun.elapsed() > LATE {
                        is_noted = true;
                        let why = format!(
                            "waits for the server {}, which cannot open the new place or is slow",
                            node.node
                        );
                        self.note(row, &StoreError::Unavailable(why)).await;
                    }
                }
            }
            if !waits {
                return Ok(());
            }
            if until.is_some_and(|until| Instant::now() > until) {
                return Err(StoreError::Unavailable("not every node holds its writes".into()));
            }
            self.wait(row, LOOK).await?;
        }
    }

    /// Waits, and keeps the lease. Fails if the move has gone into another phase.
    async fn wait(&self, row: &StoreMove, time: Duration) -> StoreResult<()> {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            sleep(left.min(Duration::from_secs(1))).await;
            self.keep(row).await?;
            if Instant::now() >= end {
                return Ok(());
            }
        }
    }

    /// Keeps the lease. Fails if the move has gone into another phase.
    async fn keep(&self, row: &StoreMove) -> StoreResult<()> {
        let now = self.clock.now();
        let is_ours = self.moves.claim(row.id, self.node, now, now.plus(LEASE)).await?;
        let turn = self.moves.get(STORE).await?.map(|row| (row.id, row.turn));
        if is_ours && turn == Some((row.id, row.turn)) {
            return Ok(());
        }
        Err(StoreError::Unavailable("the move goes on elsewhere, or in another phase".into()))
    }

    /// Tells whoever follows the move why it waits.
    pub(super) async fn note(&self, row: &StoreMove, error: &StoreError) {
        let Ok(Some(now)) = self.moves.get(STORE).await else { return };
        if (now.id, now.turn) == (row.id, row.turn) {
            let note = error.to_string().chars().take(NOTE).collect();
            let progress = MoveProgress { note, ..now.progress };
            // It will be tried again.
            let _ = self.moves.report((row.id, row.turn), &progress).await;
        }
    }

    async fn undo(&self, row: &StoreMove) -> StoreResult<()> {
        let (source, _) = self.places_of(row)?;
        match &row.source {
            // The settings of other nodes may still name the place of before.
            Some(sealed)
                if source.as_ref() != Some(&self.configured)
                    || (self.is_shared && row.replaced.is_some()) =>
            {
                self.moves.restore(row.id, sealed).await
            }
            _ => self.moves.remove(row.id).await,
        }
    }
}

/// What the long steps need.
pub(super) struct Work<'a> {
    mover: &'a DocumentsMover,
    pub(super) routed: &'a Arc<Routed>,
    row: StoreMove,
    pub(super) source: Arc<OpenPlace>,
    pub(super) target: Arc<OpenPlace>,
    reported: Mutex<Instant>,
    kept: Mutex<Instant>,
}

impl Work<'_> {
    pub(super) async fn report(&self, progress: &MoveProgress) -> StoreResult<()> {
        self.mover.keep(&self.row).await?;
        self.mover.moves.report((self.row.id, self.row.turn), progress).await
    }

    /// Keeps the lease in a step that takes long.
    pub(super) async fn keep_now_and_then(&self) -> StoreResult<()> {
        let is_due = {
            let mut kept = self.kept.lock();
            let is_due = kept.elapsed() > KEEP;
            if is_due {
                *kept = Instant::now();
            }
            is_due
        };
        if is_due { self.mover.keep(&self.row).await } else { Ok(()) }
    }

    pub(super) async fn report_now_and_then(&self, progress: &MoveProgress) -> StoreResult<()> {
        let is_due = {
            let mut reported = self.reported.lock();
            let is_due = reported.elapsed() > REPORT;
            if is_due {
                *reported = Instant::now();
            }
            is_due
        };
        if is_due { self.report(progress).await } else { Ok(()) }
    }
}
