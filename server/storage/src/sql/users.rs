//! Accounts.

use super::{
    audit,
    database::{Database, Transaction},
    numbers::Numbers,
    owners,
    row::Row,
    statement::{Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::{
    accounts::{PasswordHash, Role},
    storage::Freshness::{Fresh, Stale},
    storage::{AuditEvent, Constraint, Ids, StoreError, StoreResult, User, UserChange, UserStore},
};
use izanagi_shared::{
    id::{ActorId, UserId},
    time::Timestamp,
    wire::Person,
};
use std::sync::Arc;

pub(crate) struct SqlUsers<D> {
    pub(crate) db: Arc<D>,
    pub(crate) ids: Arc<dyn Ids>,
}

/// Display name of deleted accounts.
const DELETED: &str = "Deleted account";

const COLUMNS: &str = "id, username, email, display_name, bio, role, password_hash, created_at, \
                       last_login_at, deactivated_at";

fn user(row: &Row) -> StoreResult<User> {
    Ok(User {
        id: row.get("id")?,
        username: row.get("username")?,
        email: row.get("email")?,
        display_name: row.get("display_name")?,
        bio: row.get("bio")?,
        role: row.named("role", Role::parse)?,
        password_hash: PasswordHash::from_stored(row.get::<String>("password_hash")?),
        created_at: row.get("created_at")?,
        last_login_at: row.get("last_login_at")?,
        deactivated_at: row.get("deactivated_at")?,
    })
}

/// Reads the public profile from the columns `user_id`, `username` and `display_name`.
pub(super) fn person(row: &Row) -> StoreResult<Person> {
    Ok(Person {
        id: row.get("user_id")?,
        username: row.get("username")?,
        display_name: row.get("display_name")?,
    })
}

/// Notes that the rights of an account may have changed. The row with the highest number is only ever
/// replaced by one with a higher number.
pub(super) fn note_change(user: UserId) -> Statement {
    let mut insert =
        Statement::with("INSERT INTO account_changes (user_id, number) SELECT $1, ", args![user]);
    Numbers::Accounts.push_next(&mut insert, "1").push(
        " FROM account_numbers AS t WHERE true \
         ON CONFLICT (user_id) DO UPDATE SET number = excluded.number",
    );
    insert
}

/// Fails unless an account may act. The account is locked, so that it is not deleted or deactivated
/// before the transaction ends. Actors without an account, such as share links and jobs, may act.
///
/// # Errors
/// `Conflict(Account)`.
pub(super) async fn require_active<T: Transaction + ?Sized>(
    transaction: &mut T,
    actor: ActorId,
) -> StoreResult<()> {
    transaction.lock(Statement::with("SELECT id FROM users WHERE id = $1", args![actor]));
    let inactive = Statement::with(
        "SELECT id FROM users \
         WHERE id = $1 AND (deleted_at IS NOT NULL OR deactivated_at IS NOT NULL)",
        args![actor],
    );
    match transaction.fetch_optional(inactive).await? {
        Some(_) => Err(StoreError::Conflict(Constraint::Account)),
        None => Ok(()),
    }
}

fn select(condition: &str) -> Statement {
    let mut query = Statement::new("SELECT ");
    query.push(COLUMNS).push(" FROM users WHERE deleted_at IS NULL AND ").push(condition);
    query
}

/// Returns the fields of a change that differ from the account.
fn differences(old: &User, change: UserChange) -> UserChange {
    let is_deactivated = |at: &Option<Timestamp>| at.is_some() != old.deactivated_at.is_some();
    UserChange {
        display_name: change.display_name.filter(|name| *name != old.display_name),
        bio: change.bio.filter(|bio| *bio != old.bio),
        role: change.role.filter(|role| *role != old.role),
        deactivated_at: change.deactivated_at.filter(is_deactivated),
    }
}

/// Returns an UPDATE of the changed columns, if any.
fn update(id: UserId, change: &UserChange) -> Option<Statement> {
    let UserChange { display_name, bio, role, deactivated_at } = change;
    let mut statement = Statement::new("UPDATE users SET ");
    let mut separator = "";
    macro_rules! set {
        ($($column:literal = $value:expr;)*) => {$(
            if let Some(value) = $value {
                statement.push(separator).push(concat!($column, " = ")).push_arg(value);
                separator = ", ";
            }
        )*};
    }
    set! {
        "display_name" = display_name.as_deref();
        "bio" = bio.as_deref();
        "role" = role.map(Role::as_str);
        "deactivated_at" = *deactivated_at;
    }
    if separator.is_empty() {
        return None;
    }
    statement.push(" WHERE deleted_at IS NULL AND id = ").push_arg(id);
    statement.push(" RETURNING ").push(COLUMNS);
    Some(statement)
}

#[async_trait]
impl<D: Database> UserStore for SqlUsers<D> {
    async fn create(&self, user: &User) -> StoreResult<()> {
        let insert = Statement::with(
            "INSERT INTO users (id, username, email, display_name, bio, role, password_hash, \
             created_at, last_login_at, deactivated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            args![
                user.id,
                user.username.as_str(),
                user.email.as_str(),
                user.display_name.as_str(),
                user.bio.as_str(),
                user.role.as_str(),
                user.password_hash.for_storage(),
                user.created_at,
                user.last_login_at,
                user.deactivated_at,
            ],
        );
        self.db.execute(insert).await.map(drop)
    }

    async fn by_id(&self, id: UserId) -> StoreResult<User> {
        let mut query = select("id = ");
        query.push_arg(id);
        user(&self.db.fetch_one(Fresh, query).await?)
    }

    /// Every email contains an @ and no username does, so a login matches one account at most.
    async fn by_login(&self, login: &str) -> StoreResult<User> {
        let mut query = select("(username = ");
        query.push_arg(login).push(" OR email = ").push_arg(login).push(")");
        user(&self.db.fetch_one(Fresh, query).await?)
    }

    async fn update(
        &self,
        id: UserId,
        change: &UserChange,
        audit: Option<&AuditEvent>,
    ) -> StoreResult<User> {
        let change = change.clone();
        let audit = audit.map(|event| audit::insert(&*self.ids, event));
        self.db
            .write(move |transaction| {
                let (change, audit) = (change.clone(), audit.clone());
                Box::pin(async move {
                    let mut query = select("id = ");
                    query.push_arg(id);
                    transaction
                        .lock(Statement::with("SELECT id FROM users WHERE id = $1", args![id]));
                    let old = transaction.fetch_optional(query).await?;
                    let old = user(&old.ok_or(StoreError::NotFound)?)?;
                    let change = differences(&old, change);
                    let Some(update) = update(id, &change) else {
                        return Ok(old);
                    };
                    let new = transaction.fetch_optional(update).await?;
                    if change.role.is_some() || change.deactivated_at.is_some() {
                        transaction.later(note_change(id));
                    }
                    audit.into_iter().for_each(|audit| transaction.later(audit));
                    user(&new.ok_or(StoreError::NotFound)?)
                })
            })
            .await
    }

    async fn delete(&self, id: UserId, audit: &AuditEvent) -> StoreResult<()> {
        // Users cannot choose a name with this prefix.
        let placeholder = format!("~{id}");
        let update = Statement::with(
            "UPDATE users SET username = $2, email = $2, display_name = $3, bio = '', \
             role = 'user', password_hash = '', last_login_at = NULL, deleted_at = $4 \
             WHERE id = $1 AND deleted_at IS NULL",
            args![id, placeholder.as_str(), DELETED, audit.at],
        );
        let (at, audit) = (audit.at, audit::insert(&*self.ids, audit));
        self.db
            .write(move |transaction| {
                let (update, audit) = (update.clone(), audit.clone());
                Box::pin(async move {
                    if transaction.execute(update).await? > 0 {
                        transaction.lock(owners::lock_all(id));
                        owners::release(id, at)
                            .into_iter()
                            .for_each(|step| transaction.later(step));
                        transaction.later(note_change(id));
                        transaction.later(audit);
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn changed_since(&self, number: u64, limit: u32) -> StoreResult<Vec<(u64, UserId)>> {
        let settled = self.db.settled(Numbers::Accounts).await?;
        let query = Statement::with(
            "SELECT number, user_id FROM account_changes WHERE number > $1 AND number <= $3 \
             ORDER BY number LIMIT $2",
            args![number, limit, settled],
        );
        let rows = self.db.fetch(Fresh, query).await?;
        rows.iter().map(|row| Ok((row.get("number")?, row.get("user_id")?))).collect()
    }

    async fn newest_change(&self) -> StoreResult<u64> {
        let settled = self.db.settled(Numbers::Accounts).await?;
        let query = Statement::with(
            "SELECT COALESCE(MAX(number), 0) AS number FROM account_changes WHERE number <= $1",
            args![settled],
        );
        self.db.fetch_one(Fresh, query).await?.get("number")
    }

    async fn people(&self, ids: &[UserId]) -> StoreResult<Vec<Person>> {
        let mut query =
            Statement::new("SELECT id AS user_id, username, display_name FROM users WHERE id IN ");
        query.push_list(ids.iter().copied());
        self.db.fetch(Stale, query).await?.iter().map(person).collect()
    }
}
