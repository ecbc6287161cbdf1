//! Rights of open connections: they are cached with the connection, and read again when something about
//! them may have changed (DESIGN §1). The bus tells of changes at once. It may lose some, and other
//! processes may not be on it, so one task asks the database once a second what has changed.

use super::{
    Documents,
    connections::{Cached, Connection},
};
use crate::{
    contained::contained,
    error::{Error, Result},
    live::{Closing, DocumentNews},
    log_rate::LogRate,
    principal::{Principal, Viewer},
    storage::{
        BusEvent, BusTopic, ChangeEntry, ChangeKind, Freshness, StoreError, StoreResult, Viewed,
    },
};
use izanagi_shared::{
    id::{ActorId, DocumentId, SessionId, UserId},
    permission::{Access, Action, Standing, Verdict, decide},
};
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{
    sync::broadcast::{
        self,
        error::{RecvError, TryRecvError},
    },
    time::{Instant, sleep_until},
};

/// The database is asked this often: with the time that it takes, rights end within a second.
const LOOK_EVERY: Duration = Duration::from_millis(900);
/// Changes that are read at once.
const PAGE: u32 = 500;

/// Messages about rights that could not be read.
static UNREAD: LazyLock<LogRate> = LazyLock::new(LogRate::default);

/// Up to where changes have been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    documents: u64,
    accounts: u64,
    /// How often it has moved, or could have.
    looks: u32,
}

/// So many looks, the cursor is compared with the newest numbers.
const COMPARE_EVERY: u32 = 10;

/// What may have changed.
#[derive(Debug, Default)]
struct Changed {
    /// With who did it, if that is known.
    documents: HashMap<DocumentId, Option<ActorId>>,
    sessions: HashSet<SessionId>,
    users: HashSet<UserId>,
    /// The bus has lost something.
    look_now: bool,
}

impl Changed {
    fn add(&mut self, event: &BusEvent) {
        match *event {
            BusEvent::DocumentChanged { document, by } => self.add_document(document, by),
            BusEvent::SessionEnded(session) => {
                self.sessions.insert(session);
            }
            BusEvent::UserChanged(user) => {
                self.users.insert(user);
            }
            BusEvent::Lagged => self.look_now = true,
            // Those of the other topic.
            BusEvent::DocumentEdited { .. }
            | BusEvent::Presence(_)
            | BusEvent::PresenceWanted { .. } => {}
        }
    }

    fn add_document(&mut self, document: DocumentId, by: Option<ActorId>) {
        let known = self.documents.entry(document).or_default();
        *known = by.or(*known);
    }
}

impl Documents {
    /// As [`Self::announce`], after a right to the document may have ended: when this returns, no
    /// connection of this process can use it any more.
    pub(super) async fn announce_rights(&self, document: DocumentId, by: Option<ActorId>) {
        let connections = self.connections.of_document(document);
        if let Err(error) = self.recheck(document, &connections, by).await {
            unread(&error);
        }
        self.announce(document, by);
    }

    /// Tells every connection to a document, in all processes, that it has changed.
    pub(crate) fn announce(&self, document: DocumentId, by: Option<ActorId>) {
        self.core.stores.bus.publish(BusEvent::DocumentChanged { document, by });
    }

    /// Returns the number of connections to live documents.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Makes sure that changes are followed. All that happen after it returns are noticed.
    pub(super) async fn follow_changes(&self) -> Result<()> {
        let mut cursor = self.cursor.lock().await;
        if cursor.is_some() {
            return Ok(());
        }
        let relational = &self.core.stores.relational;
        let documents = relational.changes.newest().await?;
        let accounts = relational.users.newest_change().await?;
        *cursor = Some(Cursor { documents, accounts, looks: 0 });
        drop(cursor);
        self.watching.get_or_init(|| {
            let (this, events) = (self.clone(), self.core.stores.bus.subscribe(BusTopic::Rights));
            self.core.tasks.spawn(this.watch(events));
        });
        Ok(())
    }

