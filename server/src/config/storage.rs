//! Settings of the stores (DESIGN §10).

use super::values::{
    DocumentsBackend, DocumentsStrategy, PlaceName, ReadsFrom, RevocationsBackend, SharedBackend,
    UsersBackend, UsersStrategy, WritesTo, count, database_url, database_urls, documents_backend,
    documents_strategy, documents_url, duration, flag, name, place_name, reads_from, redis_prefix,
    redis_url, revocations_backend, shared_backend, users_backend, users_strategy, writes_to,
};
use izanagi_storage::StoreUrl;
use std::time::Duration;

/// Short names of variables, each with the settings that it stands for unless they are given.
pub(super) const SHORT: [(&str, &[&str]); 3] = [
    ("DATABASE_URL", &["IZANAGI_STORAGE_USERS_URL"]),
    ("MONGODB_URL", &["IZANAGI_STORAGE_DOCUMENTS_URL"]),
    (
        "REDIS_URL",
        &[
            "IZANAGI_STORAGE_REVOCATIONS_URL",
            "IZANAGI_STORAGE_BUS_URL",
            "IZANAGI_STORAGE_LIMITS_URL",
            "IZANAGI_STORAGE_CACHE_URL",
        ],
    ),
];

/// The stores.
#[derive(Debug, Clone, confique::Config)]
pub struct StorageSettings {
    /// The relational database.
    #[config(nested)]
    pub users: UserStoreSettings,
    /// The document store.
    #[config(nested)]
    pub documents: DocumentStoreSettings,
    /// Ended sessions.
    #[config(nested)]
    pub revocations: RevocationSettings,
    /// What nodes tell each other.
    #[config(nested)]
    pub bus: BusSettings,
    /// Counters of limits.
    #[config(nested)]
    pub limits: CounterSettings,
    /// Rendered texts.
    #[config(nested)]
    pub cache: CacheSettings,
    /// How the document store uses its places.
    #[config(nested)]
    pub documents_routing: DocumentsRoutingSettings,
    /// How the relational database is used.
    #[config(nested)]
    pub users_routing: UsersRoutingSettings,
}

/// The relational database: accounts, the list of documents, versions and the live log.
#[derive(Debug, Clone, confique::Config)]
pub struct UserStoreSettings {
    /// `sqlite`, `memory` or `postgres`; without it, what the URL says.
    #[config(env = "IZANAGI_STORAGE_USERS_BACKEND", deserialize_with = users_backend)]
    pub backend: Option<UsersBackend>,

    /// `sqlite://PATH`, `postgres://…`, or `memory://` for no persistence; without it, a file in the
    /// data directory. Short variable: `DATABASE_URL`.
    #[config(env = "IZANAGI_STORAGE_USERS_URL", deserialize_with = database_url)]
    pub url: Option<StoreUrl>,

    /// URLs of PostgreSQL replicas, for lists and other reads that need not be fresh: a list, or
    /// separated by commas.
    #[config(env = "IZANAGI_STORAGE_USERS_REPLICAS", default = [], deserialize_with = database_urls)]
    pub replicas: Vec<StoreUrl>,

    /// URL of the PostgreSQL server itself, if the other one is that of a pooler in transaction mode:
    /// for locks that belong to a connection.
    #[config(env = "IZANAGI_STORAGE_USERS_DIRECT_URL", deserialize_with = database_url)]
    pub direct_url: Option<StoreUrl>,

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
    /// `users`, the relational database, or `sqlite`, `postgres` or `mongo` with a URL; without it,
    /// what the URL says.
    #[config(env = "IZANAGI_STORAGE_DOCUMENTS_BACKEND", deserialize_with = documents_backend)]
    pub backend: Option<DocumentsBackend>,

    /// `mongodb://…`, `mongodb+srv://…`, `postgres://…` or `sqlite://PATH`. Short variable for
    /// MongoDB: `MONGODB_URL`.
    #[config(env = "IZANAGI_STORAGE_DOCUMENTS_URL", deserialize_with = documents_url)]
    pub url: Option<StoreUrl>,

    /// Database in MongoDB; without it, that of the URL, or `izanagi`.
    #[config(env = "IZANAGI_STORAGE_DOCUMENTS_DATABASE", deserialize_with = name)]
    pub database: Option<String>,

    /// Collection in MongoDB.
    #[config(
        env = "IZANAGI_STORAGE_DOCUMENTS_COLLECTION", default = "documents", deserialize_with = name
    )]
    pub collection: String,

    /// How long records are kept that are deleted.
    #[config(
        env = "IZANAGI_STORAGE_DOCUMENTS_SOFT_DELETE_RETENTION", default = "30d",
        deserialize_with = duration
    )]
    pub soft_delete_retention: Duration,
}

/// Ended sessions.
#[derive(Debug, Clone, confique::Config)]
pub struct RevocationSettings {
    /// Where ended sessions are looked up: `users`, the relational database, or `redis`, with the
    /// relational database behind it; without it, `redis` if there is a URL.
    #[config(env = "IZANAGI_STORAGE_REVOCATIONS_BACKEND", deserialize_with = revocations_backend)]
    pub backend: Option<RevocationsBackend>,

