//! Settings of the stores (DESIGN §10).

use super::{
    Config, ConfigError,
    values::{
        backend_of_documents, count, database_url, database_urls, duration, flag,
        in_process_or_redis, in_users_or_redis, mongodb_url, name, redis_prefix, redis_url,
    },
};
use izanagi_storage::{DocumentsConfig, RedisConfig, RedisPlace, RelationalOptions, StorageConfig};
use std::time::Duration;

/// The stores.
#[derive(Debug, Clone, confique::Config)]
pub struct StorageSettings {
    /// The relational database.
    #[config(nested)]
    pub users: UserStoreSettings,
    /// The document store.
    #[config(nested)]
    pub documents: DocumentStoreSettings,
    /// The Redis server, and what is in it.
    #[config(nested)]
    pub redis: RedisSettings,
}

/// The relational database: accounts, the list of documents, versions and the live log.
#[derive(Debug, Clone, confique::Config)]
pub struct UserStoreSettings {
    /// `sqlite://PATH`, `postgres://…`, or `memory://` for no persistence; without it, a file in the
    /// data directory.
    #[config(env = "DATABASE_URL", deserialize_with = database_url)]
    pub url: Option<String>,

    /// URLs of PostgreSQL replicas, for lists and other reads that need not be fresh: a list, or
    /// separated by commas.
    #[config(env = "IZANAGI_STORAGE_USERS_REPLICAS", default = [], deserialize_with = database_urls)]
    pub replicas: Vec<String>,

    /// URL of the PostgreSQL server itself, if the other one is that of a pooler in transaction mode:
    /// for locks that belong to a connection.
    #[config(env = "IZANAGI_STORAGE_USERS_DIRECT_URL", deserialize_with = database_url)]
    pub direct_url: Option<String>,

    /// Connections to PostgreSQL; in a rush half as many more.
    #[config(
        env = "IZANAGI_STORAGE_USERS_CONNECTIONS", default = "20", deserialize_with = count
    )]
    pub connections: u32,

    /// Whether to start although PostgreSQL may lose acknowledged writes in a crash: with `fsync`,
    /// `full_page_writes` or `synchronous_commit` off.
    #[config(
        env = "IZANAGI_STORAGE_USERS_ACCEPT_DATA_LOSS", default = "false", deserialize_with = flag
    )]
    pub accept_data_loss: bool,
}

/// The document store: contents of versions and edit history.
#[derive(Debug, Clone, confique::Config)]
pub struct DocumentStoreSettings {
    /// `users`, the relational database, or `mongo`; without it, `mongo` if there is a URL.
    #[config(
        env = "IZANAGI_STORAGE_DOCUMENTS_BACKEND", deserialize_with = backend_of_documents
    )]
    pub backend: Option<bool>,

    /// `mongodb://…` or `mongodb+srv://…`.
    #[config(env = "MONGODB_URL", deserialize_with = mongodb_url)]
    pub url: Option<String>,

    /// Database in MongoDB; without it, that of the URL, or `izanagi`.
    #[config(env = "IZANAGI_STORAGE_DOCUMENTS_DATABASE", deserialize_with = name)]
    pub database: Option<String>,

    /// Collection in MongoDB.
    #[config(
        env = "IZANAGI_STORAGE_DOCUMENTS_COLLECTION", default = "documents", deserialize_with = name
    )]
    pub collection: String,

    /// How long MongoDB keeps records that are deleted.
    #[config(
        env = "IZANAGI_STORAGE_DOCUMENTS_SOFT_DELETE_RETENTION", default = "30d",
        deserialize_with = duration
    )]
    pub soft_delete_retention: Duration,
}

/// Redis. Nothing in it is the truth: without it, everything goes on, slower.
#[derive(Debug, Clone, confique::Config)]
pub struct RedisSettings {
    /// `redis://…`, or `rediss://…` for TLS.
    #[config(env = "REDIS_URL", deserialize_with = redis_url)]
    pub url: Option<String>,