    async fn watch(self, mut events: broadcast::Receiver<BusEvent>) {
        let stop = self.core.stop.clone();
        let (mut changed, mut look_at) = (Changed::default(), Instant::now() + LOOK_EVERY);
        let mut is_on_bus = true;
        loop {
            if self.rests().await {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.connections.arrived() => {}
                }
                changed = Changed::default();
                look_at = Instant::now() + LOOK_EVERY;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                event = events.recv(), if is_on_bus => match event {
                    Ok(event) => changed.add(&event),
                    Err(RecvError::Lagged(_)) => changed.look_now = true,
                    Err(RecvError::Closed) => is_on_bus = false,
                },
                () = sleep_until(look_at) => changed.look_now = true,
            }
            // Several changes of a document are read together.
            loop {
                match events.try_recv() {
                    Ok(event) => changed.add(&event),
                    Err(TryRecvError::Lagged(_)) => changed.look_now = true,
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            if std::mem::take(&mut changed.look_now) {
                look_at = Instant::now() + LOOK_EVERY;
                let looked = async { self.look(&mut changed).await.map_err(Error::from) };
                if let Err(error) = contained(looked).await {
                    unread(&error);
                }
            }
            // This task must go on, whatever happens to one of them: rights would never end.
            match contained(async { Ok(self.act(&changed).await) }).await {
                Ok(again) => changed = again,
                Err(error) => unread(&error),
            }
        }
    }

    /// Stops following changes while there are no connections; returns whether that is so.
    async fn rests(&self) -> bool {
        let mut cursor = self.cursor.lock().await;
        let rests = self.connections.is_empty();
        if rests {
            *cursor = None;
        }
        rests
    }

    /// Asks the database what has changed since the last time.
    #[expect(clippy::significant_drop_tightening, reason = "the cursor is held while it moves")]
    async fn look(&self, changed: &mut Changed) -> StoreResult<()> {
        let relational = &self.core.stores.relational;
        let mut cursor = self.cursor.lock().await;
        let Some(cursor) = cursor.as_mut() else { return Ok(()) };
        cursor.looks = cursor.looks.wrapping_add(1);
        if cursor.looks.is_multiple_of(COMPARE_EVERY) {
            // After a backup was restored, or a replica has taken over, numbers may have gone back.
            cursor.accounts = cursor.accounts.min(relational.users.newest_change().await?);
            cursor.documents = cursor.documents.min(relational.changes.newest().await?);
        }
        // First, because there are few, and an account that was closed must wait for nothing.
        loop {
            let page = relational.users.changed_since(cursor.accounts, PAGE).await?;
            for (number, user) in &page {
                cursor.accounts = *number;
                changed.users.insert(*user);
            }
            if page.len() < PAGE as usize {
                break;
            }
        }
        loop {
            let page = relational.changes.since(cursor.documents, PAGE).await?.changes;
            for change in &page {
                cursor.documents = change.seq;
                // The text is told by the room.
                let concerns = change.entry != ChangeEntry::Changed(ChangeKind::Content);
                if concerns && self.connections.has(change.document_id) {
                    changed.add_document(change.document_id, None);
                }
            }
            if page.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    /// Acts on what has changed; returns what has to be tried again.
    async fn act(&self, changed: &Changed) -> Changed {
        let Changed { documents, sessions, users, .. } = changed;
        let (mut documents, mut again) = (documents.clone(), Changed::default());
        let (ended, of_users) = self.connections.of_accounts(sessions, users);
        // A session that has ended never comes back.
        ended.iter().for_each(|connection| connection.close(Closing::SignedOut));
        // The connections of a device share its session.
        let mut known: HashMap<_, Result<bool>> = HashMap::new();
        for connection in of_users {
            let account = (connection.who.user(), connection.who.session());
            let is_active = match known.entry(account) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    unknown.insert(match self.check_account(&connection.who).await {
                        Ok(()) => Ok(true),
                        Err(Error::SessionRevoked) => Ok(false),
                        Err(error) => Err(error),
                    })
                }
            };
            match is_active {
                Ok(true) => {
                    documents.entry(connection.document).or_default();
                }
                Ok(false) => connection.close(Closing::SignedOut),
                Err(error) => {
                    unread(error);
                    again.users.extend(connection.who.user());
                }
            }
        }
        for (document, by) in documents {
            let connections = self.connections.of_document(document);
            if let Err(error) = self.recheck(document, &connections, by).await {
                unread(&error);
                again.add_document(document, by);
            }
        }
        again
    }

    /// Reads everything again that the rights of new connections depend on. If that fails, the cached
    /// rights stay until something changes.
    pub(super) async fn recheck_all(&self, connections: &[Arc<Connection>]) {
        for connection in connections {
            let checked = match self.check_account(&connection.who).await {
                Ok(()) => {
                    let this = std::slice::from_ref(connection);
                    self.recheck(connection.document, this, None).await
                }
                Err(Error::SessionRevoked) => {
                    connection.close(Closing::SignedOut);
                    Ok(())
                }
                Err(error) => Err(error),
            };
            if let Err(error) = checked {
                unread(&error);
                // Rather none than one that should have ended.
                connection.close(Closing::Overloaded);
            }
        }
    }

    /// Checks that the account behind a caller exists, and that its session has not ended.
    ///
    /// # Errors
    /// `SessionRevoked`; those of the store.
    pub(super) async fn check_account(&self, who: &Principal) -> Result<()> {
        let stores = &self.core.stores;
        if let Some(session) = who.session()
            && stores.revocations.is_revoked(session).await?
        {
            return Err(Error::SessionRevoked);
        }
        // Revocations may be a copy that lags behind.
        if let Some(session) = who.session() {
            match stores.relational.sessions.get(session).await {
                Ok(session) if session.revoked_at.is_some() => return Err(Error::SessionRevoked),
                Ok(_) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let (Principal::Session(_) | Principal::ApiKey(_), Some(user)) = (who, who.user()) else {
            return Ok(());
        };
        match stores.relational.users.by_id(user).await {
            Ok(user) if user.deactivated_at.is_none() => Ok(()),
            Ok(_) | Err(StoreError::NotFound) => Err(Error::SessionRevoked),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a document and the rights of its connections again, with one query for each caller; tells
    /// them, or ends those that may no longer read it.
    async fn recheck(
        &self,
        document: DocumentId,
        connections: &[Arc<Connection>],
        by: Option<ActorId>,
    ) -> Result<()> {
        let catalog = &self.core.stores.relational.catalog;
        let mut known: HashMap<Viewer, Option<Viewed>> = HashMap::new();
        let mut news = None;
        for connection in connections {
            let viewer = connection.who.viewer(document);
            let viewed = match known.entry(viewer) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    unknown.insert(match catalog.get_for(&viewer, document).await {
                        Ok(viewed) => Some(viewed),
                        Err(StoreError::NotFound) => None,
                        Err(error) => return Err(error.into()),
                    })
                }
            };
            let Some(Viewed { row, access, .. }) = viewed else {
                connection.close(Closing::Gone);
                continue;
            };
            let standing = standing(&connection.who, *access);
            if row.lineage != connection.lineage {
                self.rooms.expect_lineage(document, row.lineage).await;
                connection.close(Closing::Resync);
            } else if decide(standing, Action::Read) != Verdict::Allowed {
                let is_gone = row.deleted_at.is_some();
                connection.close(if is_gone { Closing::Trashed } else { Closing::Forbidden });
            } else {
                let before = connection.head_version();
                if news.is_none() {
                    news = self.news(document, before, row.head_version, by).await;
                }
                connection.update(Cached::new(row, standing, &connection.who, news.clone()));
                if row.deleted_at.is_some() {
                    connection.close(Closing::Trashed);
                }
            }
        }
        Ok(())
    }

    /// Returns what has happened to a document, as far as it is known. It is told anyway.
    async fn news(
        &self,
        document: DocumentId,
        before: u64,
        head: u64,
        by: Option<ActorId>,
    ) -> Option<DocumentNews> {
        let relational = &self.core.stores.relational;
        if head > before {
            let version = relational.versions.get(Freshness::Fresh, document, head).await.ok()?;
            let (number, by) = (head, version.author);
            return Some(match version.restored {
                Some(what) => DocumentNews::Restored { what, number, by },
                None => DocumentNews::Committed { number, by },
            });
        }
        let people = relational.users.people(&[UserId(by?.0)]).await.ok()?;
        people.into_iter().next().map(|by| DocumentNews::Changed { by })
    }
}

/// Returns a caller's standing to a document that gives this access. A right to every document, like a
/// role in the workspace, ends at the trash.
pub(super) fn standing(who: &Principal, access: Access) -> Standing {
    let own = Some(who.own_standing());
    Access { workspace: access.workspace.max(own), ..access }.standing()
}

fn unread(error: &Error) {
    if let Some(omitted) = UNREAD.admit() {
        tracing::warn!(?error, omitted, "rights of open connections could not be read again");
    }
}
