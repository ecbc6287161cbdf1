//! Schema migrations. A released step is never changed.

use super::{connection::rows, session::Session};
use crate::error::OpenError;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Row as _, SqlSafeStr as _,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use std::borrow::Cow;

const STEPS: [(&str, &str); 1] =
    [("schema", include_str!("../migrations/postgres/0001_schema.sql"))];

/// Held by the process that migrates. Any number will do; this one is ours.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7309453014278365)";

/// The text of each step, in order.
pub(super) fn steps() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|(_, sql)| *sql)
}

fn migrations() -> Vec<Migration> {
    let step = |(version, (name, sql)): (i64, (&'static str, &'static str))| {
        let (kind, sql) = (MigrationType::Simple, sql.into_sql_str());
        Migration::new(version, Cow::Borrowed(name), kind, sql, false)
    };
    (1..).zip(STEPS).map(step).collect()
}

/// Whether the database has a schema of this program.
pub(super) async fn exists(
    connection: &mut PgConnection,
    session: Session,
) -> Result<bool, OpenError> {
    let query = "SELECT 1 WHERE to_regclass('_sqlx_migrations') IS NOT NULL";
    let found = rows(connection, session, query).await.map_err(OpenError::database)?;
    Ok(!found.is_empty())
}

/// Applies the missing steps, all in one transaction. A schema that is complete needs no right to
/// change it.
pub(super) async fn migrate(
    connection: &mut PgConnection,
    session: Session,
) -> Result<(), OpenError> {
    let mut migrator = Migrator::with_migrations(migrations());
    // The driver's lock belongs to a connection, which a pooler may exchange.
    migrator.set_locking(false);
    if exists(connection, session).await? && is_complete(connection, session, &migrator).await? {
        return Ok(());
    }
    let failed = |error: MigrateError| OpenError::Migration(error.to_string());
    let begin = AssertSqlSafe(session.begin("").into_owned());
    let mut transaction = connection.begin_with(begin).await.map_err(OpenError::database)?;
    // Another process may be at it, for as long as that takes.
    let lock = session.within(sqlx::query(LOCK).execute(&mut *transaction));
    lock.await.map_err(OpenError::database)?;
    match migrator.run_direct(None, &mut *transaction, false).await {
        Ok(()) => session.within(transaction.commit()).await.map_err(|error| failed(error.into())),
        Err(MigrateError::VersionMissing(found)) if found > newest(&migrator) => {
            Err(OpenError::NewerSchema { found, known: newest(&migrator) })
        }
        Err(error) => Err(failed(error)),
    }
}

fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|step| step.version).max().unwrap_or_default()
}

/// Whether exactly the known steps have been applied.
async fn is_complete(
    connection: &mut PgConnection,
    session: Session,
    migrator: &Migrator,
) -> Result<bool, OpenError> {
    let query = "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
    let applied = rows(connection, session, query).await.map_err(OpenError::database)?;
    let applied = applied.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let applied: Vec<(i64, Vec<u8>)> =
        applied.collect::<sqlx::Result<_>>().map_err(OpenError::database)?;
    let known = migrator.iter().map(|step| (step.version, step.checksum.to_vec()));
    Ok(applied.into_iter().eq(known))
}

/// Sequences that lag behind the numbers in use, because rows were copied without them. Visible rows
/// never have a number that their sequence has not given out, so this finds nothing while servers run.
const LAGGING: &str = "SELECT s.name, s.used FROM (\
     SELECT 'change_numbers' AS name, GREATEST((SELECT MAX(change_seq) FROM document_changes), \
     (SELECT MAX(change_seq) FROM tombstones), (SELECT MAX(highest) FROM change_horizon)) AS used, \
     (SELECT last_value FROM change_numbers) AS last \
     UNION ALL SELECT 'account_numbers', (SELECT MAX(number) FROM account_changes), \
     (SELECT last_value FROM account_numbers) \
     UNION ALL SELECT 'record_numbers', (SELECT MAX(number) FROM record_changes), \
     (SELECT last_value FROM record_numbers)) AS s WHERE s.used > s.last";

/// Lets sequences go on after the highest number in use.
pub(super) async fn raise_numbers(
    connection: &mut PgConnection,
    session: Session,
) -> Result<(), OpenError> {
    let lagging = rows(connection, session, LAGGING).await.map_err(OpenError::database)?;
    for row in &lagging {
        let (name, used) = row
            .try_get(0)
            .and_then(|name: String| Ok((name, row.try_get::<i64, _>(1)?)))
            .map_err(OpenError::database)?;
        tracing::warn!(sequence = name, used, "a sequence lagged behind its rows and was raised");
        // The name is one of those above.
        let raise = format!("SELECT setval('{name}', {used})");
        rows(connection, session, raise).await.map_err(OpenError::database)?;
    }
    Ok(())
}
