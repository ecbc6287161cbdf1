//! All rooms of this process.

use super::{
    ClientUpdate, EditOutcome, LiveSettings, LiveText, Missing, PendingReceipt, PostedUpdate,
    Receipt, ServerEdit,
    command::{Command, Permit, Reply, Sender, Waiting},
    hear::Ear,
    open_rooms::{Handle, OpenRooms, shutting_down},
    room::{Outside, Room},
    seats::{Abroad, NoSeat, Seat, SeatId, SeatLimits, Seats, Sitter},
    writer::LogWriter,
};
use crate::{
    budget::{Budget, Reservation, SMALL},
    core::Core,
    edits::EditStore,
    error::{Error, Internal, Result},
    storage::{Bus, Clock, Ids, LiveLog, NodeId},
};
use futures::{FutureExt as _, future::BoxFuture};
use izanagi_shared::{id::DocumentId, sync::complete_cursor};
use lru::LruCache;
use parking_lot::Mutex;
use std::{num::NonZeroUsize, sync::Arc};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Mailbox capacity of a room; further callers wait.
const MAILBOX: usize = 256;

/// Context shared by all rooms.
#[derive(Clone)]
pub(super) struct RoomContext {
    pub(super) log: Arc<dyn LiveLog>,
    pub(super) writer: LogWriter,
    pub(super) edits: EditStore,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) bus: Arc<dyn Bus>,
    pub(super) node: NodeId,
    pub(super) settings: LiveSettings,
    pub(super) budget: Budget,
    pub(super) stop: CancellationToken,
    pub(super) seen: SeenNumbers,
}

/// The highest seq this process has seen of each document. A log that ends below it is stale (for
/// example on a lagging replica) and must not be used as the document's text.
#[derive(Clone)]
pub(super) struct SeenNumbers(Arc<Mutex<LruCache<DocumentId, u64>>>);

impl SeenNumbers {
    pub(super) fn new() -> Self {
        let remembered = NonZeroUsize::new(100_000).unwrap_or(NonZeroUsize::MIN);
        Self(Arc::new(Mutex::new(LruCache::new(remembered))))
    }

    pub(super) fn saw(&self, document: DocumentId, seq: u64) {
        let mut seen = self.0.lock();
        let highest = seen.get(&document).copied().unwrap_or(0).max(seq);
        seen.put(document, highest);
    }

    pub(super) fn highest(&self, document: DocumentId) -> u64 {
        self.0.lock().get(&document).copied().unwrap_or(0)
    }
}

/// The rooms of this process: opened on demand, closed when idle or when memory is short.
#[derive(Clone)]
pub struct Rooms {
    context: Arc<RoomContext>,
    open: OpenRooms,
    tasks: TaskTracker,
    /// Ends the task that listens to the bus, with the last clone of this.
    _listening: Arc<DropGuard>,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms").field("open", &self.open.size().0).finish_non_exhaustive()
    }
}

/// A seat in a room, and the way to its task.
pub(crate) struct Joined {
    pub(crate) seat: Seat,
    pub(crate) room: SeatedRoom,
    /// The lineage of the document when it was joined.
    pub(crate) lineage: [u8; 16],
}

/// The room of a seat.
#[derive(Clone)]
pub(crate) struct SeatedRoom {
    commands: mpsc::Sender<Command>,
    budget: Budget,
}

impl Rooms {
    /// Creates the rooms over the live log of `core`. They end at shutdown.
    #[must_use]
    pub fn new(core: &Core, settings: LiveSettings) -> Self {
        let log = Arc::clone(&core.stores.relational.log);
        let context = RoomContext {
            writer: LogWriter::start(Arc::clone(&log), settings.append_timeout),
            log,
            edits: EditStore::of(core),
            clock: Arc::clone(&core.clock),
            ids: Arc::clone(&core.ids),
            bus: Arc::clone(&core.stores.bus),
            node: NodeId(core.ids.uuid()),
            settings,
            budget: core.budget.clone(),
            stop: core.stop.clone(),
            seen: SeenNumbers::new(),
        };
        Self::over(context, core.tasks.clone())
    }

