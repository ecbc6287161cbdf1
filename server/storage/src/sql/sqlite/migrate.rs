//! Schema migrations. Steps are only ever appended (PRODUCT O4).

use super::{connection::Connection, schema};
use crate::error::OpenError;
use sqlx::migrate::{MigrateError, Migrator};

/// Applies the missing steps, each in a transaction.
pub(super) async fn run(connection: &mut Connection) -> Result<(), OpenError> {
    let migrator = Migrator::with_migrations(schema::migrations());
    // Another process may migrate at the same time; the steps it applied are seen on the next
    // attempt.
    let mut result = migrator.run_direct(None, connection.driver(), false).await;
    for _ in migrator.iter() {
        let Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) = result else {
            break;
        };
        result = migrator.run_direct(None, connection.driver(), false).await;
    }
    let known = migrator.iter().map(|step| step.version).max().unwrap_or_default();
    match result {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) if found > known => {
            Err(OpenError::NewerSchema { found, known })
        }
        Err(error) => Err(OpenError::Migration(error.to_string())),
    }
}
