//! Moves the document store to another place while people work: all nodes write to both places, what
//! was there before is copied, every record is compared, and in a short pause of the writes the new
//! place becomes the truth. A kill at any point leaves one truth, and another worker resumes.

use super::{DocumentsPlace, OpenPlace, Places, Routed, comparison::is_empty, follow::Follower};
use crate::config::Place;
use async_trait::async_trait;
use izanagi_domain::{
    sealing::Sealer,
    storage::{
        Clock, Ids, MovePhase, MoveProgress, MovedStore, NewMove, Sealed, StoreError, StoreMove,
        StoreMover, StoreMoves, StoreResult,
    },
};
use izanagi_shared::rules::Secret;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const STORE: MovedStore = MovedStore::Documents;
/// What the URLs of places are sealed for.
const PURPOSE: &str = "store url";
const OWNER: &[u8] = b"documents";
/// How long a worker has a move without a sign of life.
const LEASE: Duration = Duration::from_secs(30);
/// How often progress is written.
const REPORT: Duration = Duration::from_millis(500);
/// How often nodes are looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long the pause of the writes may last.
const PAUSE: Duration = Duration::from_secs(2);
/// The position in the phase of verifying once every record was compared. Collections have other names.
pub(super) const COMPARED: &str = "compared";
/// Marks that are mended quickly enough in the pause of the writes.
const FEW: u64 = 32;
/// How often marks are mended before the pause, which many writers keep at more than a few.
const ROUNDS: u32 = 20;
/// Characters of a note.
const NOTE: usize = 300;
/// Time between attempts.
const AGAIN: Duration = Duration::from_secs(2);
/// A node of which nothing was heard for this long is ignored. It has stopped by itself before: see
/// `TRUSTED`.
const SILENT: Duration = Duration::from_secs(30);

/// Moves the document store.
pub(crate) struct DocumentsMover {
    pub(crate) node: Uuid,
    pub(crate) routed: Arc<Routed>,
    pub(crate) places: Arc<Places>,
    pub(crate) moves: Arc<dyn StoreMoves>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) sealer: Option<Sealer>,
    /// The relational database.
    pub(crate) users: Place,
    /// Where the settings say that the records are: with two places, the first.
    pub(crate) configured: DocumentsPlace,
    /// Whether the settings name two places.
    pub(crate) is_dual: bool,
    /// Whether other processes may write records too.
    pub(crate) is_shared: bool,
    /// Whether this process may write records. A move waits for those that do.
    pub(crate) writes: bool,
    /// When the row of the move was read for the first time.
    pub(crate) opened: Instant,
}

impl DocumentsMover {
    /// Opens what was sealed.
    pub(crate) fn unseal(&self, sealed: &Sealed) -> StoreResult<DocumentsPlace> {
        let sealer = self.sealer.as_ref();
        let url = sealer.and_then(|it| it.open(PURPOSE, OWNER, &sealed.0)).ok_or_else(gone)?;
        Ok(DocumentsPlace::parse(url.expose(), &self.users))
    }

    fn sealed(&self, place: &DocumentsPlace) -> Result<Sealed, String> {
        let sealer = self.sealer.as_ref().ok_or("there is no signing key to seal its URL with")?;
        let sealed = sealer.seal(PURPOSE, OWNER, &Secret::new(place.text()));
        sealed.map(Sealed).map_err(|error| format!("its URL cannot be sealed: {error}"))
    }

    /// Seals the URLs of a move with the current key, before the former one that sealed them is removed.
    pub(crate) async fn resealed(&self, row: StoreMove) -> StoreResult<StoreMove> {
        let Some(sealer) = &self.sealer else { return Ok(row) };
        let seal = |sealed: &Sealed| -> StoreResult<Sealed> {
            let url = sealer.open(PURPOSE, OWNER, &sealed.0).ok_or_else(gone)?;
            sealer
                .seal(PURPOSE, OWNER, &url)
                .map(Sealed)
                .map_err(|error| StoreError::Unavailable(error.to_string()))
        };
        let is_current = |sealed: &Sealed| sealer.is_current(PURPOSE, OWNER, &sealed.0);
        if is_current(&row.target) && row.source.as_ref().is_none_or(is_current) {
            return Ok(row);
        }
        let source = row.source.as_ref().map(seal).transpose()?;
        let row = StoreMove { source, target: seal(&row.target)?, ..row };
        self.moves.reseal(row.id, row.source.as_ref(), &row.target).await?;
        Ok(row)
    }