    /// Every key and channel begins with it and a colon.
    #[config(
        env = "IZANAGI_STORAGE_REDIS_PREFIX", default = "izanagi", deserialize_with = redis_prefix
    )]
    pub prefix: String,

    /// Where ended sessions are looked up: `users`, the relational database, or `redis`; without it,
    /// `redis` if there is a URL.
    #[config(
        env = "IZANAGI_STORAGE_REDIS_REVOCATIONS", deserialize_with = in_users_or_redis
    )]
    pub revocations: Option<bool>,

    /// How nodes tell each other of changes: `process`, not at all, or `redis`; without it, `redis` if
    /// there is a URL.
    #[config(env = "IZANAGI_STORAGE_REDIS_BUS", deserialize_with = in_process_or_redis)]
    pub bus: Option<bool>,

    /// Where limits are counted: `process`, by each node, or `redis`; without it, `redis` if there is a
    /// URL.
    #[config(env = "IZANAGI_STORAGE_REDIS_LIMITS", deserialize_with = in_process_or_redis)]
    pub limits: Option<bool>,

    /// Where rendered texts are kept: `process`, by each node, or `redis`; without it, `redis` if there
    /// is a URL.
    #[config(env = "IZANAGI_STORAGE_REDIS_CACHE", deserialize_with = in_process_or_redis)]
    pub cache: Option<bool>,
}

impl Config {
    /// Returns the URL of the relational database.
    #[must_use]
    pub fn database(&self) -> String {
        let in_data_dir = || format!("sqlite://{}", self.data_dir.join("izanagi.db").display());
        self.storage.users.url.clone().unwrap_or_else(in_data_dir)
    }

    /// Returns the configuration of the stores.
    ///
    /// # Errors
    /// Fails if a backend is named whose URL is missing.
    pub fn stores(&self) -> Result<StorageConfig, ConfigError> {
        let StorageSettings { users, documents, redis } = &self.storage;
        let relational = RelationalOptions {
            pool: users.connections,
            accept_data_loss: users.accept_data_loss,
            replicas: users.replicas.clone(),
            direct: users.direct_url.clone(),
            ..RelationalOptions::default()
        };
        Ok(StorageConfig {
            relational,
            documents: documents.config()?,
            redis: redis.config()?,
            ..StorageConfig::new(self.database())
        })
    }
}

impl DocumentStoreSettings {
    fn config(&self) -> Result<Option<DocumentsConfig>, ConfigError> {
        let Some(url) = chosen(
            ("IZANAGI_STORAGE_DOCUMENTS_BACKEND", self.backend, "mongo"),
            ("MONGODB_URL", self.url.as_ref()),
        )?
        else {
            return Ok(None);
        };
        Ok(Some(DocumentsConfig {
            database: self.database.clone(),
            collection: self.collection.clone(),
            soft_delete_retention: self.soft_delete_retention,
            ..DocumentsConfig::new(url)
        }))
    }
}

impl RedisSettings {
    fn config(&self) -> Result<RedisConfig, ConfigError> {
        let place = |variable, named| {
            let url = chosen((variable, named, "redis"), ("REDIS_URL", self.url.as_ref()))?;
            Ok(url.map(|url| RedisPlace { url, prefix: self.prefix.clone() }))
        };
        Ok(RedisConfig {
            revocations: place("IZANAGI_STORAGE_REDIS_REVOCATIONS", self.revocations)?,
            bus: place("IZANAGI_STORAGE_REDIS_BUS", self.bus)?,
            limits: place("IZANAGI_STORAGE_REDIS_LIMITS", self.limits)?,
            cache: place("IZANAGI_STORAGE_REDIS_CACHE", self.cache)?,
        })
    }
}

/// Returns the URL of a backend, if it is named, or if nothing is named and it has a URL.
fn chosen(
    (setting, named, backend): (&str, Option<bool>, &str),
    (variable, url): (&str, Option<&String>),
) -> Result<Option<String>, ConfigError> {
    match (named, url) {
        (Some(false), _) | (None, None) => Ok(None),
        (_, Some(url)) => Ok(Some(url.clone())),
        (Some(true), None) => {
            let allowed = format!("set {variable}, or choose another backend");
            Err(ConfigError::new(setting, backend, allowed))
        }
    }
}
