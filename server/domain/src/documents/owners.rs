//! Owners of a document (PRODUCT D3).

use super::{Documents, Owner, Reader};
use crate::{
    error::{Error, Result},
    storage::{Constraint, StoreError},
};
use izanagi_shared::{id::UserId, wire::Person};

impl Documents {
    /// Returns the owners of a document.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn owners(&self, reader: &Reader) -> Result<Vec<Person>> {
        let owners = self.core.stores.relational.owners.list(&[reader.id()]).await?;
        Ok(owners.into_iter().map(|(_, person)| person).collect())
    }

    /// Adds an owner.
    ///
    /// # Errors
    /// `NotFound` if the account does not exist, or is deleted or deactivated; `ScopeMissing`.
    pub async fn add_owner(&self, owner: &Owner, user: UserId) -> Result<()> {
        owner.require_management()?;
        let (by, now) = (owner.user().into(), self.core.clock.now());
        let added = self.core.stores.relational.owners.add(owner.id(), by, user, now).await;
        self.announce(owner.id(), Some(owner.user().into()));
        added.map_err(|error| match error {
            StoreError::Conflict(Constraint::Reference) => Error::NotFound("account"),
            StoreError::NotFound => Error::NotFound("document"),
            other => other.into(),
        })
    }

    /// Removes an owner; owners may remove themselves.
    ///
    /// # Errors
    /// `NotFound` if the account is not an owner, `LastOwner` if it is the only one;
    /// `ScopeMissing`.
    pub async fn remove_owner(&self, owner: &Owner, user: UserId) -> Result<()> {
        owner.require_management()?;
        let removed = self
            .core
            .stores
            .relational
            .owners
            .remove(owner.id(), user, self.core.clock.now())
            .await;
        self.announce_rights(owner.id(), Some(owner.user().into())).await;
        removed.map_err(Error::missing("owner"))
    }
}
