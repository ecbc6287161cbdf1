//! The page's side of live editing: it sends the user's edits and takes those of others, over a
//! socket of the Yjs protocol with acknowledgements, or over HTTP where sockets do not come up.
//!
//! The owner has the replica, the socket, the timer and the storage of the device. It makes edits in
//! the replica, hands their updates to [`SyncEngine::edited`], stores them under their ids, and
//! carries out the effects in their order. An edit is kept until [`Effect::Acknowledged`] names it.
//!
//! A browser hides pings, so a half-open socket is noticed by what is not answered: every 15 s the
//! own presence is renewed, which the server echoes to its sender (as plain y-websocket servers do);
//! without a presence, or without an echo, the presences are queried. An unanswered socket is given
//! up after 35 s.

mod link;
#[cfg(test)]
mod link_tests;
mod sending;
mod status;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use super::{Outbox, Presences, bucket::TokenBucket, yjs::RefusedFrame};
use sending::{Grain, InFlight, MOST_BYTES, Part};
pub use status::Lateness;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// The time, and a random number for what is delayed by chance.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Time since any fixed point.
    pub now: Duration,
    /// From 0 to 1.
    pub jitter: f64,
}

/// What the owner of the engine has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Open a socket at `/ws/yjs/{id}?acks=1&lineage={lineage}`. Its events are reported with this
    /// number.
    Open {
        /// The number.
        socket: u32,
    },
    /// Send a binary message over the socket.
    Send(Vec<u8>),
    /// Close the socket.
    Close,
    /// Apply an update to the replica, and show it.
    Apply(Vec<u8>),
    /// The edits with these ids are durable: delete them from the device.
    Acknowledged(Vec<String>),
    /// The states of these clients have changed; see [`SyncEngine::presences`].
    Presence(Vec<u64>),
    /// JSON of a [`DocumentNotice`](super::DocumentNotice).
    Document(String),
    /// Renew the sign-in, and report the outcome with [`SyncEngine::signed_in`].
    RenewSignIn,
    /// The document has another lineage. Fetch its state, then call [`SyncEngine::rebased`].
    Rebase,
    /// Nothing is sent any more until the user acts, or the document is repaired.
    Stopped(Stop),
    /// The document was damaged, and is repaired: edits are sent again.
    Repaired,
    /// Send and poll over HTTP from now on, or do not any more.
    Http(bool),
}

/// Why nothing is sent any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The sign-in has ended.
    SignedOut,
    /// The user may not edit the document.
    Forbidden,
    /// The document does not exist any more, or is in the trash.
    Gone,
    /// An edit was refused; sending it again does not help.
    Refused {
        /// The code of the problem.
        code: String,
        /// In words, in English.
        message: String,
    },
    /// The document has no room for an edit. What others write still arrives, and
    /// [`SyncEngine::send_deletions_first`] goes on.
    TooLong {
        /// The code of the problem.
        code: String,
        /// In words, in English.
        message: String,
    },
}

/// The code of the problem of a damaged document, which a repair on the server helps against.
const DAMAGED: &str = "corrupt_document";

impl Stop {
    /// The document is damaged. It is tried again, because it may be repaired.
    #[must_use]
    pub fn damaged(message: String) -> Self {
        Self::Refused { code: DAMAGED.to_owned(), message }
    }

    /// Whether the document is damaged.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == DAMAGED)
    }
}

/// The outcome of renewing the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// It is valid again.
    Renewed,
    /// It has ended.
    Ended,
    /// The server could not be reached.
    Unknown,
}

/// Why a request over HTTP failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The server is unreachable or could not store the update.
    Lost,
    /// The server asks the client to wait.
    Later(Duration),
    /// The server refuses it, or nothing is sent any more for another reason.
    Stopped(Stop),
    /// The document has another lineage.
    OtherLineage,
}

/// Where the socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// There is none, and none is planned.
    Idle,
    /// There is none until this time.
    Waiting { until: Duration },
    /// It is being opened.
    Opening { since: Duration },
    /// It is open. Edits are queued until the server's state vector is known.
    Shaking { since: Duration },
    /// Edits are sent as they are made.
    Ready { since: Duration },
}