    /// `redis://…`, or `rediss://…` for TLS. Short variable for all stores in Redis: `REDIS_URL`.
    #[config(env = "IZANAGI_STORAGE_REVOCATIONS_URL", deserialize_with = redis_url)]
    pub url: Option<StoreUrl>,

    /// Every key and channel in Redis begins with it and a colon.
    #[config(
        env = "IZANAGI_STORAGE_REVOCATIONS_PREFIX", default = "izanagi", deserialize_with = redis_prefix
    )]
    pub prefix: String,
}

/// What nodes tell each other.
#[derive(Debug, Clone, confique::Config)]
pub struct BusSettings {
    /// How nodes tell each other of changes: `process`, not at all, or `redis`; without it, `redis` if
    /// there is a URL.
    #[config(env = "IZANAGI_STORAGE_BUS_BACKEND", deserialize_with = shared_backend)]
    pub backend: Option<SharedBackend>,

    /// `redis://…`, or `rediss://…` for TLS. Short variable for all stores in Redis: `REDIS_URL`.
    #[config(env = "IZANAGI_STORAGE_BUS_URL", deserialize_with = redis_url)]
    pub url: Option<StoreUrl>,

    /// Every key and channel in Redis begins with it and a colon.
    #[config(
        env = "IZANAGI_STORAGE_BUS_PREFIX", default = "izanagi", deserialize_with = redis_prefix
    )]
    pub prefix: String,
}

/// Counters of limits.
#[derive(Debug, Clone, confique::Config)]
pub struct CounterSettings {
    /// Where limits are counted: `process`, by each node, or `redis`; without it, `redis` if there is a
    /// URL.
    #[config(env = "IZANAGI_STORAGE_LIMITS_BACKEND", deserialize_with = shared_backend)]
    pub backend: Option<SharedBackend>,

    /// `redis://…`, or `rediss://…` for TLS. Short variable for all stores in Redis: `REDIS_URL`.
    #[config(env = "IZANAGI_STORAGE_LIMITS_URL", deserialize_with = redis_url)]
    pub url: Option<StoreUrl>,

    /// Every key and channel in Redis begins with it and a colon.
    #[config(
        env = "IZANAGI_STORAGE_LIMITS_PREFIX", default = "izanagi", deserialize_with = redis_prefix
    )]
    pub prefix: String,
}

/// Rendered texts.
#[derive(Debug, Clone, confique::Config)]
pub struct CacheSettings {
    /// Where rendered texts are kept: `process`, by each node, or `redis`; without it, `redis` if there
    /// is a URL.
    #[config(env = "IZANAGI_STORAGE_CACHE_BACKEND", deserialize_with = shared_backend)]
    pub backend: Option<SharedBackend>,

    /// `redis://…`, or `rediss://…` for TLS. Short variable for all stores in Redis: `REDIS_URL`.
    #[config(env = "IZANAGI_STORAGE_CACHE_URL", deserialize_with = redis_url)]
    pub url: Option<StoreUrl>,

    /// Every key and channel in Redis begins with it and a colon.
    #[config(
        env = "IZANAGI_STORAGE_CACHE_PREFIX", default = "izanagi", deserialize_with = redis_prefix
    )]
    pub prefix: String,
}

/// How the document store uses its places.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct DocumentsRoutingSettings {
    /// `single`: one place. `dual-write`: the relational database and that of the documents; the first
    /// decides, the second is a copy. `read-replica`: copies may be read from replicas.
    #[config(
        env = "IZANAGI_STORAGE_ROUTING_DOCUMENTS_STRATEGY", default = "single",
        deserialize_with = documents_strategy
    )]
    pub strategy: DocumentsStrategy,

    /// With `dual-write`, the place that decides: `users`, `documents`, or the backend of one of them.
    #[config(env = "IZANAGI_STORAGE_ROUTING_DOCUMENTS_PRIMARY", deserialize_with = place_name)]
    pub primary: Option<PlaceName>,

    /// With `dual-write`, the place of the copy; without it, the other one.
    #[config(env = "IZANAGI_STORAGE_ROUTING_DOCUMENTS_SHADOW", deserialize_with = place_name)]
    pub shadow: Option<PlaceName>,

    /// With `dual-write`, what answers reads: `primary`; `shadow` where a copy is good enough; or
    /// `both`, which compares them and counts differences.
    #[config(
        env = "IZANAGI_STORAGE_ROUTING_DOCUMENTS_READS", default = "primary",
        deserialize_with = reads_from
    )]
    pub reads: ReadsFrom,

    /// With `dual-write`, what is written: `both`, or only the `primary`.
    #[config(
        env = "IZANAGI_STORAGE_ROUTING_DOCUMENTS_WRITES", default = "both",
        deserialize_with = writes_to
    )]
    pub writes: WritesTo,
}

/// How the relational database is used.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct UsersRoutingSettings {
    /// `single`, or `read-replica`; without it, `read-replica` if there are replicas.
    #[config(env = "IZANAGI_STORAGE_ROUTING_USERS_STRATEGY", deserialize_with = users_strategy)]
    pub strategy: Option<UsersStrategy>,
}
