//! What a connection to a live document is told, and why it ends.

use crate::storage::Restored;
use bytes::Bytes;
use izanagi_shared::{id::ActorId, permission::Standing, time::Timestamp, wire::Person};
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

/// Something that a connection is told.
#[derive(Debug, Clone)]
pub enum SeatEvent {
    /// The text has changed. Its own sender is not told.
    Update(Arc<LiveUpdate>),
    /// The newest state of one presence client. Its own sender is told, too: a client of y-websocket
    /// closes a connection that stays silent.
    Presence(Arc<PresenceUpdate>),
    /// Something else about the document has changed, or the caller's right to it.
    Document(Arc<DocumentEvent>),
    /// The connection is over. Always the last event.
    Closed(Closing),
}

/// Why a connection ends. Each has one close code (API.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closing {
    /// 4408: it did not take its updates in time. It can connect again and get what it lacks.
    TooSlow,
    /// 4401: the session has ended.
    SignedOut,
    /// 4403: the caller may no longer read the document.
    Forbidden,
    /// 4404: the document is deleted, or not the caller's to know of.
    Gone,
    /// 4404: the document is in the trash.
    Trashed,
    /// 4409: the document's editing state was started anew, or has lost something that the connection
    /// was told.
    Resync,
    /// 1013: the room failed. Connecting again is safe.
    Overloaded,
    /// 1001: the server shuts down.
    GoingAway,
}

/// A change of the text that is durable: what a replica that knows all earlier ones must apply. It
/// holds what the server has integrated, never what a client sent: what is inserted and deleted by one
/// update is not in it, nor are pending updates.
#[derive(Debug)]
pub struct LiveUpdate {
    /// Seq of the update that caused it. Some have no effect, so there are gaps.
    pub seq: u64,
    /// Author of that update.
    pub actor: ActorId,
    /// A Yjs update, v1.
    pub delta: Bytes,
    frames: Frames,
    held: Held,
}

impl LiveUpdate {
    /// Creates an update whose memory counts as used until it is dropped.
    pub(super) fn new(seq: u64, actor: ActorId, delta: Bytes, used: &Arc<AtomicUsize>) -> Self {
        let held = Held::new(used);
        held.add(delta.len());
        Self { seq, actor, delta, frames: Frames::default(), held }
    }

    /// Returns its frame of the Yjs protocol, which `encode` makes only once.
    pub fn yjs(&self, encode: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.frames.yjs.get_or_init(|| self.counted(encode(self))).clone()
    }

    /// Returns its frame of the JSON protocol, which `encode` makes only once.
    pub fn json(&self, encode: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.frames.json.get_or_init(|| self.counted(encode(self))).clone()
    }

    fn counted(&self, frame: Bytes) -> Bytes {
        self.held.add(frame.len());
        frame
    }
}

/// The state of one presence client: its cursor, name and colour.
#[derive(Debug)]
pub struct PresenceUpdate {
    /// The client's id, drawn by itself.
    pub client: u64,
    /// Increases with every state of the client. A removal has the clock of the state it removes.
    pub clock: u32,
    /// JSON; `None` if the client has left.
    pub state: Option<Arc<str>>,
    frames: Frames,
}

impl PresenceUpdate {
    /// Creates a state of a client.
    #[must_use]
    pub fn new(client: u64, clock: u32, state: Option<Arc<str>>) -> Self {
        Self { client, clock, state, frames: Frames::default() }
    }

    /// Returns its frame of the Yjs protocol, which `encode` makes only once.
    pub fn yjs(&self, encode: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.frames.yjs.get_or_init(|| encode(self)).clone()
    }

    /// Returns its frame of the JSON protocol, which `encode` makes only once.
    pub fn json(&self, encode: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.frames.json.get_or_init(|| encode(self)).clone()
    }
}

/// What is true of a document beside its text, for one caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentEvent {
    /// Title.
    pub title: String,
    /// Number of the newest version, 0 if there is none.
    pub head_version: u64,
    /// Whether everyone may read it.
    pub is_public: bool,
    /// The version that the public sees instead of the live text.
    pub published_version: Option<u64>,
    /// When it was moved to the trash.
    pub deleted_at: Option<Timestamp>,
    /// The caller's relation to it.
    pub standing: Standing,
    /// What happened, if it is known and the caller may know it.
    pub news: Option<DocumentNews>,
}

impl DocumentEvent {
    /// Whether both say the same of the document, whatever happened.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let Self {
            title, head_version, is_public, published_version, deleted_at, standing, ..
        } = self;
        (title, head_version, is_public) == (&other.title, &other.head_version, &other.is_public)
            && (published_version, deleted_at, standing)
                == (&other.published_version, &other.deleted_at, &other.standing)
    }
}

/// What happened to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentNews {
    /// A version was committed.
    Committed {
        /// Its number.
        number: u64,
        /// Its author.
        by: Person,
    },
    /// An earlier text was brought back, as a version.
    Restored {
        /// What was brought back.
        what: Restored,
        /// The number of the version.
        number: u64,
        /// Who did it.
        by: Person,
    },
    /// Something else was changed.
    Changed {
        /// Who changed it.
        by: Person,
    },
}

/// Frames that are the same for every connection of a protocol.
#[derive(Debug, Default)]
struct Frames {
    yjs: OnceLock<Bytes>,
    json: OnceLock<Bytes>,
}

/// Bytes that count as used until this is dropped.
#[derive(Debug)]
struct Held {
    used: Arc<AtomicUsize>,
    bytes: AtomicUsize,
}

impl Held {
    fn new(used: &Arc<AtomicUsize>) -> Self {
        Self { used: Arc::clone(used), bytes: AtomicUsize::new(0) }
    }

    fn add(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.used.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}
