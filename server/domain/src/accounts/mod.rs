//! Accounts and sessions (PRODUCT A1–A4).

mod administration;
mod common;
mod limits;
mod memory;
mod network;
mod password;
mod profile;
mod refresh;
mod role;
mod sessions;
mod shared_keys;
mod sign_in;
mod tokens;

pub use administration::ManagedAccount;
pub use common::OwnNames;
pub use limits::{LimitSettings, Limits, Rate};
pub use network::Network;
pub use password::{PasswordHash, Passwords};
pub use refresh::RefreshSecret;
pub use role::Role;
pub use shared_keys::{ACTIVE_AFTER, KeySet, SharedKeys, SharedKeysError};
pub use sign_in::{SignUpTurn, SignedIn};
pub use tokens::{AccessToken, Claims, SigningKey, TokenIssuer, Tokens};

use crate::{core::Core, error::Result, storage::User};
use izanagi_shared::{
    id::{SessionId, UserId},
    wire::UserView,
};
use std::time::Duration;

/// Lifetime of an access token (PRODUCT A3).
pub const ACCESS_LIFETIME: Duration = Duration::from_secs(30 * 60);
/// How far clocks may differ when a token's times are checked (RFC 7519 §4.1.4).
pub const LEEWAY: Duration = Duration::from_secs(60);
/// Lifetime of a refresh token (PRODUCT A3).
pub const REFRESH_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A signed-in user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The user's role.
    pub role: Role,
}

/// Origin of a request, as shown on the sessions page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// The client's address.
    pub ip: String,
    /// The `User-Agent`; cut to 300 characters when stored.
    pub user_agent: String,
}

/// The service for accounts and sessions.
#[derive(Clone)]
pub struct Accounts {
    core: Core,
    passwords: Passwords,
    tokens: Tokens,
    limits: Limits,
    live: sessions::LiveSessions,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

impl Accounts {
    /// Creates the service.
    #[must_use]
    pub fn new(core: Core, passwords: Passwords, tokens: Tokens, limits: Limits) -> Self {
        let live = sessions::LiveSessions::default();
        Self { core, passwords, tokens, limits, live }
    }

    /// Frees the memory of password hashes, unless one was made since the last call.
    pub fn release_idle_memory(&self) {
        self.passwords.release_idle_memory();
    }

    /// Returns the public keys that verify access tokens, for `/.well-known/jwks.json` (RFC 7517).
    ///
    /// # Errors
    /// Never in practice: the set is serialised from valid keys.
    pub fn jwks(&self) -> Result<serde_json::Value> {
        self.tokens.jwks()
    }
}

fn view(user: &User) -> UserView {
    UserView {
        id: user.id,
        username: user.username.clone(),
        email: user.email.clone(),
        display_name: user.display_name.clone(),
        bio: user.bio.clone(),
        role: user.role.as_str().to_owned(),
        created_at: user.created_at,
        last_login_at: user.last_login_at,
    }
}
