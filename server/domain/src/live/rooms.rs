//! All rooms of this process.

use super::{
    ClientUpdate, EditOutcome, LiveSettings, LiveText, ServerEdit,
    command::{Command, Reply},
    heavy::Heavy,
    room::Room,
    writer::LogWriter,
};
use crate::{
    error::{Error, Internal, Result},
    storage::{Clock, Ids, LiveLog},
};
use izanagi_shared::id::DocumentId;
use lru::LruCache;
use parking_lot::Mutex;
use std::{collections::HashMap, num::NonZeroUsize, sync::Arc};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How many commands wait for a room before callers wait themselves.
const MAILBOX: usize = 256;

/// What every room shares.
#[derive(Clone)]
pub(super) struct RoomContext {
    pub(super) log: Arc<dyn LiveLog>,
    pub(super) writer: LogWriter,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn Ids>,
    pub(super) settings: LiveSettings,
    pub(super) stop: CancellationToken,
    pub(super) seen: SeenNumbers,
    pub(super) heavy: Heavy,
}

/// The highest number this process has seen of each document. A log that answers with less is
/// behind (a replica, perhaps), and must not become anybody's text.
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

/// The rooms of this process: opened on demand, dropped when quiet.
#[derive(Clone)]
pub struct Rooms {
    context: RoomContext,
    open: Arc<Mutex<HashMap<DocumentId, mpsc::Sender<Command>>>>,
    tasks: TaskTracker,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms").field("open", &self.open.lock().len()).finish_non_exhaustive()
    }
}

impl Rooms {
    /// Rooms over this log. They end when `stop` is cancelled; `tasks` then waits for them.
    #[must_use]
    pub fn new(
        log: Arc<dyn LiveLog>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        settings: LiveSettings,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        let writer = LogWriter::start(Arc::clone(&log), settings.append_timeout);
        let (seen, heavy) = (SeenNumbers::new(), Heavy::new());
        let context = RoomContext { log, writer, clock, ids, settings, stop, seen, heavy };
        Self { context, open: Arc::default(), tasks }
    }

    /// Takes a client's update; gives its number once it is durable.
    ///
    /// # Errors
    /// `BadUpdate`, `TooLarge`, `Trashed`, `NotFound`, `Unavailable`.
    pub async fn submit(&self, document: DocumentId, update: ClientUpdate) -> Result<u64> {
        self.ask(document, |reply| Command::Submit { update, reply }).await
    }

    /// Makes an edit for somebody in the room's turn.
    ///
    /// # Errors
    /// As [`Rooms::submit`], and `IdempotencyMismatch`.
    pub async fn edit(&self, document: DocumentId, edit: ServerEdit) -> Result<EditOutcome> {
        self.ask(document, |reply| Command::Edit { edit, reply }).await
    }

    /// The text as it is now: everything acknowledged so far is in it.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn read(&self, document: DocumentId) -> Result<LiveText> {
        self.ask(document, |reply| Command::Read { reply }).await
    }

    /// What a replica with this state vector (v1) lacks, and the number it then holds.
    ///
    /// # Errors
    /// `BadUpdate` for bytes that are no state vector.
    pub async fn missing(
        &self,
        document: DocumentId,
        state_vector: Vec<u8>,
    ) -> Result<(u64, Vec<u8>)> {
        self.ask(document, |reply| Command::Missing { state_vector, reply }).await
    }

    /// Stores a snapshot and the text now.
    ///
    /// # Errors
    /// Only when the store fails.
    pub async fn persist(&self, document: DocumentId) -> Result<()> {
        self.ask(document, |reply| Command::Persist { reply }).await
    }

    /// Whether the document has a room in memory.
    #[must_use]
    pub fn is_open(&self, document: DocumentId) -> bool {
        self.open.lock().get(&document).is_some_and(|room| !room.is_closed())
    }

    async fn ask<T>(
        &self,
        document: DocumentId,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let mut command = command(reply);
        // A room that closes between the look-up and the sending hands the command back.
        while let Err(mpsc::error::SendError(back)) = self.room(document).send(command).await {
            if self.context.stop.is_cancelled() {
                return Err(Error::Unavailable(Internal::new("shutting down")));
            }
            command = back;
        }
        answer.await.unwrap_or_else(|_| Err(Error::Unavailable(Internal::new("the room has gone"))))
    }

    fn room(&self, document: DocumentId) -> mpsc::Sender<Command> {
        let mut open = self.open.lock();
        if let Some(room) = open.get(&document)
            && !room.is_closed()
        {
            return room.clone();
        }
        let (sender, mailbox) = mpsc::channel(MAILBOX);
        open.insert(document, sender.clone());
        drop(open);
        let room = Room::new(document, self.context.clone(), mailbox);
        let rooms = Arc::clone(&self.open);
        self.tasks.spawn(async move {
            room.run().await;
            let mut rooms = rooms.lock();
            // Another room may stand in its place by now.
            if rooms.get(&document).is_some_and(mpsc::Sender::is_closed) {
                rooms.remove(&document);
            }
        });
        sender
    }
}
