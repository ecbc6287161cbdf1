//! Schema migrations. A released step is never changed.
//!
//! While servers are restarted one after the other, those that still run an older program write to a
//! schema that a newer one has migrated. So each step states from which schema on a program may still
//! write once the step has been applied; the list of applied steps keeps it for programs that do not
//! know the step. A step after which those that run may not write waits until none of them runs.

use super::{connection::rows, session::Session};
use crate::error::OpenError;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Row as _, SqlSafeStr as _,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};
use std::borrow::Cow;

/// A step of the schema. Its number is its place in the list.
struct Step {
    name: &'static str,
    sql: &'static str,
    /// Programs that know only the steps up to this one may still write once this one is applied.
    writers_from: i64,
}

const STEPS: [Step; 3] = [
    Step {
        name: "schema",
        sql: include_str!("../migrations/postgres/0001_schema.sql"),
        writers_from: 1,
    },
    Step {
        name: "moves",
        sql: include_str!("../migrations/postgres/0002_moves.sql"),
        // Older programs would go on writing to a place from which the documents have moved.
        writers_from: 2,
    },
    Step {
        name: "origins",
        sql: include_str!("../migrations/postgres/0003_origins.sql"),
        // What older programs write is noted by triggers, and refused once the database has moved.
        writers_from: 2,
    },
];

/// Precedes the oldest writer in the description of an applied step.
const WRITERS_FROM: &str = "; writers from ";

/// Held by the process that migrates. Any number will do; this one is ours.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7309453014278365)";

/// The text of each step, in order.
pub(super) fn steps() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|step| step.sql)
}

fn migrations() -> Vec<Migration> {
    let step = |(version, Step { name, sql, writers_from }): (i64, Step)| {
        let (kind, sql) = (MigrationType::Simple, sql.into_sql_str());
        let description = format!("{name}{WRITERS_FROM}{writers_from}");
        Migration::new(version, Cow::Owned(description), kind, sql, false)
    };
    (1..).zip(STEPS).map(step).collect()
}

/// The oldest writer that the description of a step states.
fn writers_from(description: &str) -> Option<i64> {
    description.rsplit_once(WRITERS_FROM)?.1.parse().ok()
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

/// A step of this program: its version, its checksum, and its oldest writer.
type Known = (i64, Vec<u8>, i64);
/// A step that was applied: its version, its checksum, and its description.
type Applied = (i64, Vec<u8>, String);

/// What the applied steps are to this program.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// Exactly those that it knows.
    Complete,
    /// Some are missing, or differ.
    Behind,
    /// As [`Self::Behind`], and older programs may not write once they are applied.
    BehindAlone,
    /// There are newer ones, after which this program may still write.
    Ahead,
    /// There are newer ones, after which it may not.
    TooNew { found: i64 },
}

impl Standing {
    fn of(steps: &[Known], applied: &[Applied]) -> Self {
        let newest = steps.last().map_or(0, |(version, ..)| *version);
        let is_known = |(one, two): (&Known, &Applied)| (one.0, &one.1) == (two.0, &two.1);
        let same = steps.iter().zip(applied).take_while(|pair| is_known(*pair)).count();
        if same < steps.len() {
            let last = applied.last().map_or(0, |(version, ..)| *version);
            let excludes = |(_, _, from): &Known| last > 0 && *from > last;
            return match steps.iter().skip(same).any(excludes) {
                true => Self::BehindAlone,
                false => Self::Behind,
            };
        }
        let newer = applied.get(same..).unwrap_or_default();
        let excludes = |text: &String| writers_from(text).is_none_or(|from| from > newest);
        match newer.last() {
            None => Self::Complete,
            Some((found, ..)) if newer.iter().any(|(_, _, text)| excludes(text)) => {
                Self::TooNew { found: *found }
            }
            Some(_) => Self::Ahead,
        }
    }

