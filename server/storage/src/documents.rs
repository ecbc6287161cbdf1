//! Opens a document store that has a database of its own.

use crate::{
    config::{DocumentsConfig, Place, StorageConfig},
    error::OpenError,
    lock, mongo,
    registry::{Backend, Lock, make_folder_of},
    sql::{self, PgDb, SqliteDb},
};
use izanagi_domain::storage::DocumentStore;
use std::sync::Arc;

/// An open document store.
pub(crate) struct OpenDocuments {
    pub(crate) store: Arc<dyn DocumentStore>,
    /// Where it is, for the log; without secrets.
    pub(crate) description: String,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) lock: Option<Lock>,
}

/// Opens it, and creates what is missing.
pub(crate) async fn open(
    config: &StorageConfig,
    own: &DocumentsConfig,
) -> Result<OpenDocuments, OpenError> {
    if own.url.is_mongodb() {
        let database = mongo::open(own, &*config.ids).await?;
        let description = database.description().to_owned();
        return Ok(OpenDocuments {
            store: database.clone(),
            description,
            backend: database,
            lock: None,
        });
    }
    let place = Place::parse(&own.url)?;
    if place != Place::Memory && place.is_same(&Place::parse(&config.url)?) {
        return Err(OpenError::Setting {
            name: "storage.documents.url",
            given: format!("the database of the users ({place})"),
            allowed: "another database, or storage.documents.backend: users",
        });
    }
    let retention = own.soft_delete_retention;
    let (store, backend, lock): (_, Arc<dyn Backend>, _) = match &place {
        Place::Postgres(server) => {
            let options = config.relational.for_documents();
            let (database, presence) = PgDb::open(server, &options, config.exclusive).await?;
            let lock = presence.map(|presence| Lock::Server { _presence: presence });
            (sql::documents(&database, retention), database, lock)
        }
        Place::File(path) => {
            make_folder_of(path)?;
            let lock = match config.exclusive {
                Some(command) => Some(Lock::File { _file: lock::take(path, command).await? }),
                None => None,
            };
            let database = SqliteDb::open(Some(path)).await?;
            (sql::documents(&database, retention), database, lock)
        }
        Place::Memory => {
            let database = SqliteDb::open(None).await?;
            (sql::documents(&database, retention), database, None)
        }
    };
    Ok(OpenDocuments { store, description: place.to_string(), backend, lock })
}