/// The engine.
#[derive(Debug)]
pub struct SyncEngine {
    lineage: String,
    outbox: Outbox,
    presences: Presences,
    phase: Phase,
    socket: u32,
    /// Sockets lost in a row; determines the delay.
    attempt: u32,
    /// Sockets in a row that did not come up.
    failures: u32,
    is_on_http: bool,
    is_offline: bool,
    /// The sign-in was renewed, and no socket has come up since.
    is_signed_in_again: bool,
    halted: Option<Stop>,
    /// Words for `halted` from the page.
    reason: Option<String>,

    /// What the server had when the socket came up: the next clock of each client.
    known: BTreeMap<u64, u32>,
    /// What it has acknowledged over HTTP since the socket was opened.
    acknowledged: BTreeMap<u64, u32>,
    /// Updates and step 2 sent over this socket.
    frames: u64,
    in_flight: VecDeque<InFlight>,
    parts: VecDeque<Part>,
    grain: Grain,
    /// Updates larger than this are split.
    most_bytes: usize,
    /// How often in a row the server could not read a frame.
    rejections: u32,
    refused: Option<RefusedFrame>,
    bucket: TokenBucket,
    /// When frames were acknowledged last, or the first one was sent.
    progress: Duration,

    /// When the last heartbeat was sent.
    beat: Duration,
    /// When the first message was sent that has not been answered by any.
    probe: Option<Duration>,
    has_queried: bool,
    /// When the browser said that there is no network, unless the server has answered since.
    doubted: Option<Duration>,
    /// Doubles the time that the server has to answer, so many times: after a socket was given up, a
    /// long message may have been on its way.
    patience: u32,
    announced: Duration,
    must_announce: bool,
}

/// Messages a second; the server allows more (PRODUCT C5).
const MESSAGES_PER_SECOND: u32 = 200;
const MESSAGE_BURST: u32 = 1_000;

impl SyncEngine {
    /// An engine for a replica of this lineage. `presence_client` must be random, of 32 bits.
    #[must_use]
    pub fn new(lineage: String, presence_client: u64) -> Self {
        Self {
            lineage,
            outbox: Outbox::default(),
            presences: Presences::new(presence_client),
            phase: Phase::Idle,
            socket: 0,
            attempt: 0,
            failures: 0,
            is_on_http: false,
            is_offline: false,
            is_signed_in_again: false,
            halted: None,
            reason: None,
            known: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            frames: 0,
            in_flight: VecDeque::new(),
            parts: VecDeque::new(),
            grain: Grain::default(),
            most_bytes: MOST_BYTES,
            rejections: 0,
            refused: None,
            bucket: TokenBucket::new(MESSAGES_PER_SECOND, MESSAGE_BURST),
            progress: Duration::ZERO,
            beat: Duration::ZERO,
            probe: None,
            has_queried: false,
            doubted: None,
            patience: 0,
            announced: Duration::ZERO,
            must_announce: false,
        }
    }

    /// The lineage of the replica.
    #[must_use]
    pub fn lineage(&self) -> &str {
        &self.lineage
    }

    /// Queues an edit that an earlier session stored on this device, before [`Self::start`]. The
    /// replica must have it.
    pub fn restored(&mut self, at: Moment, id: String, update: Vec<u8>) {
        self.outbox.push_made(id, update, true, at.now);
    }

    /// Takes an edit that the user made: an update, and an id under which the device stores it.
    pub fn edited(&mut self, at: Moment, id: String, update: Vec<u8>, out: &mut Vec<Effect>) {
        self.outbox.push_made(id, update, false, at.now);
        self.flush(at, out);
    }

    /// Notes that the device has stored an edit. Returns whether it is still needed there.
    pub fn stored(&mut self, id: &str) -> bool {
        self.outbox.stored(id)
    }

    /// The user tries again after [`Effect::Stopped`].
    pub fn retry(&mut self, at: Moment, out: &mut Vec<Effect>) {
        self.halted = None;
        self.reason = None;
        self.grain = Grain::default();
        self.rejections = 0;
        self.attempt = 0;
        self.is_signed_in_again = false;
        if matches!(self.phase, Phase::Idle | Phase::Waiting { .. }) {
            self.open(at, out);
        } else {
            self.flush(at, out);
        }
    }

