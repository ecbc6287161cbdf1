//! The room: a task that processes the commands for one document in sequence.

use super::{
    command::{Command, Missing, Waiting},
    event::Closing,
    follow::LOOK_EVERY,
    hear::Heard,
    open_rooms::Footprint,
    persist::DirtyState,
    replica::{LiveText, Loaded, Replica},
    rooms::RoomContext,
    seats::Seats,
    settled::Unsettled,
    tell::{OwnSeats, Told},
};
use crate::{
    error::{Error, Internal, Result},
    storage::{LoadedLog, NewSegment, StoreError},
};
use futures::{FutureExt as _, future::OptionFuture};
use izanagi_shared::{
    crdt::ApplyError,
    id::{ActorId, DocumentId},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

/// Updates that one load quarantines at most: after each, the document is loaded again.
const QUARANTINES_PER_LOAD: usize = 8;
/// How long a text that was read is kept beside the document.
const TEXT_KEPT: Duration = Duration::from_secs(10);
/// The memory of seats is counted at most this often.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Segments of edit history that an unsuccessful snapshot left.
pub(super) struct Unlisted {
    /// The rows of which they are made.
    pub(super) rows: BTreeSet<u64>,
    pub(super) segments: Vec<NewSegment>,
    /// Seq of the newest snapshot that was read back.
    pub(super) verified: u64,
}

/// How others reach a room.
pub(super) struct Outside {
    pub(super) mailbox: mpsc::Receiver<Command>,
    pub(super) leave: CancellationToken,
    pub(super) seats: Arc<Seats>,
    pub(super) heard: Arc<Heard>,
}

pub(super) struct Room {
    pub(super) document: DocumentId,
    pub(super) context: Arc<RoomContext>,
    pub(super) dirty: DirtyState,
    /// Quarantined seqs after the snapshot, which must not be acknowledged.
    pub(super) quarantined: BTreeSet<u64>,
    /// Actors whose updates are refused: too many of them are quarantined.
    pub(super) full: Vec<ActorId>,
    pub(super) unlisted: Option<Unlisted>,
    mailbox: mpsc::Receiver<Command>,
    /// `None` before the first command, and after anything that makes the replica unreliable.
    replica: Option<Box<Replica>>,
    /// Before this, no waiting update lapses.
    pub(super) lapse_not_before: Option<Instant>,
    leave: CancellationToken,
    pub(super) seats: OwnSeats,
    pub(super) told: Told,
    /// Updates that were pending when their senders got a receipt.
    pub(super) unsettled: Vec<Unsettled>,
    /// Bytes of the seats when they were last counted.
    seat_bytes: usize,
    footprint: Footprint,
    pub(super) heard: Arc<Heard>,
    /// The newest seq that this room has written and not published yet.
    pub(super) unpublished: Option<u64>,
}

impl Room {
    pub(super) fn new(
        document: DocumentId,
        context: Arc<RoomContext>,
        outside: Outside,
        footprint: Footprint,
    ) -> Self {
        let Outside { mailbox, leave, seats, heard } = outside;
        let (dirty, quarantined) = (DirtyState::default(), BTreeSet::new());
        Self {
            document,
            context,
            dirty,
            quarantined,
            full: Vec::new(),
            unlisted: None,
            mailbox,
            replica: None,
            lapse_not_before: None,
            leave,
            seats: OwnSeats(seats),
            told: Told::default(),
            unsettled: Vec::new(),
            seat_bytes: 0,
            footprint,
            heard,
            unpublished: None,
        }
    }

    /// Serves commands until the room is idle and has no seats, it is evicted, or the process
    /// stops; then closes the mailbox and serves what remains in it.
    pub(super) async fn run(mut self: Box<Self>) {
        let idle = self.context.settings.idle_after;
        let mut idle_at = Instant::now() + idle;
        let (mut count_at, mut look_at) = (None, Instant::now() + LOOK_EVERY);
        // While this is waited for, what is due is not looked at again.
        let mut reserving = None;
        loop {
            let has_text = self.replica.as_ref().is_some_and(|replica| replica.has_text());
            let text_until = has_text.then(|| (idle_at + TEXT_KEPT).checked_sub(idle)).flatten();
            if let Some(replica) = &self.replica {
                self.dirty.searched(replica.lineage.doc().steps());
            }
            let due_at = self.dirty.next_due(&self.context.settings);
            let due_at = due_at.filter(|_| reserving.is_none());
            let lapse_at = self.next_lapse();
            // A quiet room stays open until its waiting updates have lapsed.
            let close_at = lapse_at.map_or(idle_at, |lapse_at| lapse_at.max(idle_at));
            let wake_at =
                due_at.into_iter().chain(text_until).chain(lapse_at).chain(count_at).min();
            let wake_at = wake_at.unwrap_or(close_at);
            tokio::select! {
                biased;
                () = self.context.stop.cancelled() => break,
                () = self.leave.cancelled() => break,
                command = self.mailbox.recv() => match command {
                    Some(command) => {
                        self.serve(command).await;
                        idle_at = Instant::now() + idle;
                        count_at = count_at.or_else(|| Some(Instant::now() + COUNT_EVERY));
                    }
                    None => break,
                },
                Some(reserved) = OptionFuture::from(reserving.as_mut()) => {
                    reserving = None;
                    if let Ok(reserved) = reserved {
                        Box::pin(self.persist_what_is_due(reserved)).await;
                    }
                }
                () = self.heard.something() => Box::pin(self.look_if_behind()).await,
                () = sleep_until(look_at), if self.tells() => {
                    Box::pin(self.look()).await;
                    look_at = Instant::now() + LOOK_EVERY;
                }
                () = sleep_until(wake_at.min(close_at)) => {
                    if lapse_at.is_none() && Instant::now() >= close_at {
                        if self.seats.close_if_free() {
                            break;
                        }
                        // Connections may be quiet for long.
                        idle_at = Instant::now() + idle;
                        count_at = Some(Instant::now());
                        continue;
                    }
                    if count_at == Some(wake_at) {
                        count_at = None;
                        self.seat_bytes = self.seats.memory();
                    } else if lapse_at == Some(wake_at) {
                        Box::pin(self.lapse_overdue()).await;
                        Box::pin(self.answer_settled()).await;
                    } else if due_at == Some(wake_at) {
                        reserving = Some(self.reserve_to_persist().boxed());
                    } else if let Some(replica) = &mut self.replica {
                        replica.forget_text();
                    }
                }
            }
            self.tell();
            let document = self.replica.as_ref().map_or(0, |replica| replica.footprint());
            self.footprint.set(document + self.seat_bytes);
        }
        // While commands are served, a place in the queue would keep other rooms from persisting.
        drop(reserving);
        self.mailbox.close();
        while let Some(command) = self.mailbox.recv().await {
            self.serve(command).await;
        }
        if self.context.stop.is_cancelled() {
            self.seats.close(Closing::GoingAway);
        }
        self.notice_other_writers();
        match Box::pin(self.persist_at_end()).await {
            // The document was deleted while it was open.
            Ok(()) | Err(Error::NotFound(_)) => {}
            // Nothing is lost: the log has every update.
            Err(error) => {
                tracing::warn!(docId = %self.document, ?error, "a closing room was not persisted");
            }
        }
    }

    async fn serve(&mut self, command: Command) {
        let mut next = Some(command);
        while let Some(command) = next.take() {
            if self.is_behind() {
                // If it fails, the command learns of it when the document is loaded.
                drop(Box::pin(self.follow()).await);
            }
            // Boxed, so that a quiet room does not keep memory for them.
            match (Box::pin(self.ready_now()).await, command) {
                (Err(error), command) => command.refuse(error).await,
                (Ok(()), Command::Run(job)) => job(Ok(self)).await,
                (Ok(()), Command::Submit(waiting)) => {
                    // Batch the updates in the mailbox into one write.
                    let mut batch = vec![*waiting];
                    next = self.gather(&mut batch);
                    Box::pin(self.submit(batch)).await;
                }
            }
            self.tell();
        }
        // A steady stream of commands must not delay the snapshot indefinitely.
        if self.dirty.snapshot_due(&self.context.settings) {
            Box::pin(self.persist_if_possible()).await;
        }
    }

    /// Takes further updates from the mailbox, up to the first command of another kind.
    fn gather(&mut self, batch: &mut Vec<Waiting>) -> Option<Command> {
        const MOST: usize = 64;
        while batch.len() < MOST {
            match self.mailbox.try_recv().ok()? {
                Command::Submit(waiting) => batch.push(*waiting),
                other => return Some(other),
            }
        }
        None
    }

    pub(super) async fn missing(&mut self, state_vector: Vec<u8>) -> Result<Missing> {
        let (is_long, lineage) = (self.replica()?.is_long(), self.lineage().await?);
        let missing = self.with_replica(is_long, move |replica| {
            let doc = replica.lineage.doc();
            let delta = doc.missing_from(&state_vector)?;
            Ok(Missing { seq: replica.seq, lineage, delta, state_vector: doc.state_vector() })
        });
        let missing = missing.await?;
        missing.map_err(|_: ApplyError| {
            Error::BadUpdate("the bytes are not a state vector".to_owned())
        })
    }

    /// Returns the lineage of the document that is loaded.
    pub(super) async fn lineage(&mut self) -> Result<[u8; 16]> {
        self.ready().await?;
        self.told.lineage().ok_or_else(not_loaded)
    }

    /// Loads the document again if it is of another lineage: a repair has started it anew.
    pub(super) async fn expect_lineage(&mut self, lineage: [u8; 16]) -> Result<()> {
        if self.told.lineage() != Some(lineage) {
            self.invalidate();
        }
        self.ready().await
    }

    pub(super) async fn text(&mut self) -> Result<LiveText> {
        let is_long = self.replica()?.is_long();
        self.with_replica(is_long, Replica::text).await
    }

    /// Runs `work` on the replica, on a pool thread if it `takes_long`. If it panics there, the
    /// replica is lost and reloaded.
    #[expect(clippy::significant_drop_tightening, reason = "the job runs in this place")]
    pub(super) async fn with_replica<T: Send + 'static>(
        &mut self,
        takes_long: bool,
        work: impl FnOnce(&mut Replica) -> T + Send + 'static,
    ) -> Result<T> {
        if !takes_long {
            return Ok(work(self.replica()?));
        }
        let place = self.context.budget.place().await?;
        let mut replica = self.replica.take().ok_or_else(not_loaded)?;
        let work = move || {
            let done = work(&mut replica);
            (replica, done)
        };
        let (replica, done) = place.run(work).await?;
        self.replica = Some(replica);
        Ok(done)
    }

    pub(super) fn loaded(&self) -> Option<&Replica> {
        self.replica.as_deref()
    }

    pub(super) fn replica(&mut self) -> Result<&mut Replica> {
        self.replica.as_deref_mut().ok_or_else(not_loaded)
    }

    /// Drops the replica; it is reloaded for the next command.
    pub(super) fn invalidate(&mut self) {
        self.replica = None;
        self.told.forget_next();
    }

    /// Invalidates the replica if another room has written. A closing room and its replacement can
    /// overlap briefly.
    pub(super) fn notice_other_writers(&mut self) {
        if self.is_behind() {
            self.invalidate();
        }
    }

    /// Ensures that the replica is loaded. A row that cannot be applied is quarantined, and the
    /// document is reloaded without it; after a few of them, the next command goes on.
    pub(super) async fn ready(&mut self) -> Result<()> {
        let mut quarantined = 0;
        while self.replica.is_none() {
            if quarantined == QUARANTINES_PER_LOAD {
                let cause = format!("{quarantined} updates of one load could not be applied");
                return Err(Error::Unavailable(Internal::new(cause)));
            }
            let _turn = self.context.budget.load().await?;
            let log = self.read_log().await?;
            let row_bytes: usize = log.updates.iter().map(|update| update.delta.len()).sum();
            let bytes = row_bytes + log.snapshot.state.len();
            let (ids, limits) = (Arc::clone(&self.context.ids), *self.context.budget.settings());
            let (document, told) = (self.document, self.told_seq());
            let load = move || Replica::load(document, log, &*ids, limits, told);
            match self.context.budget.run_on(bytes, load).await?? {
                Loaded::Whole(replica, changes) => {
                    self.dirty.loaded(replica.rows_waiting(), row_bytes);
                    self.replica = Some(replica);
                    self.note_changes(changes);
                }
                Loaded::Invalid(rejected, replica) => {
                    self.reject(&rejected, replica.as_deref()).await?;
                    quarantined += 1;
                }
            }
        }
        Ok(())
    }

    /// As [`Self::ready`], with waiting updates that are overdue lapsed.
    async fn ready_now(&mut self) -> Result<()> {
        self.ready().await?;
        self.lapse_overdue().await;
        self.ready().await
    }

    async fn read_log(&mut self) -> Result<LoadedLog> {
        let loaded = self.context.log.load(self.document).await;
        let log = loaded.map_err(|error| match error {
            StoreError::NotFound => Error::NotFound("document"),
            StoreError::Corrupt(what) => Error::CorruptDocument(Internal::new(what)),
            error => error.into(),
        })?;
        // A number that is too low would hide the last edits, and the next one would take its place.
        if log.head_is_damaged {
            let cause = "the newest seq does not match its checksum";
            return Err(Error::CorruptDocument(Internal::new(cause)));
        }
        let seen = self.context.seen.highest(self.document);
        if log.live_seq < seen {
            let internal = Internal::new(format!("the log ends at {}, not {seen}", log.live_seq));
            return Err(Error::Unavailable(internal));
        }
        self.context.seen.saw(self.document, log.live_seq);
        self.compare_with_told(&log);
        self.quarantined = log.quarantined.iter().copied().collect();
        self.full.clone_from(&log.full);
        Ok(log)
    }
}

fn not_loaded() -> Error {
    Error::Unavailable(Internal::new("room not loaded"))
}
