//! Sessions and their refresh tokens.

use super::{
    audit,
    database::{Database, Transaction as _},
    row::Row,
    statement::{Statement, args},
    users,
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    AuditEvent, Constraint,
    Freshness::{Fresh, Stale},
    Ids, NewSession, RefreshToken, RefreshUse, Session, SessionStore, StoreError, StoreResult,
};
use izanagi_shared::{
    id::{SessionId, UserId},
    time::Timestamp,
};
use std::sync::Arc;

pub(crate) struct SqlSessions<D> {
    pub(crate) db: Arc<D>,
    pub(crate) ids: Arc<dyn Ids>,
}

fn session(row: &Row) -> StoreResult<Session> {
    Ok(Session {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        user_agent: row.get("user_agent")?,
        ip: row.get("ip")?,
        created_at: row.get("created_at")?,
        last_activity_at: row.get("last_activity_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}

fn refresh_token(row: &Row) -> StoreResult<RefreshToken> {
    Ok(RefreshToken {
        hash: row.get("token_hash")?,
        session_id: row.get("session_id")?,
        nonce: row.get("nonce")?,
        parent_hash: row.get("parent_hash")?,
        expires_at: row.get("expires_at")?,
        used_at: row.get("used_at")?,
        successor_used: row.get("successor_used")?,
    })
}

fn insert_session(session: &Session) -> Statement {
    Statement::with(
        "INSERT INTO sessions (id, user_id, user_agent, ip, first_ip, created_at, \
         last_activity_at, revoked_at) VALUES ($1, $2, $3, $4, $4, $5, $6, $7)",
        args![
            session.id,
            session.user_id,
            session.user_agent.as_str(),
            session.ip.as_str(),
            session.created_at,
            session.last_activity_at,
            session.revoked_at,
        ],
    )
}

fn insert_token(token: &RefreshToken) -> Statement {
    Statement::with(
        "INSERT INTO refresh_tokens (token_hash, session_id, nonce, parent_hash, expires_at, \
         used_at, successor_used) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![
            token.hash,
            token.session_id,
            token.nonce,
            token.parent_hash,
            token.expires_at,
            token.used_at,
            token.successor_used,
        ],
    )
}

#[async_trait]
impl<D: Database> SessionStore for SqlSessions<D> {
    async fn create(&self, new: &NewSession) -> StoreResult<()> {
        let (session, token) = (insert_session(&new.session), insert_token(&new.token));
        let (user, at) = (new.session.user_id, new.session.created_at);
        self.db
            .write(move |transaction| {
                let (session, token) = (session.clone(), token.clone());
                Box::pin(async move {
                    // The caller read the account before it checked the password, which takes long.
                    let record = Statement::with(
                        "UPDATE users SET last_login_at = $2 \
                         WHERE id = $1 AND deleted_at IS NULL AND deactivated_at IS NULL",
                        args![user, at],
                    );
                    if transaction.execute(record).await? == 0 {
                        return Err(StoreError::Conflict(Constraint::Account));
                    }
                    transaction.later(session);
                    transaction.later(token);
                    Ok(())
                })
            })
            .await
    }

    async fn get(&self, id: SessionId) -> StoreResult<Session> {
        let query = Statement::with("SELECT * FROM sessions WHERE id = $1", args![id]);
        session(&self.db.fetch_one(Fresh, query).await?)
    }

    async fn list(&self, user: UserId) -> StoreResult<Vec<Session>> {
        let query = Statement::with(
            "SELECT * FROM sessions WHERE user_id = $1 AND revoked_at IS NULL \
             ORDER BY last_activity_at DESC, id DESC",
            args![user],
        );
        self.db.fetch(Fresh, query).await?.iter().map(session).collect()
    }

    async fn addresses(&self, user: UserId, limit: u32) -> StoreResult<Vec<String>> {
        let query = Statement::with(
            "SELECT ip, first_ip FROM sessions WHERE user_id = $1 \
             ORDER BY last_activity_at DESC, id DESC LIMIT $2",
            args![user, limit],
        );
        let mut addresses = Vec::new();
        for row in self.db.fetch(Stale, query).await? {
            addresses.extend([row.get("ip")?, row.get("first_ip")?]);
        }
        Ok(addresses)
    }

    async fn touch(&self, user: UserId, id: SessionId, ip: &str, at: Timestamp) -> StoreResult<()> {
        let update = Statement::with(
            "UPDATE sessions SET ip = $3, last_activity_at = $4 WHERE id = $1 AND user_id = $2",
            args![id, user, ip, at],
        );
        match self.db.execute(update).await? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    async fn revoke(
        &self,
        user: UserId,
        id: SessionId,
        at: Timestamp,
        audit: Option<&AuditEvent>,
    ) -> StoreResult<()> {
        let update = Statement::with(
            "UPDATE sessions SET revoked_at = $3 \
             WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL",
            args![id, user, at],
        );
        let audit = audit.map(|event| audit::insert(&*self.ids, event));
        self.db
            .write(move |transaction| {
                let (update, audit) = (update.clone(), audit.clone());
                Box::pin(async move {
                    if transaction.execute(update).await? == 0 {
                        return Err(StoreError::NotFound);
                    }
                    transaction.later(users::note_change(user));
                    audit.into_iter().for_each(|audit| transaction.later(audit));
                    Ok(())
                })
            })
            .await
    }

    async fn revoke_all(&self, user: UserId, at: Timestamp) -> StoreResult<Vec<SessionId>> {
        let update = Statement::with(
            "UPDATE sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL \
             RETURNING id",
            args![user, at],
        );
        let write = self.db.write(move |transaction| {
            let update = update.clone();
            Box::pin(async move {
                let rows = transaction.fetch(update).await?;
                if !rows.is_empty() {
                    transaction.later(users::note_change(user));
                }
                rows.iter().map(|row| row.get("id")).collect()
            })
        });
        write.await
    }

    async fn refresh_token(&self, hash: &[u8; 32]) -> StoreResult<RefreshToken> {
        let query =
            Statement::with("SELECT * FROM refresh_tokens WHERE token_hash = $1", args![hash]);
        refresh_token(&self.db.fetch_one(Fresh, query).await?)
    }

    async fn use_refresh_token(
        &self,
        used: &[u8; 32],
        successor: &RefreshToken,
        at: Timestamp,
    ) -> StoreResult<RefreshUse> {
        let (used, insert) = (*used, insert_token(successor));
        self.db
            .write(move |transaction| {
                let insert = insert.clone();
                Box::pin(async move {
                    // Locked, so that concurrent uses of a token are serialised.
                    transaction.lock(Statement::with(
                        "SELECT token_hash FROM refresh_tokens WHERE token_hash = $1",
                        args![used],
                    ));
                    transaction.lock(Statement::with(
                        "SELECT id FROM sessions WHERE id = \
                         (SELECT session_id FROM refresh_tokens WHERE token_hash = $1)",
                        args![used],
                    ));
                    let token = Statement::with(
                        "SELECT t.used_at, t.parent_hash, s.revoked_at, u.deleted_at, \
                         u.deactivated_at FROM refresh_tokens t \
                         JOIN sessions s ON s.id = t.session_id \
                         JOIN users u ON u.id = s.user_id WHERE t.token_hash = $1",
                        args![used],
                    );
                    let token = transaction.fetch_optional(token).await?;
                    let token = token.ok_or(StoreError::NotFound)?;
                    for ended in ["revoked_at", "deleted_at", "deactivated_at"] {
                        if token.get::<Option<Timestamp>>(ended)?.is_some() {
                            return Ok(RefreshUse::SessionEnded);
                        }
                    }
                    if token.get::<Option<Timestamp>>("used_at")?.is_some() {
                        return Ok(RefreshUse::Repeated);
                    }
                    transaction.later(Statement::with(
                        "UPDATE refresh_tokens SET used_at = $2 WHERE token_hash = $1",
                        args![used, at],
                    ));
                    if let Some(parent) = token.get::<Option<[u8; 32]>>("parent_hash")? {
                        transaction.later(Statement::with(
                            "UPDATE refresh_tokens SET successor_used = $2 WHERE token_hash = $1",
                            args![parent, true],
                        ));
                    }
                    transaction.later(insert);
                    Ok(RefreshUse::First)
                })
            })
            .await
    }
}
