//! Connections to live documents (DESIGN §6, PRODUCT C1–C6).

use super::{
    Documents,
    connections::{Cached, Connection, Place},
    text::{READ_FACTOR, check_op_id, clients_in, require_no_former},
};
use crate::{
    accounts::Network,
    budget::{Caller, Reservation},
    core::Core,
    error::{Error, Result},
    live::{
        ClientUpdate, Closing, Joined, Missing, PostedUpdate, PresenceUpdate, Seat, SeatEvent,
        SeatedRoom, Sitter, random_client_id,
    },
    principal::Principal,
};
use izanagi_shared::id::DocumentId;
use std::{fmt, sync::Arc};

/// Longest message of a caller who may not edit.
const MOST_OF_READER: usize = 1024 * 1024;

/// One caller's connection to a live document. It leaves the room when it is dropped.
pub struct LiveConnection {
    seat: Seat,
    poster: LivePoster,
    /// Its place among all connections.
    _place: Place,
}

/// The way from a connection to its document. It works as long as the connection exists.
#[derive(Clone)]
pub struct LivePoster(Arc<Way>);

struct Way {
    connection: Arc<Connection>,
    room: SeatedRoom,
    core: Core,
    /// Estimated memory of the whole document in an answer.
    answer_bytes: usize,
    presence_bytes: usize,
    lineage: [u8; 16],
    /// Whether the document had others before.
    has_former: bool,
    display_name: Option<String>,
    presence_client: u64,
    caller: Caller,
}

impl Documents {
    /// Connects a caller to a document: to read it and, as long as the caller may edit it, to post.
    /// `from` is the caller's network, for the limit of connections. The first event says what is true
    /// of the document beside its text.
    ///
    /// # Errors
    /// As [`Self::for_reader`]; `Trashed`; `SessionRevoked` if the session has ended; `RateLimited` if the user or
    /// the network has too many connections; `Overloaded` if the document has, or if the rooms exceed
    /// their budget; `CorruptDocument` or `Unavailable` if the document cannot be loaded.
    pub async fn connect(
        &self,
        who: &Principal,
        id: DocumentId,
        from: Network,
    ) -> Result<LiveConnection> {
        // From here on changes are noticed. What changes before is in what is read below.
        let place = self.connections.admit(who, id, from)?;
        self.follow_changes().await?;
        self.check_account(who).await?;
        let reader = self.for_reader(who, id).await?;
        if reader.row().deleted_at.is_some() {
            return Err(Error::Trashed);
        }
        let cached = Cached::of(&reader, who);
        if !reader.row().damage.live {
            self.rooms.saw(id, reader.row().live_seq);
        }
        let sitter = Sitter { actor: who.actor(), sees_others: cached.sees_others() };
        let mut joined = self.rooms.join(id, sitter).await?;
        if joined.lineage != reader.row().lineage {
            // A repair has started the document anew, and the room had loaded it before.
            self.rooms.expect_lineage(id, reader.row().lineage).await;
            joined = self.rooms.join(id, sitter).await?;
        }
        let Joined { seat, room, lineage } = joined;
        let connection = Arc::new(Connection::new(who.clone(), id, lineage, cached, &seat));
        if place.connect(&connection) {
            self.recheck_all(std::slice::from_ref(&connection)).await;
        }
        let length = usize::try_from(reader.row().text.length).unwrap_or(usize::MAX);
        let poster = LivePoster(Arc::new(Way {
            connection,
            room,
            core: self.core.clone(),
            answer_bytes: length.saturating_mul(READ_FACTOR),
            presence_bytes: self.rooms.settings().presence_bytes,
            lineage,
            has_former: reader.row().lineage_seq > 0 || lineage != reader.row().lineage,
            display_name: reader.person().map(|person| person.display_name.clone()),
            presence_client: random_client_id(&*self.core.ids),
            caller: who.user().map_or(Caller::Network(from), Caller::User),
        }));
        Ok(LiveConnection { seat, poster, _place: place })
    }
}

impl LiveConnection {
    /// Returns the way to the document.
    #[must_use]
    pub fn poster(&self) -> LivePoster {
        self.poster.clone()
    }

    /// The lineage to which the document's updates belong.
    #[must_use]
    pub fn lineage(&self) -> [u8; 16] {
        self.poster.0.lineage
    }

    /// The name of the caller, if it is a user.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.poster.0.display_name.as_deref()
    }

    /// A random client id, under which a client without one of its own can be present.
    #[must_use]
    pub fn presence_client(&self) -> u64 {
        self.poster.0.presence_client
    }

    /// Waits for at least one event, then moves all that are queued into `into`. Nothing is lost if the
    /// call is cancelled. After [`SeatEvent::Closed`], drop the connection.
    pub async fn events(&mut self, into: &mut Vec<SeatEvent>) {
        self.seat.events(into).await;
    }
}