    /// Returns where the records are and where they go.
    pub(crate) fn places_of(
        &self,
        row: &StoreMove,
    ) -> StoreResult<(Option<DocumentsPlace>, DocumentsPlace)> {
        let source = row.source.as_ref().map(|source| self.unseal(source)).transpose()?;
        Ok((source, self.unseal(&row.target)?))
    }

    pub(crate) async fn open(&self, place: &DocumentsPlace) -> StoreResult<Arc<OpenPlace>> {
        let opened = self.places.open(place).await;
        opened.map_err(|error| StoreError::Unavailable(format!("{place}: {error}")))
    }

    /// Does the next step of a move; returns whether it is over.
    async fn step(&self, row: StoreMove) -> StoreResult<bool> {
        let turn = |to| self.moves.turn(row.id, row.phase, to, self.clock.now());
        match row.phase {
            MovePhase::Asked => {
                if self.is_shared {
                    self.wait(&row, SILENT).await?;
                }
                self.confirmed(&row, None).await?;
                turn(MovePhase::Copying).await?;
            }
            MovePhase::Copying => {
                self.work(&row).await?.copy_all(row.progress.clone()).await?;
                turn(MovePhase::Verifying).await?;
            }
            MovePhase::Verifying => {
                self.confirmed(&row, None).await?;
                let work = self.work(&row).await?;
                // After a pause that was given up, only what was written since can differ: it is marked.
                if row.progress.position != COMPARED {
                    let mended = work.compare_all().await?;
                    tracing::info!(mended, "all documents were compared");
                }
                for _ in 0..ROUNDS {
                    if work.mend_recent().await? <= FEW {
                        break;
                    }
                    self.wait(&row, LOOK).await?;
                }
                turn(MovePhase::Holding).await?;
            }
            MovePhase::Holding => self.switch(&row).await?,
            MovePhase::Switched => {
                self.confirmed(&row, None).await?;
                turn(MovePhase::Moved).await?;
            }
            MovePhase::Moved => {
                // Nobody marks any more.
                self.confirmed(&row, None).await?;
                self.routed.marks.clear().await?;
                return Ok(true);
            }
            MovePhase::Cancelled => {
                self.confirmed(&row, None).await?;
                self.routed.marks.clear().await?;
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
        })
    }

    /// In the pause: writes are held everywhere, and what they have marked is mended.
    async fn switch(&self, row: &StoreMove) -> StoreResult<()> {
        let until = Instant::now() + PAUSE;
        let held = self.confirmed(row, Some(until)).await;
        let is_ready = match held {
            Ok(()) => {
                let left = until.saturating_duration_since(Instant::now());
                let mended = tokio::time::timeout(left, self.routed.mend_all_marked()).await;
                mended.unwrap_or_else(|_| Err(StoreError::Unavailable("takes too long".into())))
            }
            Err(error) => Err(error),
        };
        let to = if is_ready.is_ok() { MovePhase::Switched } else { MovePhase::Verifying };
        // If a node has given up waiting, this changes nothing.
        self.moves.turn(row.id, MovePhase::Holding, to, self.clock.now()).await?;
        is_ready
    }

