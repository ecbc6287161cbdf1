//! Opens a document store that has a database of its own.

use crate::{
    config::{DocumentsConfig, Place, StorageConfig},
    error::OpenError,
    mongo,
    registry::{Backend, Lock, SqlDatabase, open_sql},
    sql,
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
    if place.is_same(&Place::parse(&config.url)?) {
        return Err(OpenError::Setting {
            name: "storage.documents.url",
            given: format!("the database of the users ({place})"),
            allowed: "another database, or storage.documents.backend: users",
        });
    }
    let retention = own.soft_delete_retention;
    let options = config.relational.for_documents();
    let (database, lock) = open_sql(&place, &options, config.exclusive).await?;
    let (store, backend): (_, Arc<dyn Backend>) = match database {
        SqlDatabase::Postgres(database) => (sql::documents(&database, retention), database),
        SqlDatabase::Sqlite(database) => (sql::documents(&database, retention), database),
    };
    Ok(OpenDocuments { store, description: place.to_string(), backend, lock })
}
