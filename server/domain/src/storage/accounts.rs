//! Accounts, sessions, refresh tokens, revocations, audit.

use super::StoreResult;
use crate::accounts::{PasswordHash, Role};
use async_trait::async_trait;
use izanagi_shared::{
    id::{ActorId, SessionId, UserId},
    time::Timestamp,
    wire::Person,
};

/// An account.
#[derive(Debug, Clone)]
pub struct User {
    /// The account's id.
    pub id: UserId,
    /// Unique, case-folded.
    pub username: String,
    /// Unique, case-folded.
    pub email: String,
    /// Name shown to others.
    pub display_name: String,
    /// A short biography.
    pub bio: String,
    /// Determines what the account may do beyond its own documents.
    pub role: Role,
    /// The Argon2id hash, as a PHC string.
    pub password_hash: PasswordHash,
    /// Creation time.
    pub created_at: Timestamp,
    /// Time of the last sign-in.
    pub last_login_at: Option<Timestamp>,
    /// When the account was deactivated; it cannot sign in.
    pub deactivated_at: Option<Timestamp>,
}

/// Changes to an account; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// Name shown to others.
    pub display_name: Option<String>,
    /// A short biography.
    pub bio: Option<String>,
    /// A new role.
    pub role: Option<Role>,
    /// `Some(Some(at))` deactivates the account, `Some(None)` reactivates it.
    pub deactivated_at: Option<Option<Timestamp>>,
}

/// Accounts.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Creates an account. `Conflict(Username)` or `Conflict(Email)` if taken.
    async fn create(&self, user: &User) -> StoreResult<()>;
    /// Returns an account by id.
    async fn by_id(&self, id: UserId) -> StoreResult<User>;
    /// Returns an account by case-folded username or email.
    async fn by_login(&self, login: &str) -> StoreResult<User>;
    /// Changes an account and records `audit`; returns the account as changed. Records nothing if
    /// the account already is as `change` says: deactivating twice keeps the first time.
    async fn update(
        &self,
        id: UserId,
        change: &UserChange,
        audit: Option<&AuditEvent>,
    ) -> StoreResult<User>;
    /// Deletes an account: it can no longer sign in, its username and email become available again,
    /// and its personal data is erased. It leaves co-owned documents, and documents without another
    /// owner move to the trash. Its contributions stay, attributed to a deleted account.
    /// Idempotent; only the first call records `audit`.
    async fn delete(&self, id: UserId, audit: &AuditEvent) -> StoreResult<()>;
    /// Returns the accounts whose rights may have changed since a number, each once with the number of
    /// its latest change, by number: the role, a deactivation, a deletion, or the end of a session.
    async fn changed_since(&self, number: u64, limit: u32) -> StoreResult<Vec<(u64, UserId)>>;
    /// Returns the highest number used so far; 0 if there is none.
    async fn newest_change(&self) -> StoreResult<u64>;
    /// Returns the public profiles of accounts, including deleted ones. May be stale.
    async fn people(&self, ids: &[UserId]) -> StoreResult<Vec<Person>>;
}

/// A signed-in device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, the `sid` of its tokens.
    pub id: SessionId,
    /// The user.
    pub user_id: UserId,
    /// The `User-Agent` it sent.
    pub user_agent: String,
    /// Its address when last seen.
    pub ip: String,
    /// Time of sign-in.
    pub created_at: Timestamp,
    /// When it was last seen.
    pub last_activity_at: Timestamp,
    /// When it ended; `None` while it is active.
    pub revoked_at: Option<Timestamp>,
}

/// A session to create, with its first refresh token.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// Its first token.
    pub token: RefreshToken,
}

/// A refresh token. The token itself is not stored, only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// The session it belongs to (the token family).
    pub session_id: SessionId,
    /// Nonce for the successor, which is derived from it and the token itself.
    pub nonce: [u8; 32],
    /// The predecessor.
    pub parent_hash: Option<[u8; 32]>,
    /// Expiry.
    pub expires_at: Timestamp,
    /// When it was exchanged for its successor.
    pub used_at: Option<Timestamp>,
    /// Whether the successor has been used.
    pub successor_used: bool,
}

/// Result of using a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshUse {
    /// It was unused; the successor is now stored.
    First,
    /// It had already been used.
    Repeated,
    /// The session has ended, or its account is deleted or deactivated.
    SessionEnded,
}

/// Sessions and their refresh tokens.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Creates a session and its first token, and records the sign-in in the account.
    /// `Conflict(Account)` if the account does not exist, or is deleted or deactivated, in which
    /// case no session must begin.
    async fn create(&self, new: &NewSession) -> StoreResult<()>;
    /// Returns a session, active or ended.
    async fn get(&self, id: SessionId) -> StoreResult<Session>;
    /// Returns a user's active sessions, most recently seen first.
    async fn list(&self, user: UserId) -> StoreResult<Vec<Session>>;
    /// Returns where a user's newest `limit` sessions, active and ended, began and were last seen.
    /// May be stale.
    async fn addresses(&self, user: UserId, limit: u32) -> StoreResult<Vec<String>>;
    /// Records activity of a session; `NotFound` if the user has no such session.
    async fn touch(&self, user: UserId, id: SessionId, ip: &str, at: Timestamp) -> StoreResult<()>;
    /// Ends a session of this user and records `audit`; `NotFound` if the user has no such active
    /// session.
    async fn revoke(
        &self,
        user: UserId,
        id: SessionId,
        at: Timestamp,
        audit: Option<&AuditEvent>,
    ) -> StoreResult<()>;
    /// Ends all active sessions of a user and returns them.
    async fn revoke_all(&self, user: UserId, at: Timestamp) -> StoreResult<Vec<SessionId>>;
    /// Returns a refresh token by its hash.
    async fn refresh_token(&self, hash: &[u8; 32]) -> StoreResult<RefreshToken>;
    /// Marks `used` as used at `at` and as the used successor of its parent, and stores
    /// `successor`.
    async fn use_refresh_token(
        &self,
        used: &[u8; 32],
        successor: &RefreshToken,
        at: Timestamp,
    ) -> StoreResult<RefreshUse>;
}

/// Sessions that were ended before their access tokens expired.
#[async_trait]
pub trait RevocationStore: Send + Sync {
    /// Revokes the session until `until`, when its last access token expires.
    async fn revoke(&self, session: SessionId, until: Timestamp) -> StoreResult<()>;
    /// Whether the session is revoked.
    async fn is_revoked(&self, session: SessionId) -> StoreResult<bool>;
    /// Removes expired revocations.
    async fn forget(&self, before: Timestamp) -> StoreResult<()>;
}

/// An audit event (PRODUCT W5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// What happened: `refresh_token_replayed`, `user_deactivated` …
    pub action: &'static str,
    /// The actor, if known.
    pub actor: Option<ActorId>,
    /// The affected object, as text.
    pub subject: String,
    /// The client's address.
    pub ip: String,
    /// Time of the event.
    pub at: Timestamp,
}

/// The audit log. Events are recorded by the methods that make the changes, in the same transaction.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Returns the newest events, newest first. May be stale.
    async fn newest(&self, limit: u32) -> StoreResult<Vec<(String, String, Timestamp)>>;
}
