//! The connections of this process to live documents: how many there are, and what each may do.

#![allow(
    clippy::significant_drop_tightening,
    reason = "the lock is held for a whole, short method"
)]

use super::Reader;
use crate::{
    accounts::Network,
    error::{Error, Internal, Result},
    live::{
        Closing, DocumentEvent, DocumentNews, LiveSettings, Permit, PresenceUpdate, Seat, SeatId,
        Seats,
    },
    principal::Principal,
    storage::DocumentRow,
};
use izanagi_shared::{
    id::{ActorId, DocumentId, SessionId, UserId},
    permission::{Action, Standing, Verdict, decide},
};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::Hash,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::Notify;

/// After this long a connection may be free.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// All connections of this process.
#[derive(Clone)]
pub(super) struct Connections(Arc<All>);

struct All {
    state: Mutex<State>,
    of_user: usize,
    of_network: usize,
    /// Notified of the first connection.
    arrived: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    entries: BTreeMap<u64, Entry>,
    of_document: HashMap<DocumentId, BTreeSet<u64>>,
    of_user: HashMap<UserId, usize>,
    of_network: HashMap<Network, usize>,
}

struct Entry {
    who: Principal,
    document: DocumentId,
    from: Network,
    /// `None` while its rights are read and its document is loaded.
    live: Option<Arc<Connection>>,
    /// Whether its rights may have changed meanwhile.
    has_changed: bool,
}

/// A place among the connections, given back when dropped.
pub(super) struct Place {
    all: Connections,
    number: u64,
}

/// A connection, and what it may do as far as this process knows.
pub(super) struct Connection {
    pub(super) who: Principal,
    pub(super) document: DocumentId,
    /// The lineage that its replica belongs to.
    pub(super) lineage: [u8; 16],
    seats: Arc<Seats>,
    seat: SeatId,
    cached: Mutex<Cached>,
    closing: OnceLock<Closing>,
}

/// What is known of a document and of a caller's right to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cached {
    pub(super) event: DocumentEvent,
    may_edit: bool,
}

impl Cached {
    pub(super) fn of(reader: &Reader, who: &Principal) -> Self {
        Self::new(reader.row(), reader.standing(), who, None)
    }

    pub(super) fn new(
        row: &DocumentRow,
        standing: Standing,
        who: &Principal,
        news: Option<DocumentNews>,
    ) -> Self {
        let may_edit = decide(standing, Action::Edit) == Verdict::Allowed
            && who.require_scope(Action::Edit.scope()).is_ok();
        let event = DocumentEvent {
            title: row.details.title.clone(),
            head_version: row.head_version,
            is_public: row.details.is_public,
            published_version: None,
            deleted_at: row.deleted_at,
            standing,
            // Who works on a document does not concern the public.
            news: news.filter(|_| standing > Standing::Public),
        };
        Self { event, may_edit }
    }

    /// Whether the caller sees who else is there. The public does not.
    pub(super) fn sees_others(&self) -> bool {
        self.event.standing > Standing::Public
    }
}

impl Connection {
    pub(super) fn new(
        who: Principal,
        document: DocumentId,
        lineage: [u8; 16],
        cached: Cached,
        seat: &Seat,
    ) -> Self {
        let (seats, seat) = (Arc::clone(seat.seats()), seat.id());
        seats.tell(seat, Arc::new(cached.event.clone()));
        let (cached, closing) = (Mutex::new(cached), OnceLock::new());
        Self { who, document, lineage, seats, seat, cached, closing }
    }

    pub(super) const fn seat(&self) -> SeatId {
        self.seat
    }

    /// The number of the newest version that the connection knows of.
    pub(super) fn head_version(&self) -> u64 {
        self.cached.lock().event.head_version
    }

    /// Takes what is true now; tells the connection if that is new.
    pub(super) fn update(&self, now: Cached) {
        let mut cached = self.cached.lock();
        let is_new = !now.event.agrees_with(&cached.event);
        let event = is_new.then(|| Arc::new(now.event.clone()));
        let (saw_others, sees_others) = (cached.sees_others(), now.sees_others());
        *cached = now;
        if sees_others != saw_others {
            self.seats.show_others(self.seat, sees_others);
        }
        // Under the lock, so that events have the order of the changes.
        if let Some(event) = event {
            self.seats.tell(self.seat, event);
        }
        drop(cached);
    }

    /// Ends the connection.
    pub(super) fn close(&self, why: Closing) {
        if self.closing.set(why).is_ok() {
            self.seats.close_seat(self.seat, why);
        }
    }

    /// Returns the actor of its edits, if the caller may edit.
    pub(super) fn require_editor(&self) -> Result<ActorId> {
        self.require_open()?;
        let cached = self.cached.lock();
        match self.who.actor() {
            Some(_) if cached.event.deleted_at.is_some() => Err(Error::Trashed),
            Some(actor) if cached.may_edit => Ok(actor),
            _ => Err(Error::Forbidden),
        }
    }