    /// Creates rooms that share this context and run in `tasks`.
    pub(super) fn over(context: RoomContext, tasks: TaskTracker) -> Self {
        let open = OpenRooms::new(context.budget.clone());
        let (bus, node) = (Arc::clone(&context.bus), context.node);
        let stop = context.stop.child_token();
        tasks
            .spawn(Ear { open: open.clone(), bus, node, stop: stop.clone(), asks: false }.listen());
        let _listening = Arc::new(stop.drop_guard());
        Self { context: Arc::new(context), open, tasks, _listening }
    }

    /// Submits a client's update; returns a receipt once it is durable. Sent again, it gets the same
    /// seq, and is no longer pending once what it waits for has arrived.
    ///
    /// # Errors
    /// `BadUpdate`, `TooLarge`, `Trashed`, `NotFound`, `Overloaded`, `Unavailable`.
    pub async fn submit(&self, document: DocumentId, update: ClientUpdate) -> Result<Receipt> {
        self.before_growth(update.delta.len()).await?;
        let submit = |reply| {
            // The request has reserved memory for its body.
            let reserved = Reservation::none();
            let (settled, seat, may_repeat, moves) = (None, None, false, 0);
            let permit = None;
            let sender = Sender { reply, settled, seat, permit, may_repeat, moves, reserved };
            Command::Submit(Box::new(Waiting { update, sender }))
        };
        self.ask(document, submit).await
    }

    /// Takes a seat in the room of a document, which is open and has loaded the document then. It stays
    /// open as long as it has a seat.
    ///
    /// # Errors
    /// `NotFound`, `Overloaded` if the rooms exceed their budget or all seats are taken,
    /// `CorruptDocument`, `Unavailable`.
    pub(crate) async fn join(&self, document: DocumentId, sitter: Sitter) -> Result<Joined> {
        self.open.before_growth().await?;
        let (seat, handle) = loop {
            if self.context.stop.is_cancelled() {
                return Err(shutting_down());
            }
            let handle = self.room(document).await?;
            match handle.seats.join(sitter) {
                Ok(seat) => break (seat, handle),
                Err(NoSeat::Full) => return Err(self.context.budget.overloaded()),
                // Another room takes its place.
                Err(NoSeat::Closed) => {}
            }
        };
        let room = SeatedRoom { commands: handle.commands, budget: self.context.budget.clone() };
        let lineage = room.run(|room| room.lineage().boxed()).await?;
        Ok(Joined { seat, room, lineage })
    }

    /// Makes a room that holds another lineage than this one, which is stored, load the document again.
    pub(crate) async fn expect_lineage(&self, document: DocumentId, lineage: [u8; 16]) {
        if self.is_open(document) {
            // If it fails, the next command loads the document.
            let checked = self.run(document, move |room| room.expect_lineage(lineage).boxed());
            drop(checked.await);
        }
    }

    /// Notes the newest seq of a document in the database: what its room answers from now on has
    /// everything up to there.
    pub(crate) fn saw(&self, document: DocumentId, seq: u64) {
        self.context.seen.saw(document, seq);
    }

    /// The settings.
    pub(crate) fn settings(&self) -> &LiveSettings {
        &self.context.settings
    }

    /// Returns the number of connections in all rooms.
    #[must_use]
    pub fn seats(&self) -> usize {
        self.open.seats()
    }

    /// Makes an edit on behalf of a user, serialised with other commands of the room.
    ///
    /// # Errors
    /// As [`Rooms::submit`], and `IdempotencyMismatch`.
    pub async fn edit(&self, document: DocumentId, edit: ServerEdit) -> Result<EditOutcome> {
        self.before_growth(edit.kind.bytes()).await?;
        self.run(document, |room| room.edit(edit).boxed()).await
    }

    /// Returns the current text, including everything acknowledged so far.
    ///
    /// # Errors
    /// `NotFound`, `Overloaded`, `Unavailable`.
    pub async fn read(&self, document: DocumentId) -> Result<LiveText> {
        self.run(document, |room| room.text().boxed()).await
    }

    /// Returns what a replica with this state vector (v1) lacks.
    ///
    /// # Errors
    /// `BadUpdate` if the bytes are not a state vector.
    pub async fn missing(&self, document: DocumentId, state_vector: Vec<u8>) -> Result<Missing> {
        self.run(document, |room| room.missing(state_vector).boxed()).await
    }

    /// Stores a snapshot and the text immediately.
    ///
    /// # Errors
    /// The store failed.
    pub async fn persist(&self, document: DocumentId) -> Result<()> {
        self.run(document, |room| room.persist_all().boxed()).await
    }

