//! Bringing the schema up to date. Steps are only ever added (PRODUCT O4).

use super::connection::{Connection, Connector};
use crate::error::OpenError;
use sqlx::migrate::MigrateError;

/// Applies the steps that are missing, each in a transaction.
pub(super) async fn run(
    connection: &mut Connection,
    connector: &Connector,
) -> Result<(), OpenError> {
    let migrator = connector.migrator();
    // Another process may be doing the same, and be first at any of the steps: what it has applied
    // is there the next time.
    let mut result = connection.migrate(&migrator).await;
    for _ in migrator.iter() {
        let Err(MigrateError::Execute(_) | MigrateError::ExecuteMigration(..)) = result else {
            break;
        };
        result = connection.migrate(&migrator).await;
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