    /// Checks that the connection has not ended.
    pub(super) fn require_open(&self) -> Result<()> {
        let gone = |what| Err(Error::Unavailable(Internal::new(what)));
        match self.closing.get() {
            None => Ok(()),
            Some(Closing::SignedOut) => Err(Error::SessionRevoked),
            Some(Closing::Forbidden) => Err(Error::Forbidden),
            Some(Closing::Gone) => Err(Error::NotFound("document")),
            Some(Closing::Trashed) => Err(Error::Trashed),
            Some(Closing::Resync) => Err(Error::OtherLineage),
            Some(Closing::TooSlow | Closing::Overloaded | Closing::GoingAway) => {
                gone("the connection has ended")
            }
        }
    }

    pub(super) fn present(&self, presence: PresenceUpdate) {
        if self.cached.lock().sees_others() {
            self.seats.present(self.seat, presence);
        }
    }
}

impl Permit for Connection {
    fn check(&self) -> Result<()> {
        match self.closing.get() {
            // Edits made before its end count: the client may already believe that they are saved.
            Some(Closing::TooSlow | Closing::Overloaded | Closing::GoingAway) => Ok(()),
            _ => self.require_editor().map(drop),
        }
    }
}

impl Connections {
    pub(super) fn new(settings: &LiveSettings) -> Self {
        let (of_user, of_network) = (settings.seats_per_user, settings.seats_per_address);
        let (state, arrived) = (Mutex::default(), Notify::new());
        Self(Arc::new(All { state, of_user, of_network, arrived }))
    }

    /// Admits a connection of a caller.
    ///
    /// # Errors
    /// `RateLimited` if the user or the network has too many.
    pub(super) fn admit(
        &self,
        who: &Principal,
        document: DocumentId,
        from: Network,
    ) -> Result<Place> {
        let mut state = self.0.state.lock();
        let State { of_user, of_network, .. } = &mut *state;
        let user = who.user();
        let is_full = user.is_some_and(|user| count(of_user, &user) >= self.0.of_user)
            || from != Network::None && count(of_network, &from) >= self.0.of_network;
        if is_full {
            return Err(Error::RateLimited(RETRY_AFTER));
        }
        user.into_iter().for_each(|user| *of_user.entry(user).or_default() += 1);
        *of_network.entry(from).or_default() += 1;
        state.next += 1;
        let number = state.next;
        let entry = Entry { who: who.clone(), document, from, live: None, has_changed: false };
        state.entries.insert(number, entry);
        state.of_document.entry(document).or_default().insert(number);
        drop(state);
        self.0.arrived.notify_one();
        Ok(Place { all: self.clone(), number })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.state.lock().entries.is_empty()
    }

    /// The number of connections.
    pub(super) fn len(&self) -> usize {
        self.0.state.lock().entries.len()
    }

    /// Waits until there are connections.
    pub(super) async fn arrived(&self) {
        while self.is_empty() {
            self.0.arrived.notified().await;
        }
    }

    /// Whether a document has connections.
    pub(super) fn has(&self, document: DocumentId) -> bool {
        self.0.state.lock().of_document.contains_key(&document)
    }

    /// Returns the connections to a document.
    pub(super) fn of_document(&self, document: DocumentId) -> Vec<Arc<Connection>> {
        let mut state = self.0.state.lock();
        let State { entries, of_document, .. } = &mut *state;
        let numbers = of_document.get(&document).into_iter().flatten();
        numbers.filter_map(|number| entries.get_mut(number)?.changed()).collect()
    }

    /// Returns the connections of sessions, and those of users.
    pub(super) fn of_accounts(
        &self,
        sessions: &HashSet<SessionId>,
        users: &HashSet<UserId>,
    ) -> (Vec<Arc<Connection>>, Vec<Arc<Connection>>) {
        let (mut by_session, mut by_user) = (Vec::new(), Vec::new());
        if sessions.is_empty() && users.is_empty() {
            return (by_session, by_user);
        }
        for entry in self.0.state.lock().entries.values_mut() {
            if entry.who.session().is_some_and(|session| sessions.contains(&session)) {
                by_session.extend(entry.changed());
            } else if entry.who.user().is_some_and(|user| users.contains(&user)) {
                by_user.extend(entry.changed());
            }
        }
        (by_session, by_user)
    }
}

impl Entry {
    fn changed(&mut self) -> Option<Arc<Connection>> {
        self.has_changed |= self.live.is_none();
        self.live.clone()
    }
}

impl Place {
    /// Notes the connection of this place; returns whether its rights may have changed since it was
    /// admitted.
    pub(super) fn connect(&self, connection: &Arc<Connection>) -> bool {
        let mut state = self.all.0.state.lock();
        let entry = state.entries.get_mut(&self.number);
        entry.is_some_and(|entry| {
            entry.live = Some(Arc::clone(connection));
            entry.has_changed
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.all.0.state.lock();
        let Some(Entry { who, document, from, .. }) = state.entries.remove(&self.number) else {
            return;
        };
        if let Some(numbers) = state.of_document.get_mut(&document) {
            numbers.remove(&self.number);
            if numbers.is_empty() {
                state.of_document.remove(&document);
            }
        }
        who.user().into_iter().for_each(|user| release(&mut state.of_user, &user));
        release(&mut state.of_network, &from);
    }
}

fn count<K: Hash + Eq>(counts: &HashMap<K, usize>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or_default()
}

fn release<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