    async fn read(connection: &mut PgConnection, session: Session) -> Result<Self, OpenError> {
        if !exists(connection, session).await? {
            return Ok(Self::Behind);
        }
        let query = "SELECT version, checksum, description FROM _sqlx_migrations WHERE success \
                     ORDER BY version";
        let applied = rows(connection, session, query).await.map_err(OpenError::database)?;
        let applied =
            applied.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)));
        let applied: Vec<Applied> =
            applied.collect::<sqlx::Result<_>>().map_err(OpenError::database)?;
        let known = migrations().into_iter().zip(STEPS);
        let known = known.map(|(step, Step { writers_from, .. })| {
            (step.version, step.checksum.to_vec(), writers_from)
        });
        Ok(Self::of(&known.collect::<Vec<_>>(), &applied))
    }
}

/// Whether a migration is due after which programs that may be running must not write.
pub(super) async fn needs_database_alone(
    connection: &mut PgConnection,
    session: Session,
) -> Result<bool, OpenError> {
    Ok(Standing::read(connection, session).await? == Standing::BehindAlone)
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
    let newest = migrator.iter().map(|step| step.version).max().unwrap_or_default();
    match Standing::read(connection, session).await? {
        Standing::Complete => return Ok(()),
        Standing::Ahead => {
            tracing::info!(
                known = newest,
                "a newer version of this program has migrated the schema"
            );
            return Ok(());
        }
        Standing::TooNew { found } => {
            return Err(OpenError::NewerSchema { found, known: newest });
        }
        Standing::Behind | Standing::BehindAlone => {}
    }
    let failed = |error: MigrateError| OpenError::Migration(error.to_string());
    let begin = AssertSqlSafe(session.begin("").into_owned());
    let mut transaction = connection.begin_with(begin).await.map_err(OpenError::database)?;
    // Another process may be at it, for as long as that takes.
    let lock = session.within(sqlx::query(LOCK).execute(&mut *transaction));
    lock.await.map_err(OpenError::database)?;
    match migrator.run_direct(None, &mut *transaction, false).await {
        Ok(()) => session.within(transaction.commit()).await.map_err(|error| failed(error.into())),
        // A newer program was faster.
        Err(MigrateError::VersionMissing(found)) if found > newest => {
            Err(OpenError::NewerSchema { found, known: newest })
        }
        Err(error) => Err(failed(error)),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// This program knows two steps; the second excludes those that know only the first, if it says so.
    #[rstest]
    #[case(1, &[], Standing::Behind)]
    #[case(2, &[], Standing::Behind)]
    #[case(1, &["schema"], Standing::Behind)]
    #[case(2, &["schema"], Standing::BehindAlone)]
    #[case(1, &["schema", "more; writers from 1"], Standing::Complete)]
    #[case(1, &["schema", "more", "later; writers from 1"], Standing::Ahead)]
    #[case(1, &["schema", "more", "later; writers from 2"], Standing::Ahead)]
    #[case(1, &["schema", "more", "later; writers from 3"], Standing::TooNew { found: 3 })]
    #[case(
        1,
        &["schema", "more", "later; writers from 3", "last; writers from 2"],
        Standing::TooNew { found: 4 }
    )]
    #[case(1, &["schema", "more", "later"], Standing::TooNew { found: 3 })]
    fn a_schema_says_who_may_write(
        #[case] second_from: i64,
        #[case] applied: &[&str],
        #[case] expected: Standing,
    ) {
        let sum = |version: i64| vec![u8::try_from(version).unwrap()];
        let steps = [(1, sum(1), 1), (2, sum(2), second_from)];
        let applied =
            (1..).zip(applied).map(|(version, text)| (version, sum(version), (*text).to_owned()));
        assert_eq!(Standing::of(&steps, &applied.collect::<Vec<_>>()), expected);
    }

    #[test]
    fn every_step_states_who_may_write_after_it() {
        for (version, step) in (1..).zip(STEPS) {
            assert!((1..=version).contains(&step.writers_from), "step {version}");
        }
        for step in migrations() {
            assert!(writers_from(&step.description).is_some(), "{}", step.description);
        }
    }
}
