//! Several owners a document (PRODUCT D3).

use super::{Documents, Owner, Reader};
use crate::{
    error::{Error, Result},
    storage::{Constraint, StoreError},
};
use izanagi_shared::{id::UserId, wire::Person};

impl Documents {
    /// Everybody who owns it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn owners(&self, reader: &Reader) -> Result<Vec<Person>> {
        let owners = self.core.stores.owners.list(&[reader.id()]).await?;
        Ok(owners.into_iter().map(|(_, person)| person).collect())
    }

    /// Makes somebody an owner too.
    ///
    /// # Errors
    /// `NotFound` when there is no such account.
    pub async fn add_owner(&self, owner: &Owner, user: UserId) -> Result<()> {
        // Who has left is no more than who never came.
        self.core.stores.users.by_id(user).await.map_err(Error::missing("account"))?;
        let added = self.core.stores.owners.add(owner.id(), user, self.core.clock.now()).await;
        added.map_err(|error| match error {
            StoreError::Conflict(Constraint::Reference) => Error::NotFound("account"),
            StoreError::NotFound => Error::NotFound("document"),
            other => other.into(),
        })
    }

    /// Takes ownership away, from oneself too.
    ///
    /// # Errors
    /// `NotFound` when they own it not, `LastOwner` when nobody else does.
    pub async fn remove_owner(&self, owner: &Owner, user: UserId) -> Result<()> {
        let removed = self.core.stores.owners.remove(owner.id(), user, self.core.clock.now()).await;
        removed.map_err(Error::missing("owner"))
    }
}
