//! Accounts, sessions, refresh tokens, revocations, audit.

use super::StoreResult;
use crate::accounts::{PasswordHash, Role};
use async_trait::async_trait;
use izanagi_shared::{
    id::{SessionId, UserId},
    time::Timestamp,
    wire::Person,
};

/// An account.
#[derive(Debug, Clone)]
pub struct User {
    /// The account's id.
    pub id: UserId,
    /// Unique, folded.
    pub username: String,
    /// Unique, folded.
    pub email: String,
    /// What others see.
    pub display_name: String,
    /// A few words.
    pub bio: String,
    /// What the account may do beyond its own documents.
    pub role: Role,
    /// The Argon2id hash, in PHC form.
    pub password_hash: PasswordHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// The last sign-in.
    pub last_login_at: Option<Timestamp>,
    /// Since when it may not sign in.
    pub deactivated_at: Option<Timestamp>,
}

/// What can change in an account; `None` leaves as is.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// What others see.
    pub display_name: Option<String>,
    /// A few words.
    pub bio: Option<String>,
    /// A new role.
    pub role: Option<Role>,
    /// `Some(Some(at))` deactivates, `Some(None)` activates again.
    pub deactivated_at: Option<Option<Timestamp>>,
}

/// Accounts.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Makes an account. `Conflict(Username)` or `Conflict(Email)`.
    async fn create(&self, user: &User) -> StoreResult<()>;
    /// By id.
    async fn by_id(&self, id: UserId) -> StoreResult<User>;
    /// By folded username or email.
    async fn by_login(&self, login: &str) -> StoreResult<User>;
    /// Changes an account; gives it as it is then.
    async fn update(&self, id: UserId, change: &UserChange) -> StoreResult<User>;
    /// Notes a sign-in.
    async fn record_login(&self, id: UserId, at: Timestamp) -> StoreResult<()>;
    /// Deletes an account: nobody signs in by it any more, its name and email are free again, and
    /// nothing personal is left of it. What it wrote stays, by a deleted account. Nothing happens
    /// when it is deleted.
    async fn delete(&self, id: UserId, at: Timestamp) -> StoreResult<()>;
    /// How those accounts that were ever made look to others. May be stale.
    async fn people(&self, ids: &[UserId]) -> StoreResult<Vec<Person>>;
}

/// A signed-in device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, the `sid` of its tokens.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// What the browser or program called itself.
    pub user_agent: String,
    /// Where it was last seen.
    pub ip: String,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it was last seen.
    pub last_activity_at: Timestamp,
    /// When it ended, if it was ended.
    pub revoked_at: Option<Timestamp>,
}

/// A session to be made, with its first refresh token.
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
    /// The session it belongs to: the family.
    pub session_id: SessionId,
    /// Makes the successor, together with the token itself, which only its holder knows.
    pub nonce: [u8; 32],
    /// The token it succeeded.
    pub parent_hash: Option<[u8; 32]>,
    /// When it stops being accepted.
    pub expires_at: Timestamp,
    /// When it was exchanged for its successor.
    pub used_at: Option<Timestamp>,
    /// Whether the successor was exchanged in its turn.
    pub successor_used: bool,
}

/// What came of using a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshUse {
    /// It was unused; the successor is stored now.
    First,
    /// Somebody used it before.
    Repeated,
    /// The session has ended.
    SessionEnded,
}

/// Sessions and their refresh tokens.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Makes a session and its first token.
    async fn create(&self, new: &NewSession) -> StoreResult<()>;
    /// One session, ended or not.
    async fn get(&self, id: SessionId) -> StoreResult<Session>;
    /// The sessions of a user that have not ended, last seen first.
    async fn list(&self, user: UserId) -> StoreResult<Vec<Session>>;
    /// Notes that a session was seen.
    async fn touch(&self, id: SessionId, ip: &str, at: Timestamp) -> StoreResult<()>;
    /// Ends one session of that user; `NotFound` when it has none such that still lasts.
    async fn revoke(&self, user: UserId, id: SessionId, at: Timestamp) -> StoreResult<()>;
    /// Ends all sessions of a user; gives those that lasted until now.
    async fn revoke_all(&self, user: UserId, at: Timestamp) -> StoreResult<Vec<SessionId>>;
    /// A refresh token by its hash.
    async fn refresh_token(&self, hash: &[u8; 32]) -> StoreResult<RefreshToken>;
    /// Marks `used` as used at `at`, and its parent's successor as used, and stores `successor`.
    async fn use_refresh_token(
        &self,
        used: &[u8; 32],
        successor: &RefreshToken,
        at: Timestamp,
    ) -> StoreResult<RefreshUse>;
}

/// Sessions that ended before their access tokens did.
#[async_trait]
pub trait RevocationStore: Send + Sync {
    /// From now until `until` (when the last access token is over) the session counts as ended.
    async fn revoke(&self, session: SessionId, until: Timestamp) -> StoreResult<()>;
    /// Whether it does.
    async fn is_revoked(&self, session: SessionId) -> StoreResult<bool>;
    /// Forgets those that are over.
    async fn forget(&self, before: Timestamp) -> StoreResult<()>;
}

/// Something worth keeping for an audit (PRODUCT W5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// What happened: `refresh_token_replayed`, `user_deactivated` …
    pub action: &'static str,
    /// Who did it, where known.
    pub actor: Option<UserId>,
    /// What it was done to, as text.
    pub subject: String,
    /// From which address.
    pub ip: String,
    /// When.
    pub at: Timestamp,
}

/// What is kept for audits.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Keeps an event.
    async fn record(&self, event: &AuditEvent) -> StoreResult<()>;
    /// The newest events, newest first. May be stale.
    async fn newest(&self, limit: u32) -> StoreResult<Vec<(String, String, Timestamp)>>;
}
