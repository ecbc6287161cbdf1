//! Account administration by the host, through commands.

use super::{Accounts, Role, view};
use crate::{
    error::{Error, Result},
    storage::{AuditEvent, BusEvent, User, UserChange},
};
use izanagi_shared::{id::ActorId, wire::UserView};

/// An account as its administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedAccount {
    /// The account.
    pub user: UserView,
    /// Whether it can sign in.
    pub is_active: bool,
}

impl Accounts {
    /// Deactivates or reactivates an account. A deactivated account cannot sign in, and its
    /// sessions end.
    ///
    /// # Errors
    /// `NotFound` if no account has this name or email.
    pub async fn set_active(&self, login: &str, active: bool) -> Result<ManagedAccount> {
        let user = self.find(login).await?;
        let now = self.core.clock.now();
        let deactivated_at = Some((!active).then_some(now));
        let change = UserChange { deactivated_at, ..UserChange::default() };
        let action = if active { "user_activated" } else { "user_deactivated" };
        let changed = self.change(&user, &change, action).await?;
        self.core.stores.bus.publish(BusEvent::UserChanged(user.id));
        if !active {
            self.sign_out_everywhere(user.id).await?;
        }
        Ok(managed(&changed))
    }

    /// Sets the role of an account. It takes effect with the next access token.
    ///
    /// # Errors
    /// `NotFound` if no account has this name or email.
    pub async fn set_role(&self, login: &str, role: Role) -> Result<ManagedAccount> {
        let user = self.find(login).await?;
        let change = UserChange { role: Some(role), ..UserChange::default() };
        let changed = self.change(&user, &change, "user_role_changed").await?;
        self.core.stores.bus.publish(BusEvent::UserChanged(user.id));
        Ok(managed(&changed))
    }

    async fn find(&self, login: &str) -> Result<User> {
        let login = login.trim().to_lowercase();
        self.core.stores.relational.users.by_login(&login).await.map_err(Error::missing("account"))
    }

    async fn change(
        &self,
        subject: &User,
        change: &UserChange,
        action: &'static str,
    ) -> Result<User> {
        let event = AuditEvent {
            action,
            actor: Some(ActorId::SERVER),
            subject: subject.id.to_string(),
            ip: String::new(),
            at: self.core.clock.now(),
        };
        let changed = self.core.stores.relational.users.update(subject.id, change, Some(&event));
        changed.await.map_err(Error::missing("account"))
    }
}

fn managed(user: &User) -> ManagedAccount {
    ManagedAccount { user: view(user), is_active: user.deactivated_at.is_none() }
}