    /// Sends again after [`Stop::TooLong`], with `deletions` first, because they make room: an update
    /// of all deletions of the replica, and an id for it.
    pub fn send_deletions_first(
        &mut self,
        at: Moment,
        id: String,
        deletions: Vec<u8>,
        out: &mut Vec<Effect>,
    ) {
        if matches!(self.halted, Some(Stop::TooLong { .. })) {
            self.outbox.push_first(id, deletions);
            self.retry(at, out);
        }
    }

    /// Reports the outcome of [`Effect::RenewSignIn`].
    pub fn signed_in(&mut self, at: Moment, outcome: SignIn, out: &mut Vec<Effect>) {
        if self.phase != Phase::Idle {
            // The user has tried again meanwhile.
            return;
        }
        match outcome {
            SignIn::Renewed => {
                self.is_signed_in_again = true;
                self.open(at, out);
            }
            SignIn::Ended => self.stop(Stop::SignedOut, out),
            SignIn::Unknown => self.wait(at),
        }
    }

    /// Moves to another lineage after [`Effect::Rebase`]: forgets all edits and returns their ids. The
    /// owner makes them again as a change of the text, stores them, and then calls [`Self::retry`].
    pub fn rebased(&mut self, lineage: String) -> Vec<String> {
        self.lineage = lineage;
        self.forget_socket();
        self.outbox.clear()
    }

    /// Reports that [`Effect::Rebase`] is impossible.
    pub fn rebase_failed(&mut self, at: Moment, stop: Stop, out: &mut Vec<Effect>) {
        if stop.is_damage() {
            return self.damaged(at, stop, out);
        }
        self.stop(stop, out);
    }

    /// The browser says that there is a network again: tries at once what would be tried later.
    pub fn online(&mut self, at: Moment, out: &mut Vec<Effect>) {
        match self.phase {
            Phase::Waiting { .. } => self.open(at, out),
            Phase::Shaking { .. } | Phase::Ready { .. } => self.query(at, out),
            Phase::Idle | Phase::Opening { .. } => {}
        }
    }

    /// The browser says that there is no network. This may be wrong, so the server is asked, and gets
    /// little time to answer. Until it does, the page says that it is offline.
    pub fn offline(&mut self, at: Moment, out: &mut Vec<Effect>) {
        self.is_offline = true;
        if matches!(self.phase, Phase::Shaking { .. } | Phase::Ready { .. }) {
            self.doubted = Some(at.now);
            self.query(at, out);
        }
    }

    /// The page was frozen: replaces the socket, which is likely to be dead without having said so.
    pub fn thawed(&mut self, at: Moment, out: &mut Vec<Effect>) {
        match self.phase {
            Phase::Waiting { .. } => self.open(at, out),
            Phase::Opening { .. } | Phase::Shaking { .. } | Phase::Ready { .. } => {
                out.push(Effect::Close);
                self.forget_socket();
                self.open(at, out);
            }
            Phase::Idle => {}
        }
    }

    /// The sign-in belongs to another user now, or to none: nothing may be sent in their name.
    pub fn signed_out(&mut self, out: &mut Vec<Effect>) {
        out.push(Effect::Close);
        self.stop(Stop::SignedOut, out);
    }

    /// Changes the state (JSON) that others see of this client; `None` hides it.
    pub fn present(&mut self, at: Moment, state: Option<&str>, out: &mut Vec<Effect>) {
        self.presences.set(state.map(Into::into));
        self.must_announce = true;
        self.announce_if_due(at, out);
    }

    /// Says good-bye to others, when the page is left.
    pub fn leave(&mut self, out: &mut Vec<Effect>) {
        if self.presences.own_state().is_some() {
            self.presences.set(None);
            self.announce(out);
        }
    }

    /// The states of all clients.
    #[must_use]
    pub const fn presences(&self) -> &Presences {
        &self.presences
    }
}