impl Drop for LiveConnection {
    fn drop(&mut self) {
        self.poster.0.connection.close(Closing::GoingAway);
    }
}

impl LivePoster {
    /// Puts an update in the queue of the document; the order is that of the calls. Waits while the
    /// queue is full. Without an `op_id` of the client's it gets a new one. The receipt comes later.
    ///
    /// # Errors
    /// `Invalid` for an invalid op id; `Forbidden`, `Trashed`, `SessionRevoked`, `NotFound` if the caller
    /// may not edit, as far as this process knows; `Unavailable` if the room has closed. What the room
    /// answers comes with the receipt: `BadUpdate`, `TooLarge`, `OtherLineage`, `Unavailable` …
    pub async fn post(&self, op_id: Option<String>, delta: Vec<u8>) -> Result<PostedUpdate> {
        let Way { connection, room, core, .. } = &*self.0;
        // Clients of the Yjs protocol, which have no such ids, repeat deletions when they connect.
        let may_repeat = op_id.is_none();
        let op_id = match op_id {
            Some(op_id) => {
                check_op_id(&op_id)?;
                op_id
            }
            None => core.ids.uuid().to_string(),
        };
        let actor = connection.require_editor()?;
        let from = (connection.seat(), Arc::clone(connection) as _);
        room.post(from, ClientUpdate { actor, op_id, delta }, may_repeat).await
    }

    /// Completes the cursor in a presence state (JSON), so that clients of both protocols can place it:
    /// `from` and `to` count UTF-16 units, `anchor` and `head` are relative positions.
    ///
    /// # Errors
    /// As [`Self::missing`].
    pub async fn complete_cursor(&self, state: Arc<str>) -> Result<Arc<str>> {
        self.0.connection.require_open()?;
        self.0.room.complete_cursor(state).await
    }

    /// Returns what a replica with this state vector (v1) lacks.
    ///
    /// # Errors
    /// `BadUpdate` if the bytes are not a state vector; `OtherLineage` if the replica has edits of a
    /// former lineage, or the document has another one by now; as [`Self::post`] if the right to read
    /// has ended; `Overloaded`, `Unavailable`.
    pub async fn missing(&self, state_vector: Vec<u8>) -> Result<Missing> {
        let Way { connection, room, core, lineage, has_former, .. } = &*self.0;
        connection.require_open()?;
        if *has_former {
            require_no_former(core, connection.document, &clients_in(&state_vector)).await?;
        }
        let _reserved = core.budget.work(self.0.answer_bytes).await?;
        let missing = room.missing(state_vector).await?;
        if missing.lineage != *lineage {
            return Err(Error::OtherLineage);
        }
        Ok(missing)
    }

    /// Presents a state of a presence client. Does not wait. What is older than what is known, or of a
    /// client that another connection presents, is ignored, as is the presence of the public.
    ///
    /// # Errors
    /// `TooLarge`.
    pub fn present(&self, presence: PresenceUpdate) -> Result<()> {
        let length = presence.state.as_ref().map_or(0, |state| state.len());
        let most = self.0.presence_bytes;
        if length > most {
            let message =
                format!("A presence can have at most {most} bytes; this one has {length}.");
            return Err(Error::TooLarge(message));
        }
        self.0.connection.present(presence);
        Ok(())
    }

    /// Reserves memory for a long message of the caller. One who may not edit has little to say: clients
    /// of y-websocket repeat what they know of deletions.
    ///
    /// # Errors
    /// As [`Self::require_editor`] if the message is longer than a reader's may be; `Overloaded`.
    pub async fn receive(&self, bytes: usize) -> Result<Reservation> {
        if bytes > MOST_OF_READER {
            self.require_editor()?;
        }
        self.0.core.budget.receive(self.0.caller, bytes).await
    }

    /// Reserves memory for the whole document until it has been sent to the caller.
    ///
    /// # Errors
    /// `Overloaded`.
    pub async fn send(&self) -> Result<Reservation> {
        self.0.core.budget.send(self.0.caller, self.0.answer_bytes).await
    }

    /// Checks that the caller may edit, as far as this process knows.
    ///
    /// # Errors
    /// `Forbidden`, `Trashed`, `SessionRevoked`, `NotFound`, `OtherLineage`; `Unavailable` if the
    /// connection has ended for another reason.
    pub fn require_editor(&self) -> Result<()> {
        self.0.connection.require_editor().map(drop)
    }
}

impl fmt::Debug for LiveConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveConnection").field(&self.poster).finish()
    }
}

impl fmt::Debug for LivePoster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LivePoster").field(&self.0.connection.document).finish()
    }
}
