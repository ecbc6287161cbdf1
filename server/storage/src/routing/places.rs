//! The places where records can be.

use crate::{
    config::{DocumentsConfig, Place, RelationalOptions},
    error::OpenError,
    lock, mongo,
    registry::Backend,
    relocation::{Lock, make_folder_of},
    sql::{self, PgDb, SqliteDb},
    url::StoreUrl,
};
use izanagi_domain::storage::{DocumentStore, Ids};
use std::{collections::HashMap, fmt, sync::Arc};
use tokio::sync::Mutex;

/// The word for the relational database.
const USERS: &str = "users";

/// A place of records.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DocumentsPlace {
    /// The relational database.
    Users,
    /// A database of its own.
    Own(StoreUrl),
}

impl DocumentsPlace {
    /// Reads a place from a URL or the word for the relational database, whose URL means the same.
    pub(crate) fn parse(text: &str, users: &Place) -> Self {
        match Place::parse(&StoreUrl::from(text)) {
            _ if text == USERS => Self::Users,
            Ok(place) if place == *users => Self::Users,
            _ => Self::Own(text.into()),
        }
    }

    /// Returns what [`Self::parse`] reads. Secret: it may contain a password.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Users => USERS,
            Self::Own(url) => url.expose(),
        }
    }
}

impl fmt::Display for DocumentsPlace {
    /// Without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Users => f.write_str("the relational database"),
            Self::Own(url) => url.fmt(f),
        }
    }
}

/// An open place.
pub(crate) struct OpenPlace {
    pub(crate) store: Arc<dyn DocumentStore>,
    /// Where it is, for the log.
    pub(crate) description: String,
    /// `None` for the relational database, which others use too.
    backend: Option<Arc<dyn Backend>>,
    _lock: Option<Lock>,
}

/// The places that this process has opened.
pub(crate) struct Places {
    users: Arc<dyn DocumentStore>,
    /// How places are opened; its URL is that of the settings, if there is one.
    template: DocumentsConfig,
    relational: RelationalOptions,
    ids: Arc<dyn Ids>,
    exclusive: Option<&'static str>,
    open: Mutex<HashMap<String, Arc<OpenPlace>>>,
}

impl Places {
    pub(crate) fn new(
        users: Arc<dyn DocumentStore>,
        template: DocumentsConfig,
        relational: RelationalOptions,
        ids: Arc<dyn Ids>,
        exclusive: Option<&'static str>,
    ) -> Self {
        Self { users, template, relational, ids, exclusive, open: Mutex::default() }
    }

    /// Opens a place, once.
    pub(crate) async fn open(&self, place: &DocumentsPlace) -> Result<Arc<OpenPlace>, OpenError> {
        let mut open = self.open.lock().await;
        if let Some(found) = open.get(place.text()) {
            return Ok(Arc::clone(found));
        }
        let opened = Arc::new(match place {
            DocumentsPlace::Users => OpenPlace {
                store: Arc::clone(&self.users),
                description: place.to_string(),
                backend: None,
                _lock: None,
            },
            DocumentsPlace::Own(url) => self.open_own(url).await?,
        });
        open.insert(place.text().to_owned(), Arc::clone(&opened));
        drop(open);
        Ok(opened)
    }

    async fn open_own(&self, url: &StoreUrl) -> Result<OpenPlace, OpenError> {
        if url.is_mongodb() {
            return self.open_mongo(url).await;
        }
        let place = Place::parse(url)?;
        let description = place.to_string();
        let retention = self.template.soft_delete_retention;
        let (store, backend, lock): (_, Arc<dyn Backend>, _) = match &place {
            Place::Postgres(server) => {
                let options = self.relational.for_documents();
                let (database, presence) = PgDb::open(server, &options, self.exclusive).await?;
                let lock = presence.map(|presence| Lock::Server { _presence: presence });
                (sql::documents(&database, retention), database, lock)
            }
            Place::File(path) => {
                make_folder_of(path)?;
                let lock = match self.exclusive {
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
        Ok(OpenPlace { store, description, backend: Some(backend), _lock: lock })
    }

    async fn open_mongo(&self, url: &StoreUrl) -> Result<OpenPlace, OpenError> {
        let is_configured = self.template.url == *url;
        let has_database = url.expose().split_once("://").is_some_and(|(_, rest)| {
            let path = rest.split('?').next().unwrap_or_default();
            path.split_once('/').is_some_and(|(_, name)| !name.is_empty())
        });
        let mut config = DocumentsConfig { url: url.clone(), ..self.template.clone() };
        if !is_configured && has_database {
            config.database = None;
        }
        let database = mongo::open(&config, &*self.ids).await?;
        let description = database.description().to_owned();
        Ok(OpenPlace { store: database.clone(), description, backend: Some(database), _lock: None })
    }

    /// Runs a statement directly on all of them, to damage rows in tests.
    pub(crate) async fn tamper(
        &self,
        sql: &'static str,
    ) -> izanagi_domain::storage::StoreResult<u64> {
        let mut changed = 0;
        for place in self.open.lock().await.values() {
            if let Some(backend) = &place.backend {
                changed += backend.tamper(sql).await?;
            }
        }
        Ok(changed)
    }

    /// Closes all places but the relational database.
    pub(crate) async fn close(&self) {
        for (_, place) in self.open.lock().await.drain() {
            place.store.close().await;
            if let Some(backend) = &place.backend {
                backend.close().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_the_relational_database_is_no_place_of_its_own() {
        let users = Place::parse(&"postgres://ann:tiger@db/notes".into()).unwrap();
        for text in ["users", "postgres://ann:tiger@db/notes"] {
            assert!(DocumentsPlace::parse(text, &users) == DocumentsPlace::Users);
        }
        let other = DocumentsPlace::parse("mongodb://ann:tiger@db/notes", &users);
        assert_eq!(other.text(), "mongodb://ann:tiger@db/notes");
        assert!(!other.to_string().contains("tiger"));
    }
}
