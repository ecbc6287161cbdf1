//! Who is asking, and ending sessions (PRODUCT A4).

use super::{ACCESS_LIFETIME, Accounts, Caller, Role};
use crate::error::{Error, Result};
use izanagi_shared::{
    id::{SessionId, UserId},
    time::Timestamp,
    wire::SessionView,
};
use lru::LruCache;
use parking_lot::Mutex;
use std::{num::NonZeroUsize, sync::Arc, time::Duration};

/// How long an answer of the revocation store is believed. What this process revokes itself is
/// known at once; this bounds what another process does (DESIGN §1: ≤ 1 s).
const BELIEVED_FOR: Duration = Duration::from_secs(1);
/// Activity is noted to the minute, or every request would be a write.
const ACTIVITY_STEP: Duration = Duration::from_secs(60);

/// What was last known of a session.
#[derive(Debug, Clone, Copy)]
struct Known {
    checked_at: Timestamp,
    touched_at: Timestamp,
}

/// Sessions that were alive a moment ago.
#[derive(Clone)]
pub(super) struct LiveSessions(Arc<Mutex<LruCache<SessionId, Known>>>);

impl Default for LiveSessions {
    fn default() -> Self {
        let capacity = NonZeroUsize::new(10_000).unwrap_or(NonZeroUsize::MIN);
        Self(Arc::new(Mutex::new(LruCache::new(capacity))))
    }
}

impl Accounts {
    /// Who holds this access token.
    ///
    /// # Errors
    /// `Unauthenticated` when it is none, is over, or its session has ended.
    pub async fn authenticate(&self, token: &str, ip: &str) -> Result<Caller> {
        let now = self.clock.now();
        let claims = self.tokens.verify(token, now)?;
        self.check_alive(claims.sid, ip, now).await?;
        Ok(Caller {
            user: claims.sub,
            session: claims.sid,
            role: Role::parse(&claims.role).unwrap_or_default(),
        })
    }

    async fn check_alive(&self, session: SessionId, ip: &str, now: Timestamp) -> Result<()> {
        let known = self.live.0.lock().get(&session).copied();
        if known.is_some_and(|known| now.since(known.checked_at) < BELIEVED_FOR) {
            return Ok(());
        }
        if self.stores.revocations.is_revoked(session).await? {
            self.live.0.lock().pop(&session);
            return Err(Error::Unauthenticated);
        }
        let mut touched_at = known.map_or(Timestamp::default(), |known| known.touched_at);
        if now.since(touched_at) >= ACTIVITY_STEP {
            self.stores.sessions.touch(session, ip, now).await?;
            touched_at = now;
        }
        self.live.0.lock().put(session, Known { checked_at: now, touched_at });
        Ok(())
    }

    /// The sessions of the caller that last, last seen first.
    ///
    /// # Errors
    /// Only when the store fails.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionView>> {
        let sessions = self.stores.sessions.list(caller.user).await?;
        let view = |session: crate::storage::Session| SessionView {
            current: session.id == caller.session,
            id: session.id,
            user_agent: session.user_agent,
            ip: session.ip,
            created_at: session.created_at,
            last_activity_at: session.last_activity_at,
        };
        Ok(sessions.into_iter().map(view).collect())
    }

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// `NotFound` when the caller has no such session.
    pub async fn revoke_session(&self, caller: &Caller, session: SessionId) -> Result<()> {
        self.end_session(caller.user, session, self.clock.now()).await
    }

    /// Ends the caller's own session. Does nothing when it has ended already.
    ///
    /// # Errors
    /// Only when the store fails.
    pub async fn sign_out(&self, caller: &Caller) -> Result<()> {
        match self.revoke_session(caller, caller.session).await {
            Err(Error::NotFound(_)) => Ok(()),
            other => other,
        }
    }

    /// Ends all of the caller's sessions, this one too.
    ///
    /// # Errors
    /// Only when the store fails.
    pub async fn sign_out_everywhere(&self, user: UserId) -> Result<()> {
        let now = self.clock.now();
        for session in self.stores.sessions.revoke_all(user, now).await? {
            self.remember_end(session, now).await?;
        }
        Ok(())
    }

    pub(super) async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<()> {
        let ended = self.stores.sessions.revoke(user, session, now).await;
        ended.map_err(Error::missing("session"))?;
        self.remember_end(session, now).await
    }

    async fn remember_end(&self, session: SessionId, now: Timestamp) -> Result<()> {
        self.stores.revocations.revoke(session, now.plus(ACCESS_LIFETIME)).await?;
        self.live.0.lock().pop(&session);
        Ok(())
    }
}