    /// Whether the document has an open room.
    #[must_use]
    pub fn is_open(&self, document: DocumentId) -> bool {
        self.open.contains(document)
    }

    /// Returns the number of rooms in memory, and an estimate of their bytes.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.open.size()
    }

    /// Makes an edit that may enlarge a room wait while the rooms exceed their budget.
    async fn before_growth(&self, bytes: usize) -> Result<()> {
        if bytes > SMALL { self.open.before_growth().await } else { Ok(()) }
    }

    async fn run<T: Send + 'static>(
        &self,
        document: DocumentId,
        work: impl for<'a> FnOnce(&'a mut Room) -> BoxFuture<'a, Result<T>> + Send + 'static,
    ) -> Result<T> {
        self.ask(document, |reply| Command::run(reply, work)).await
    }

    async fn ask<T>(
        &self,
        document: DocumentId,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let mut command = command(reply);
        // A room that closes between lookup and send returns the command.
        while let Err(mpsc::error::SendError(back)) =
            self.room(document).await?.commands.send(command).await
        {
            if self.context.stop.is_cancelled() {
                return Err(shutting_down());
            }
            command = back;
        }
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    async fn room(&self, document: DocumentId) -> Result<Handle> {
        if let Some(room) = self.open.get(document) {
            return Ok(room);
        }
        self.open.make_room().await?;
        let (commands, mailbox) = mpsc::channel(MAILBOX);
        let LiveSettings { seat_messages, seat_bytes, seats_per_document, presence_bytes, .. } =
            self.context.settings;
        let limits =
            SeatLimits { seats: seats_per_document, messages: seat_messages, bytes: seat_bytes };
        let (bus, node) = (Arc::clone(&self.context.bus), self.context.node);
        let seats = Seats::new(limits, Abroad { bus, node, document, presence_bytes });
        let (handle, footprint) = self.open.insert(document, commands, seats);
        if let Some(footprint) = footprint {
            let (leave, seats) = (handle.leave.clone(), Arc::clone(&handle.seats));
            let (context, heard) = (Arc::clone(&self.context), Arc::clone(&handle.heard));
            let outside = Outside { mailbox, leave, seats, heard };
            let room = Room::new(document, context, outside, footprint);
            // Boxed: the state of an async function has its argument twice.
            self.tasks.spawn(Box::new(room).run());
        }
        Ok(handle)
    }
}

impl SeatedRoom {
    /// Puts an update in the queue, behind those posted before. Waits while the queue is full, or too
    /// many bytes are in the queues of all rooms. If the update `may_repeat` what the document has,
    /// only the rest is written.
    ///
    /// # Errors
    /// `Unavailable` if the room has closed.
    pub(crate) async fn post(
        &self,
        (seat, permit): (SeatId, Arc<dyn Permit>),
        update: ClientUpdate,
        may_repeat: bool,
    ) -> Result<PostedUpdate> {
        let reserved = self.budget.posted(update.delta.len()).await?;
        let (reply, receipt) = oneshot::channel();
        let (settled, later) = oneshot::channel();
        let (seat, permit, settled) = (Some(seat), Some(permit), Some(settled));
        let sender = Sender { reply, settled, seat, permit, may_repeat, moves: 0, reserved };
        let command = Command::Submit(Box::new(Waiting { update, sender }));
        self.commands.send(command).await.map_err(|_| closed())?;
        Ok(PostedUpdate { receipt: PendingReceipt(receipt), settled: PendingReceipt(later) })
    }

    /// Completes the cursor of a presence state (JSON), so that clients of both protocols can place it.
    /// Returns the state unchanged if there is nothing to complete.
    pub(crate) async fn complete_cursor(&self, state: Arc<str>) -> Result<Arc<str>> {
        self.run(|room| {
            let completed = room.replica().map(|replica| {
                complete_cursor(&state, replica.lineage.doc()).map_or(state, Arc::from)
            });
            std::future::ready(completed).boxed()
        })
        .await
    }

    /// As [`Rooms::missing`].
    pub(crate) async fn missing(&self, state_vector: Vec<u8>) -> Result<Missing> {
        self.run(|room| room.missing(state_vector).boxed()).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl for<'a> FnOnce(&'a mut Room) -> BoxFuture<'a, Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let command = Command::run(reply, work);
        self.commands.send(command).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

fn closed() -> Error {
    Error::Unavailable(Internal::new("the room is gone"))
}