    /// Waits until every node works in the phase of the move, and forgets nodes that are silent.
    async fn confirmed(&self, row: &StoreMove, until: Option<Instant>) -> StoreResult<()> {
        let mut heard: HashMap<Uuid, (u64, Instant)> = HashMap::new();
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
                if node.at == Some((row.id, row.phase)) {
                    continue;
                }
                if last.1.elapsed() > SILENT && node.node != self.node {
                    tracing::warn!(node = %node.node, "a node is silent; the move goes on without it");
                    self.moves.leave(STORE, node.node).await?;
                } else {
                    waits = true;
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
        let phase = self.moves.get(STORE).await?.map(|row| (row.id, row.phase));
        if is_ours && phase == Some((row.id, row.phase)) {
            return Ok(());
        }
        Err(StoreError::Unavailable("the move goes on elsewhere, or in another phase".into()))
    }

    /// Tells whoever follows the move why it waits.
    async fn note(&self, row: &StoreMove, error: &StoreError) {
        let Ok(Some(now)) = self.moves.get(STORE).await else { return };
        if (now.id, now.phase) == (row.id, row.phase) {
            let note = error.to_string().chars().take(NOTE).collect();
            let progress = MoveProgress { note, ..now.progress };
            // It will be tried again.
            let _ = self.moves.report(row.id, &progress, self.clock.now()).await;
        }
    }

    async fn undo(&self, row: &StoreMove) -> StoreResult<()> {
        let (source, _) = self.places_of(row)?;
        match &row.source {
            Some(sealed) if source.as_ref() != Some(&self.configured) => {
                self.moves.restore(row.id, sealed, self.clock.now()).await
            }
            _ => self.moves.remove(row.id).await,
        }
    }
}

fn gone() -> StoreError {
    let why = "the place of the documents is sealed with a signing key that is gone; set \
               storage.documents.url to it, and run “izanagi migrate-store --store documents --forget”";
    StoreError::Unavailable(why.to_owned())
}

/// What the long steps need.
pub(super) struct Work<'a> {
    mover: &'a DocumentsMover,
    pub(super) routed: &'a Routed,
    row: StoreMove,
    pub(super) source: Arc<OpenPlace>,
    pub(super) target: Arc<OpenPlace>,
    reported: Mutex<Instant>,
}

impl Work<'_> {
    pub(super) async fn report(&self, progress: &MoveProgress) -> StoreResult<()> {
        self.mover.keep(&self.row).await?;
        self.mover.moves.report(self.row.id, progress, self.mover.clock.now()).await
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

#[async_trait]
impl StoreMover for DocumentsMover {
    fn store(&self) -> MovedStore {
        STORE
    }

    async fn prepare(&self, target: &Secret, overwrite: bool) -> Result<NewMove, String> {
        let place = DocumentsPlace::parse(target.expose(), &self.users);
        if self.is_dual {
            let why = "the settings name two places (storage.routing.documents); choose one first";
            return Err(why.to_owned());
        }
        let row = self.moves.get(STORE).await.map_err(|error| error.to_string())?;
        let source = match &row {
            Some(row) => self.unseal(&row.target).map_err(|error| error.to_string())?,
            None => self.configured.clone(),
        };
        if source == place {
            return Err("they are there already".to_owned());
        }
        if place.text().starts_with("memory://") {
            return Err("a place in memory lasts only as long as one process".to_owned());
        }
        let opened = self.places.open(&place).await.map_err(|error| error.to_string())?;
        let is_empty = is_empty(&*opened.store).await.map_err(|error| error.to_string())?;
        if !is_empty && !overwrite {
            return Err(format!(
                "{place} is not empty; with --overwrite, what this store does not have is removed there"
            ));
        }
        Ok(NewMove {
            id: self.ids.uuid(),
            store: STORE,
            source: Some(self.sealed(&source)?),
            target: self.sealed(&place)?,
            at: self.clock.now(),
        })
    }

    async fn carry_on(&self) -> StoreResult<()> {
        loop {
            let Some(row) = self.moves.get(STORE).await? else { return Ok(()) };
            let now = self.clock.now();
            if !self.moves.claim(row.id, self.node, now, now.plus(LEASE)).await? {
                return Err(StoreError::Unavailable("another worker carries out the move".into()));
            }
            match self.step(row.clone()).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(phase = row.phase.as_str(), %error, "the move of the documents waits");
                    self.note(&row, &error).await;
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn follow(&self, stop: CancellationToken) {
        Follower::new(self).run(stop).await;
    }
}
