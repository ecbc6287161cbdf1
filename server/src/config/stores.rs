//! What the settings of the stores mean together.

use super::{
    Config, ConfigError, StorageSettings,
    values::{DocumentsBackend, RevocationsBackend, SharedBackend, UsersBackend, UsersStrategy},
};
use izanagi_storage::{
    DocumentsConfig, RedisConfig, RedisPlace, RelationalOptions, StorageConfig, StoreUrl,
};

impl Config {
    /// Returns the URL of the relational database.
    #[must_use]
    pub fn database(&self) -> StoreUrl {
        if let Some(url) = &self.storage.users.url {
            return url.clone();
        }
        if self.storage.users.backend == Some(UsersBackend::Memory) {
            return "memory://".into();
        }
        format!("sqlite://{}", self.data_dir.join("izanagi.db").display()).into()
    }

    /// Returns the configuration of the stores.
    ///
    /// # Errors
    /// Fails if settings contradict each other, or if a backend is named whose URL is missing.
    pub fn stores(&self) -> Result<StorageConfig, ConfigError> {
        let url = self.database();
        self.storage.check_users(&url)?;
        let documents = self.storage.documents(&url)?;
        let users = &self.storage.users;
        let relational = RelationalOptions {
            pool: users.connections,
            accept_data_loss: users.accept_data_loss,
            replicas: users.replicas.clone(),
            direct: users.direct_url.clone(),
            ..RelationalOptions::default()
        };
        Ok(StorageConfig {
            relational,
            documents,
            retention: self.storage.documents.soft_delete_retention,
            redis: self.storage.redis()?,
            ..StorageConfig::new(url)
        })
    }
}

/// The backend that a scheme belongs to.
fn backend_of(url: &StoreUrl) -> &'static str {
    match url.scheme() {
        "mongodb" | "mongodb+srv" => "mongo",
        "postgres" | "postgresql" => "postgres",
        "memory" => "memory",
        _ => "sqlite",
    }
}

impl StorageSettings {
    fn check_users(&self, url: &StoreUrl) -> Result<(), ConfigError> {
        let found = backend_of(url);
        if let Some(named) = self.users.backend
            && named.as_str() != found
        {
            let (given, allowed) = if self.users.url.is_some() {
                let allowed = format!("use {found}, or a URL of {}", named.as_str());
                (format!("{} with the URL {url}", named.as_str()), allowed)
            } else {
                let allowed = "set storage.users.url (DATABASE_URL)".to_owned();
                (named.as_str().to_owned(), allowed)
            };
            return Err(ConfigError::new("storage.users.backend", given, allowed));
        }
        if let Some(direct) = &self.users.direct_url
            && found != "postgres"
        {
            let allowed = "only PostgreSQL has poolers; see storage.users.url";
            return Err(ConfigError::new("storage.users.directUrl", direct.to_string(), allowed));
        }
        let (strategy, has_replicas) =
            (self.users_routing.strategy, !self.users.replicas.is_empty());
        let wrong = match strategy {
            Some(UsersStrategy::ReadReplica) if !has_replicas => {
                "set storage.users.replicas, or use single"
            }
            Some(UsersStrategy::Single) if has_replicas => {
                "remove storage.users.replicas, or use read-replica"
            }
            _ if has_replicas && found != "postgres" => {
                let given = self.users.replicas.iter().map(ToString::to_string);
                let given = given.collect::<Vec<_>>().join(", ");
                let allowed = "only PostgreSQL has replicas; see storage.users.url";
                return Err(ConfigError::new("storage.users.replicas", given, allowed));
            }
            _ => return Ok(()),
        };
        let given = strategy.map_or("", UsersStrategy::as_str);
        Err(ConfigError::new("storage.routing.users.strategy", given, wrong))
    }

    /// Returns the database of the documents, if they have one of their own.
    fn documents(&self, users: &StoreUrl) -> Result<Option<DocumentsConfig>, ConfigError> {
        let settings = &self.documents;
        let url = match (settings.backend, &settings.url) {
            (None, None) => return Ok(None),
            (Some(DocumentsBackend::Users), _) => return Ok(None),
            (Some(named), None) => {
                let allowed = "set storage.documents.url (for MongoDB: MONGODB_URL), or use users";
                let name = "storage.documents.backend";
                return Err(ConfigError::new(name, named.as_str(), allowed));
            }
            (None, Some(url)) => url,
            (Some(named), Some(url)) if named.as_str() == backend_of(url) => url,
            (Some(named), Some(url)) => {
                let given = format!("{} with the URL {url}", named.as_str());
                let allowed = format!("use {}, or another URL", backend_of(url));
                return Err(ConfigError::new("storage.documents.backend", given, allowed));
            }
        };
        if backend_of(url) == "sqlite" && backend_of(users) == "postgres" {
            let allowed = "use MongoDB or PostgreSQL: each server would have a file of its own";
            return Err(ConfigError::new("storage.documents.url", url.to_string(), allowed));
        }
        if let Some(database) = &settings.database
            && backend_of(url) != "mongo"
        {
            let allowed = "name the database in storage.documents.url";
            return Err(ConfigError::new("storage.documents.database", database, allowed));
        }
        Ok(Some(DocumentsConfig {
            database: settings.database.clone(),
            collection: settings.collection.clone(),
            soft_delete_retention: settings.soft_delete_retention,
            ..DocumentsConfig::new(url.clone())
        }))
    }

    fn redis(&self) -> Result<RedisConfig, ConfigError> {
        let Self { revocations, bus, limits, cache, .. } = self;
        let shared = |backend: Option<SharedBackend>| backend.map(|it| it == SharedBackend::Redis);
        let place =
            |store: &str, in_redis: Option<bool>, url: &Option<StoreUrl>, prefix: &str| match (
                in_redis, url,
            ) {
                (Some(false), _) | (None, None) => Ok(None),
                (_, Some(url)) => {
                    Ok(Some(RedisPlace { url: url.clone(), prefix: prefix.to_owned() }))
                }
                (Some(true), None) => {
                    let name = format!("storage.{store}.backend");
                    let allowed = format!("set storage.{store}.url (REDIS_URL), or use another");
                    Err(ConfigError::new(&name, "redis", allowed))
                }
            };
        let in_redis = revocations.backend.map(|it| it == RevocationsBackend::Redis);
        Ok(RedisConfig {
            revocations: place("revocations", in_redis, &revocations.url, &revocations.prefix)?,
            bus: place("bus", shared(bus.backend), &bus.url, &bus.prefix)?,
            limits: place("limits", shared(limits.backend), &limits.url, &limits.prefix)?,
            cache: place("cache", shared(cache.backend), &cache.url, &cache.prefix)?,
        })
    }
}
