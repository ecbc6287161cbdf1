//! Title, description and trash (PRODUCT D6, D7).

use super::{Documents, Editor, Owner, Reader};
use crate::{
    error::{Error, Internal, Result},
    patience::patiently,
    storage::{DetailsChange, StoreError, Topic},
};
use izanagi_shared::{
    id::ActorId,
    rules::Title,
    wire::{DocumentView, PatchDocumentRequest},
};

impl Documents {
    /// Changes details; moves a document to the trash or back.
    ///
    /// # Errors
    /// `Invalid` with every invalid field; `Trashed` if anything but `deleted` is changed while the
    /// document is in the trash.
    pub async fn change(
        &self,
        owner: &Owner,
        request: &PatchDocumentRequest,
    ) -> Result<DocumentView> {
        let change = request.change().map_err(Error::Invalid)?;
        let only_trash =
            DetailsChange { trashed: None, ..change.clone() } == DetailsChange::default();
        if owner.row().deleted_at.is_some() && request.deleted != Some(false) && !only_trash {
            return Err(Error::Trashed);
        }
        self.apply(owner, owner.user().into(), &change).await?;
        patiently(|| self.reread(owner, None)).await
    }

    /// Moves a document to the trash. Idempotent.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn trash(&self, owner: &Owner) -> Result<()> {
        let change = DetailsChange { trashed: Some(true), ..DetailsChange::default() };
        self.apply(owner, owner.user().into(), &change).await
    }

    /// Deletes a document permanently. Only documents in the trash can be deleted.
    ///
    /// # Errors
    /// `NotTrashed`; `CorruptDocument` if that it is in the trash may be damage.
    pub async fn purge(&self, owner: &Owner) -> Result<()> {
        if owner.row().damage.details {
            let what = "the row does not match its checksum";
            return Err(Error::CorruptDocument(Internal::new(what)));
        }
        let purged =
            self.core.stores.relational.catalog.purge(owner.id(), self.core.clock.now()).await;
        self.announce_rights(owner.id(), Some(owner.user().into())).await;
        self.core.wake.up(Topic::Erase);
        purged.map_err(|error| match error {
            StoreError::NotFound => Error::NotTrashed,
            other => other.into(),
        })
    }

    pub(super) async fn rename(&self, editor: &Editor, title: &Title) -> Result<()> {
        let title = Some(title.as_str().to_owned());
        let change = DetailsChange { title, ..DetailsChange::default() };
        self.apply(editor, editor.actor(), &change).await
    }

    async fn apply(&self, reader: &Reader, actor: ActorId, change: &DetailsChange) -> Result<()> {
        let (id, now) = (reader.id(), self.core.clock.now());
        let changed = self.core.stores.relational.catalog.change(id, actor, change, now).await;
        if change.trashed == Some(true) || change.is_public == Some(false) {
            self.announce_rights(id, Some(actor)).await;
        } else {
            self.announce(id, Some(actor));
        }
        changed.map(drop).map_err(|error| match error {
            StoreError::Corrupt(what) => Error::CorruptDocument(Internal::new(what)),
            other => Error::missing("document")(other),
        })
    }
}
