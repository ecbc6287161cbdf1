//! Authenticating access tokens and ending sessions (PRODUCT A4).

use super::{ACCESS_LIFETIME, Accounts, Caller, LEEWAY, Role};
use crate::{
    error::{Error, Result},
    storage::{AuditEvent, BusEvent, StoreError},
};
use izanagi_shared::{
    id::{SessionId, UserId},
    time::Timestamp,
    wire::SessionView,
};
use lru::LruCache;
use parking_lot::Mutex;
use std::{num::NonZeroUsize, sync::Arc, time::Duration};

/// How long an answer of the revocation store is cached. Revocations by this process take effect at
/// once; this bounds the delay for those by another process (DESIGN §1: ≤ 1 s).
const BELIEVED_FOR: Duration = Duration::from_secs(1);
/// Activity is recorded once per minute, so that not every request causes a write.
const ACTIVITY_STEP: Duration = Duration::from_secs(60);

/// Cached state of a session.
#[derive(Debug, Clone, Copy)]
enum Known {
    Alive {
        user: UserId,
        checked_at: Timestamp,
        touched_at: Timestamp,
    },
    /// Ended sessions never revive, even if an older query still answers that they are active.
    Ended,
}

/// Cache of recently seen sessions.
#[derive(Clone)]
pub(super) struct LiveSessions(Arc<Mutex<LruCache<SessionId, Known>>>);

impl Default for LiveSessions {
    fn default() -> Self {
        let capacity = NonZeroUsize::new(10_000).unwrap_or(NonZeroUsize::MIN);
        Self(Arc::new(Mutex::new(LruCache::new(capacity))))
    }
}

impl LiveSessions {
    fn ended(&self, session: SessionId) {
        self.0.lock().put(session, Known::Ended);
    }

    /// Caches that the session is active, unless it ended while this was being queried.
    fn alive(
        &self,
        user: UserId,
        session: SessionId,
        checked_at: Timestamp,
        touched_at: Timestamp,
    ) -> Result<()> {
        let mut known = self.0.lock();
        let is_alive = !matches!(known.peek(&session), Some(Known::Ended));
        if is_alive {
            known.put(session, Known::Alive { user, checked_at, touched_at });
        }
        drop(known);
        if is_alive { Ok(()) } else { Err(Error::Unauthenticated) }
    }
}

impl Accounts {
    /// Returns the holder of an access token.
    ///
    /// # Errors
    /// `Unauthenticated` if the token is invalid or expired, or its session has ended or is that of
    /// another user.
    pub async fn authenticate(&self, token: &str, ip: &str) -> Result<Caller> {
        let now = self.core.clock.now();
        let claims = self.tokens.verify(token, now)?;
        self.check_alive(claims.sub, claims.sid, ip, now).await?;
        Ok(Caller {
            user: claims.sub,
            session: claims.sid,
            role: Role::parse(&claims.role).unwrap_or_default(),
        })
    }

    async fn check_alive(
        &self,
        user: UserId,
        session: SessionId,
        ip: &str,
        now: Timestamp,
    ) -> Result<()> {
        let known = self.live.0.lock().get(&session).copied();
        let mut touched_at = match known {
            Some(Known::Ended) => return Err(Error::Unauthenticated),
            Some(Known::Alive { user: owner, .. }) if owner != user => {
                return Err(Error::Unauthenticated);
            }
            Some(Known::Alive { checked_at, .. }) if now.since(checked_at) < BELIEVED_FOR => {
                return Ok(());
            }
            Some(Known::Alive { touched_at, .. }) => touched_at,
            None => Timestamp::default(),
        };
        if self.core.stores.revocations.is_revoked(session).await? {
            self.live.ended(session);
            return Err(Error::Unauthenticated);
        }
        if now.since(touched_at) >= ACTIVITY_STEP {
            let sessions = &self.core.stores.relational.sessions;
            match sessions.touch(user, session, ip, now).await {
                Ok(()) => touched_at = now,
                // The token is valid but the user has no such session, for example after the
                // database was replaced.
                Err(StoreError::NotFound) => return Err(Error::Unauthenticated),
                // Requests still succeed if activity cannot be recorded, for example on a full
                // disk.
                Err(error) => {
                    tracing::warn!(?error, "session activity could not be recorded");
                    let found = sessions.get(session).await.map_err(Error::missing("session"));
                    match found {
                        Ok(found) if found.user_id == user => {}
                        Ok(_) | Err(Error::NotFound(_)) => return Err(Error::Unauthenticated),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        self.live.alive(user, session, now, touched_at)
    }

    /// Returns the caller's active sessions, most recently seen first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<SessionView>> {
        let sessions = self.core.stores.relational.sessions.list(caller.user).await?;
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
    /// `NotFound` if the caller has no such session.
    pub async fn revoke_session(&self, caller: &Caller, session: SessionId) -> Result<()> {
        self.end_session(caller.user, session, self.core.clock.now(), None).await
    }

    /// Ends the caller's current session. Does nothing if it has already ended.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sign_out(&self, caller: &Caller) -> Result<()> {
        match self.revoke_session(caller, caller.session).await {
            Err(Error::NotFound(_)) => Ok(()),
            other => other,
        }
    }

    /// Ends all of the caller's sessions, including the current one.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sign_out_everywhere(&self, user: UserId) -> Result<()> {
        let this = self.clone();
        let ending = async move {
            let now = this.core.clock.now();
            for session in this.core.stores.relational.sessions.list(user).await? {
                this.refuse_tokens(session.id, now).await?;
            }
            // Sessions that began in the meantime.
            for session in this.core.stores.relational.sessions.revoke_all(user, now).await? {
                this.refuse_tokens(session, now).await?;
            }
            Ok(())
        };
        self.core.run_to_end(ending).await
    }

    /// Ends a session; runs to completion even if the caller is dropped. Its tokens are revoked
    /// before the row is updated, so that a retry after an interruption still finds the session
    /// active.
    pub(super) async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        now: Timestamp,
        audit: Option<AuditEvent>,
    ) -> Result<()> {
        let this = self.clone();
        let ending = async move {
            let found = this.core.stores.relational.sessions.get(session).await;
            let found = found.map_err(Error::missing("session"))?;
            if found.user_id != user {
                return Err(Error::NotFound("session"));
            }
            this.refuse_tokens(session, now).await?;
            let sessions = &this.core.stores.relational.sessions;
            let ended = sessions.revoke(user, session, now, audit.as_ref()).await;
            ended.map_err(Error::missing("session"))
        };
        self.core.run_to_end(ending).await
    }

    async fn refuse_tokens(&self, session: SessionId, now: Timestamp) -> Result<()> {
        self.core.stores.revocations.revoke(session, now.plus(ACCESS_LIFETIME + LEEWAY)).await?;
        self.live.ended(session);
        self.core.stores.bus.publish(BusEvent::SessionEnded(session));
        Ok(())
    }
}
