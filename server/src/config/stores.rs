//! What the settings of the stores mean together.

use super::{
    Config, ConfigError, StorageSettings,
    values::{
        DocumentsBackend, DocumentsStrategy, PlaceName, ReadsFrom, RevocationsBackend,
        SharedBackend, UsersBackend, UsersStrategy, WritesTo,
    },
};
use izanagi_storage::{
    DocumentsConfig, DocumentsRouting, Reads, RedisConfig, RedisPlace, RelationalOptions,
    StorageConfig, StoreUrl,
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
        let documents = self.storage.documents()?;
        let routing = self.storage.routing(&url)?;
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
            routing,
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
            let given = format!("{} with the URL {url}", named.as_str());
            let allowed = format!("use {found}, or a URL of the other kind in storage.users.url");
            return Err(ConfigError::new("storage.users.backend", given, allowed));
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
    fn documents(&self) -> Result<Option<DocumentsConfig>, ConfigError> {
        let settings = &self.documents;
        let is_second = self.documents_routing.strategy == DocumentsStrategy::DualWrite;
        let url = match (settings.backend, &settings.url) {
            (None, None) => return Ok(None),
            (Some(DocumentsBackend::Users), _) if !is_second => return Ok(None),
            (Some(DocumentsBackend::Users), None) => return Ok(None),
            (Some(named), None) => {
                let allowed = "set storage.documents.url (for MongoDB: MONGODB_URL), or use users";
                let name = "storage.documents.backend";
                return Err(ConfigError::new(name, named.as_str(), allowed));
            }
            (Some(DocumentsBackend::Users) | None, Some(url)) => url,
            (Some(named), Some(url)) if named.as_str() == backend_of(url) => url,
            (Some(named), Some(url)) => {
                let given = format!("{} with the URL {url}", named.as_str());
                let allowed = format!("use {}, or another URL", backend_of(url));
                return Err(ConfigError::new("storage.documents.backend", given, allowed));
            }
        };
        Ok(Some(DocumentsConfig {
            database: settings.database.clone(),
            collection: settings.collection.clone(),
            soft_delete_retention: settings.soft_delete_retention,
            ..DocumentsConfig::new(url.clone())
        }))
    }

    fn routing(&self, users: &StoreUrl) -> Result<DocumentsRouting, ConfigError> {
        let settings = &self.documents_routing;
        match settings.strategy {
            DocumentsStrategy::Single => return Ok(DocumentsRouting::Single),
            DocumentsStrategy::ReadReplica => return Ok(DocumentsRouting::ReadReplica),
            DocumentsStrategy::DualWrite => {}
        }
        let Some(own) = &self.documents.url else {
            let allowed = "set storage.documents.url for the other place, or use single";
            let name = "storage.routing.documents.strategy";
            return Err(ConfigError::new(name, "dual-write", allowed));
        };
        let kinds = [backend_of(users), backend_of(own)];
        let is_own = |setting: &str, named: PlaceName| {
            let word = named.as_str();
            match (named, kinds.map(|kind| kind == word)) {
                (PlaceName::Users, _) | (_, [true, false]) => Ok(false),
                (PlaceName::Documents, _) | (_, [false, true]) => Ok(true),
                (_, [true, true]) => {
                    let allowed = "both are of this kind: use users or documents";
                    Err(ConfigError::new(setting, word, allowed))
                }
                (_, [false, false]) => {
                    let allowed = format!("use {} or {}, as the URLs say", kinds[0], kinds[1]);
                    Err(ConfigError::new(setting, word, allowed))
                }
            }
        };
        let own_first = settings
            .primary
            .map(|named| is_own("storage.routing.documents.primary", named))
            .transpose()?;
        let shadow = "storage.routing.documents.shadow";
        let own_second = settings.shadow.map(|named| is_own(shadow, named)).transpose()?;
        if let (Some(first), Some(second), Some(named)) = (own_first, own_second, settings.shadow)
            && first == second
        {
            let allowed = "use another place than storage.routing.documents.primary";
            return Err(ConfigError::new(shadow, named.as_str(), allowed));
        }
        Ok(DocumentsRouting::DualWrite {
            own_first: own_first.or(own_second.map(|second| !second)).unwrap_or(true),
            reads: match settings.reads {
                ReadsFrom::Primary => Reads::Primary,
                ReadsFrom::Shadow => Reads::Shadow,
                ReadsFrom::Both => Reads::Both,
            },
            mirrors: settings.writes == WritesTo::Both,
        })
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
