//! Documents (PRODUCT D): who may touch one, and everything about it but its versions.
//!
//! Authorisation is a value one must hold: [`Documents::for_reader`], [`Documents::for_editor`]
//! and [`Documents::for_owner`] give a handle, and whatever touches a document takes one.

mod create;
mod details;
mod list;
mod owners;
mod render;
mod sanitise;
mod text;
mod view;

pub use create::{RequestKey, Upload};
pub use list::ListQuery;
pub(crate) use list::in_range;
pub use render::{Export, ExportFormat};
pub(crate) use text::stale;
pub use text::{IfMatch, LONGEST_OP_ID, Replaced};
pub use view::etag;

use crate::{
    accounts::Caller,
    core::Core,
    error::{Error, Result},
    live::Rooms,
    storage::DocumentRow,
};
use izanagi_shared::{
    id::{DocumentId, UserId},
    permission::{Action, Standing, Verdict, decide},
};
use render::RenderCache;
use std::ops::Deref;

/// The service for documents.
#[derive(Clone)]
pub struct Documents {
    core: Core,
    pub(crate) rooms: Rooms,
    rendered: RenderCache,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}

/// The right to read a document.
#[derive(Debug, Clone)]
pub struct Reader {
    row: DocumentRow,
    standing: Standing,
}

impl Reader {
    /// The document's row as it was when the right was given.
    #[must_use]
    pub const fn row(&self) -> &DocumentRow {
        &self.row
    }

    /// The document.
    #[must_use]
    pub const fn id(&self) -> DocumentId {
        self.row.id
    }

    /// How the holder stands to it.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }
}

/// The right to write a document's text and versions; includes reading.
#[derive(Debug, Clone)]
pub struct Editor {
    reader: Reader,
    user: UserId,
}

impl Editor {
    /// Who holds it.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }
}

impl Deref for Editor {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

/// The right to do everything with a document; in trash or not.
#[derive(Debug, Clone)]
pub struct Owner {
    reader: Reader,
    user: UserId,
}

impl Owner {
    /// Who holds it.
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
    /// The service over these stores and rooms.
    #[must_use]
    pub fn new(core: Core, rooms: Rooms) -> Self {
        Self { core, rooms, rendered: RenderCache::default() }
    }

    /// The right to read, for a caller or for anybody.
    ///
    /// # Errors
    /// `Unauthenticated` for nobody and a document that is not public, `NotFound` otherwise.
    pub async fn for_reader(&self, who: Option<&Caller>, id: DocumentId) -> Result<Reader> {
        self.reader(who, id, Action::Read).await
    }

    /// The right to write.
    ///
    /// # Errors
    /// `Unauthenticated`, `NotFound`, `Forbidden`, `Trashed`.
    pub async fn for_editor(&self, who: Option<&Caller>, id: DocumentId) -> Result<Editor> {
        let who = who.ok_or(Error::Unauthenticated)?;
        let reader = self.reader(Some(who), id, Action::Edit).await?;
        if reader.row.deleted_at.is_some() {
            return Err(Error::Trashed);
        }
        Ok(Editor { reader, user: who.user })
    }

    /// The right to do everything.
    ///
    /// # Errors
    /// `Unauthenticated`, `NotFound`, `Forbidden`.
    pub async fn for_owner(&self, who: Option<&Caller>, id: DocumentId) -> Result<Owner> {
        let who = who.ok_or(Error::Unauthenticated)?;
        let reader = self.reader(Some(who), id, Action::ManageOwners).await?;
        Ok(Owner { reader, user: who.user })
    }

    async fn reader(&self, who: Option<&Caller>, id: DocumentId, action: Action) -> Result<Reader> {
        let user = who.map(|caller| caller.user);
        // To somebody who is not signed in, a hidden document and none at all look the same.
        let hidden = || user.map_or(Error::Unauthenticated, |_| Error::NotFound("document"));
        let found = self.core.stores.catalog.get_for(user, id).await;
        let (row, standing) = found.map_err(|error| match error {
            crate::storage::StoreError::NotFound => hidden(),
            other => other.into(),
        })?;
        // What lies in trash is gone for everybody but its owners.
        let standing = if row.deleted_at.is_some() && standing < Standing::Owner {
            Standing::Stranger
        } else {
            standing
        };
        match decide(standing, action) {
            Verdict::Allowed => Ok(Reader { row, standing }),
            Verdict::Forbidden => Err(Error::Forbidden),
            Verdict::Hidden => Err(hidden()),
        }
    }
}
