//! The caller's own account.

use super::{Accounts, Caller, view};
use crate::{
    error::{Error, Result},
    storage::{AuditEvent, BusEvent, StoreError, UserChange},
};
use izanagi_shared::{
    rules::{Description, DisplayName, FieldErrors},
    wire::{UpdateMeRequest, UserView},
};

impl Accounts {
    /// Returns the caller's account.
    ///
    /// # Errors
    /// `Unauthenticated` if the account no longer exists.
    pub async fn me(&self, caller: &Caller) -> Result<UserView> {
        let user = self.core.stores.relational.users.by_id(caller.user).await;
        Ok(view(&user.map_err(gone)?))
    }

    /// Deletes the caller's account. Co-owned documents stay with their other owners, the others
    /// move to the trash, and every session ends. Runs to completion even if the caller is dropped;
    /// idempotent.
    ///
    /// # Errors
    /// The store failed.
    pub async fn delete_me(&self, caller: &Caller) -> Result<()> {
        let (this, user) = (self.clone(), caller.user);
        let deleting = async move {
            let now = this.core.clock.now();
            let event = AuditEvent {
                action: "user_deleted",
                actor: Some(user.into()),
                subject: user.to_string(),
                ip: String::new(),
                at: now,
            };
            this.core.stores.relational.users.delete(user, &event).await?;
            this.core.stores.bus.publish(BusEvent::UserChanged(user));
            this.sign_out_everywhere(user).await
        };
        self.core.run_to_end(deleting).await
    }

    /// Changes the caller's profile.
    ///
    /// # Errors
    /// `Invalid` with the invalid fields; `Unauthenticated` if the account no longer exists.
    pub async fn update_me(&self, caller: &Caller, request: &UpdateMeRequest) -> Result<UserView> {
        let mut errors = FieldErrors::default();
        let shown =
            request.display_name.as_deref().map(|text| errors.take(DisplayName::parse(text)));
        let bio = request.bio.as_deref().map(|text| {
            // A bio has the same rule as a description, under its own field name.
            errors.take(Description::parse(text).map_err(|mut error| {
                "bio".clone_into(&mut error.field);
                error
            }))
        });
        let errors = errors.into_vec();
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        let change = UserChange {
            display_name: shown.flatten().map(|name| name.as_str().to_owned()),
            bio: bio.flatten().map(|bio| bio.as_str().to_owned()),
            ..UserChange::default()
        };
        let user = self.core.stores.relational.users.update(caller.user, &change, None).await;
        Ok(view(&user.map_err(gone)?))
    }
}

/// The account may be deleted while its token is still valid.
fn gone(error: StoreError) -> Error {
    match error {
        StoreError::NotFound => Error::Unauthenticated,
        other => other.into(),
    }
}
