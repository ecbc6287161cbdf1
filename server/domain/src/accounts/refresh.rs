//! Refresh tokens: 256 random bits, rotated at every use (PRODUCT A3).
//!
//! Only the hash of a token is stored. Its successor is the HMAC-SHA-256 of a stored nonce, keyed
//! with the token. A client that repeats a token within the grace period (a second tab, a lost
//! reply) gets the same successor, while a leaked database alone yields no token.

use super::{Accounts, Caller, Device, REFRESH_LIFETIME, SignedIn};
use crate::{
    error::{Error, Result},
    hash::sha256,
    storage::{AuditEvent, RefreshToken, RefreshUse, StoreError},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use izanagi_shared::{id::SessionId, rules::Secret, time::Timestamp};
use sha2::Sha256;
use std::time::Duration;

/// Grace period in which a used token still returns the same successor.
const GRACE: Duration = Duration::from_secs(30);

/// A refresh token. Secret: its holder can stay signed in.
#[derive(Debug, Clone)]
pub struct RefreshSecret(Secret);

impl RefreshSecret {
    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Wraps a token sent by a client.
    #[must_use]
    pub const fn from_client(secret: Secret) -> Self {
        Self(secret)
    }

    /// Returns the token, for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        sha256(self.expose())
    }

    fn successor(&self, nonce: &[u8; 32]) -> Result<Self> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.expose().as_bytes()).map_err(Error::internal)?;
        mac.update(nonce);
        Ok(Self::from_bytes(&mac.finalize().into_bytes().into()))
    }
}

impl Accounts {
    /// Exchanges a refresh token for its successor and a new access token.
    ///
    /// # Errors
    /// `SessionRevoked` if the session has ended, the token is unknown or expired, or it was used
    /// more than 30 s ago. Such reuse suggests a stolen token and ends the whole session.
    pub async fn refresh(&self, token: &RefreshSecret, device: &Device) -> Result<SignedIn> {
        let now = self.core.clock.now();
        let stored = self.core.stores.relational.sessions.refresh_token(&token.hash()).await;
        let stored = stored.map_err(ended)?;
        if stored.expires_at <= now {
            return Err(Error::SessionRevoked);
        }
        let successor = token.successor(&stored.nonce)?;
        let next = self.new_token(stored.session_id, &successor, Some(token.hash()), now);
        let used =
            self.core.stores.relational.sessions.use_refresh_token(&token.hash(), &next, now).await;
        match used {
            Ok(RefreshUse::First) => {}
            Ok(RefreshUse::SessionEnded) => return Err(Error::SessionRevoked),
            Ok(RefreshUse::Repeated) => self.allow_repeat(&token.hash(), now, device).await?,
            Err(error) => return Err(ended(error)),
        }
        self.renew(stored.session_id, successor, device, now).await
    }

    async fn allow_repeat(&self, hash: &[u8; 32], now: Timestamp, device: &Device) -> Result<()> {
        // Read again: the earlier read may predate the first use.
        let stored = self.core.stores.relational.sessions.refresh_token(hash).await;
        let stored = stored.map_err(ended)?;
        let in_grace = stored.used_at.is_some_and(|at| now.since(at) <= GRACE);
        if in_grace && !stored.successor_used {
            return Ok(());
        }
        let session = self.core.stores.relational.sessions.get(stored.session_id).await;
        let session = session.map_err(ended)?;
        let audit = AuditEvent {
            action: "refresh_token_replayed",
            actor: Some(session.user_id.into()),
            subject: session.id.to_string(),
            ip: device.ip.clone(),
            at: now,
        };
        match self.end_session(session.user_id, session.id, now, Some(audit)).await {
            // It had already ended: a concurrent replay was recorded, or the user signed out.
            Ok(()) | Err(Error::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Err(Error::SessionRevoked)
    }

    async fn renew(
        &self,
        session: SessionId,
        refresh: RefreshSecret,
        device: &Device,
        now: Timestamp,
    ) -> Result<SignedIn> {
        let relational = &self.core.stores.relational;
        let session = relational.sessions.get(session).await.map_err(ended)?;
        let user = relational.users.by_id(session.user_id).await.map_err(ended)?;
        if user.deactivated_at.is_some() || session.revoked_at.is_some() {
            return Err(Error::SessionRevoked);
        }
        relational.sessions.touch(user.id, session.id, &device.ip, now).await.map_err(ended)?;
        let caller = Caller { user: user.id, session: session.id, role: user.role };
        self.signed_in(&user, &caller, refresh, now)
    }

    pub(super) fn new_token(
        &self,
        session_id: SessionId,
        secret: &RefreshSecret,
        parent_hash: Option<[u8; 32]>,
        now: Timestamp,
    ) -> RefreshToken {
        let mut nonce = [0; 32];
        self.core.ids.fill(&mut nonce);
        RefreshToken {
            hash: secret.hash(),
            session_id,
            nonce,
            parent_hash,
            expires_at: now.plus(REFRESH_LIFETIME),
            used_at: None,
            successor_used: false,
        }
    }
}

/// Retention or the deletion of the account may remove token, session and account at any time.
fn ended(error: StoreError) -> Error {
    match error {
        StoreError::NotFound => Error::SessionRevoked,
        other => other.into(),
    }
}
