//! Documents (PRODUCT D): access rights and everything about a document except its versions.
//!
//! Authorisation is expressed by types: [`Documents::for_reader`], [`Documents::for_history`],
//! [`Documents::for_editor`] and [`Documents::for_owner`] return a handle, and every operation on a document requires one.

mod connect;
mod connections;
mod create;
mod details;
mod list;
mod owners;
mod render;
mod sanitise;
mod shared_renderings;
mod text;
mod view;
mod watch;

pub use connect::{LiveConnection, LivePoster};
pub use create::{RequestKey, Upload};
pub use list::ListQuery;
pub(crate) use list::in_range;
pub use render::{Export, FileFormat, file_name};
pub(crate) use text::stale;
pub use text::{IfMatch, LONGEST_OP_ID, Replaced};
pub use view::etag;

use crate::{
    core::Core,
    error::{Error, Result},
    live::Rooms,
    principal::Principal,
    storage::{DocumentRow, StoreError, Viewed},
};
use connections::Connections;
use izanagi_shared::{
    id::{ActorId, DocumentId, UserId},
    permission::{Action, Standing, Verdict, decide},
    wire::Person,
};
use render::RenderCache;
use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

/// The service for documents.
#[derive(Clone)]
pub struct Documents {
    core: Core,
    pub(crate) rooms: Rooms,
    rendered: RenderCache,
    connections: Connections,
    /// Up to where changes are followed, while there are connections.
    cursor: Arc<tokio::sync::Mutex<Option<watch::Cursor>>>,
    /// Set once there is a task that follows changes.
    watching: Arc<OnceLock<()>>,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}

/// The right to read a document's text as it is now.
#[derive(Debug, Clone)]
pub struct Reader {
    row: DocumentRow,
    standing: Standing,
    person: Option<Person>,
}

impl Reader {
    /// The document's row when the right was granted.
    #[must_use]
    pub const fn row(&self) -> &DocumentRow {
        &self.row
    }

    /// The document.
    #[must_use]
    pub const fn id(&self) -> DocumentId {
        self.row.id
    }

    /// The holder's relation to the document.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// The holder's profile when the right was granted, if the holder is a user.
    pub(crate) const fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }
}

/// The right to read a document's versions, too. They may contain what was taken out of the text.
#[derive(Debug, Clone)]
pub struct HistoryReader {
    reader: Reader,
}

impl Deref for HistoryReader {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

/// The right to write a document's text and versions; includes reading.
#[derive(Debug, Clone)]
pub struct Editor {
    reader: HistoryReader,
    user: UserId,
}

impl Editor {
    /// The holder.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// The holder as the actor of its edits and versions.
    #[must_use]
    pub fn actor(&self) -> ActorId {
        self.user.into()
    }
}

impl Deref for Editor {
    type Target = HistoryReader;

    fn deref(&self) -> &HistoryReader {
        &self.reader
    }
}

/// The right to do everything with a document, in the trash or not.
#[derive(Debug, Clone)]
pub struct Owner {
    reader: Reader,
    user: UserId,
    manages_owners: bool,
}

impl Owner {
    /// Checks the scope for changing who owns the document, which an API key may lack.
    fn require_management(&self) -> Result<()> {
        if self.manages_owners {
            Ok(())
        } else {
            Err(Error::ScopeMissing(Action::ManageOwners.scope()))
        }
    }

    /// The holder.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }
}

impl Deref for Owner {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Documents {
    /// Creates the service.
    #[must_use]
    pub fn new(core: Core, rooms: Rooms) -> Self {
        let connections = Connections::new(rooms.settings());
        let (cursor, watching) = (Arc::default(), Arc::default());
        Self { core, rooms, rendered: RenderCache::default(), connections, cursor, watching }
    }

    /// Grants the right to read.
    ///
    /// # Errors
    /// `Unauthenticated` if the caller is anonymous and the document is not public, `NotFound` if
    /// it is hidden from the caller.
    pub async fn for_reader(&self, who: &Principal, id: DocumentId) -> Result<Reader> {
        self.authorise(who, id, Action::Read).await
    }

    /// Grants the right to read versions.
    ///
    /// # Errors
    /// As [`Self::for_reader`], and `Forbidden` if the caller may only read the text. An anonymous
    /// caller gets `Unauthenticated` instead.
    pub async fn for_history(&self, who: &Principal, id: DocumentId) -> Result<HistoryReader> {
        let reader = self.authorise(who, id, Action::ReadHistory).await;
        let reader = reader.map_err(|error| match error {
            Error::Forbidden if who.is_anonymous() => Error::Unauthenticated,
            other => other,
        })?;
        Ok(HistoryReader { reader })
    }

    /// Grants the right to write.
    ///
    /// # Errors
    /// `Unauthenticated`, `NotFound`, `Forbidden`, `ScopeMissing`, `Trashed`.
    pub async fn for_editor(&self, who: &Principal, id: DocumentId) -> Result<Editor> {
        let user = who.require_user()?;
        let reader = self.authorise(who, id, Action::Edit).await?;
        if reader.row.deleted_at.is_some() {
            return Err(Error::Trashed);
        }
        Ok(Editor { reader: HistoryReader { reader }, user })
    }

    /// Grants the right to do everything.
    ///
    /// # Errors
    /// `Unauthenticated`, `NotFound`, `Forbidden`, `ScopeMissing`.
    pub async fn for_owner(&self, who: &Principal, id: DocumentId) -> Result<Owner> {
        let user = who.require_user()?;
        let reader = self.authorise(who, id, Action::ChangeDetails).await?;
        let manages_owners = who.require_scope(Action::ManageOwners.scope()).is_ok();
        Ok(Owner { reader, user, manages_owners })
    }

    async fn authorise(&self, who: &Principal, id: DocumentId, action: Action) -> Result<Reader> {
        // An anonymous caller must not be able to tell a hidden document from a nonexistent one.
        let hidden = || match who.is_anonymous() {
            true => Error::Unauthenticated,
            false => Error::NotFound("document"),
        };
        let found = self.core.stores.relational.catalog.get_for(&who.viewer(id), id).await;
        let Viewed { row, access, person } = found.map_err(|error| match error {
            StoreError::NotFound => hidden(),
            other => other.into(),
        })?;
        let standing = watch::standing(who, access);
        match decide(standing, action) {
            Verdict::Allowed => {}
            Verdict::Forbidden => return Err(Error::Forbidden),
            Verdict::Hidden => return Err(hidden()),
        }
        who.require_scope(action.scope())?;
        Ok(Reader { row, standing, person })
    }
}
