//! Settings from `izanagi.yaml`, overridden by environment variables (DESIGN §10). They are read
//! once, at startup.
//!
//! A setting is one field with its documentation, variable and default. Its name in the file
//! follows from the variable: `IZANAGI_LIMITS_SIGN_IN` is `limits.signIn` (see `schema`). `izanagi
//! config` generates its template from the same fields.

mod error;
mod schema;
mod services;
mod sockets;
mod source;
mod storage;
mod stores;
mod template;
mod values;

#[cfg(test)]
mod tests;

pub use error::ConfigError;
pub use services::{LimitSettings, LiveSettings, ServiceSettings};
pub use sockets::SocketSettings;
pub use storage::{
    BusSettings, CacheSettings, CounterSettings, DocumentStoreSettings, DocumentsRoutingSettings,
    RevocationSettings, StorageSettings, UserStoreSettings, UsersRoutingSettings,
};
pub use template::template;
pub use values::{
    ByteSize, DocumentsBackend, DocumentsStrategy, PlaceName, ReadsFrom, RevocationsBackend,
    SharedBackend, UsersBackend, UsersStrategy, WritesTo,
};

use crate::keys::KeySource;
use confique::{Config as _, Layer as _};
use ipnet::IpNet;
use izanagi_shared::rules::Secret;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use values::{
    address, count, duration, keys_secret, log_filter, log_format, networks, origins, path,
    public_url, size,
};

/// All settings. Defaults are strings, parsed like values in the file.
#[derive(Debug, Clone, confique::Config)]
pub struct Config {
    /// Address and port to listen on; port 0 chooses a free port.
    #[config(env = "IZANAGI_LISTEN", default = "127.0.0.1:7999", deserialize_with = address)]
    pub listen: SocketAddr,

    /// Directory of the signing keys and of the database, unless it is elsewhere.
    #[config(env = "IZANAGI_DATA_DIR", default = "data", deserialize_with = path)]
    pub data_dir: PathBuf,

    /// URL at which browsers reach the server, such as `https://docs.example.org`; https makes
    /// cookies `Secure`. Without it, the server answers only at an address or at localhost.
    #[config(env = "IZANAGI_PUBLIC_URL", deserialize_with = public_url)]
    pub public_url: Option<String>,

    /// Directory of the built pages; without it, the one next to the binary's build.
    #[config(env = "IZANAGI_SITE_ROOT", deserialize_with = path)]
    pub site_root: Option<PathBuf>,

    /// Addresses and networks of proxies whose `X-Forwarded-For` is trusted: a list, or separated
    /// by commas.
    #[config(env = "IZANAGI_TRUSTED_PROXIES", default = [], deserialize_with = networks)]
    pub trusted_proxies: Vec<IpNet>,

    /// PEM file with the signing keys, mode 0600; without it, `keys.pem` in the data directory.
    #[config(env = "IZANAGI_KEYS_FILE", deserialize_with = path)]
    pub keys_file: Option<PathBuf>,

    /// Secret of 32 characters or more, the same for all nodes, such as `openssl rand -base64 32`
    /// prints. With it, the signing keys are in the relational database, encrypted, and all nodes use
    /// the same.
    #[config(env = "IZANAGI_KEYS_SECRET", deserialize_with = keys_secret)]
    pub keys_secret: Option<Secret>,

    /// Origins such as `https://app.example.org` whose scripts may use `/api`: a list, or separated
    /// by commas.
    #[config(env = "IZANAGI_CORS_ORIGINS", default = [], deserialize_with = origins)]
    pub cors_origins: Vec<String>,

    /// The stores.
    #[config(nested)]
    pub storage: StorageSettings,

    /// Logging.
    #[config(nested)]
    pub log: LogConfig,

    /// Largest request body.
    #[config(
        env = "IZANAGI_LIMITS_REQUEST_BODY_BYTES", default = "64MiB", deserialize_with = size
    )]
    pub body_limit: usize,

    /// Maximum number of open connections; further ones wait. Without it, as many as the limit of
    /// open files allows, at most 10000.
    #[config(env = "IZANAGI_LIMITS_CONNECTIONS", deserialize_with = count)]
    pub connections: Option<usize>,

    /// Maximum number of open connections of one client address (IPv6: of one /64); further ones
    /// are closed. Loopback addresses and trusted proxies are exempt.
    #[config(
        env = "IZANAGI_LIMITS_CONNECTIONS_PER_ADDRESS", default = "256", deserialize_with = count
    )]
    pub connections_per_address: usize,

    /// Timeouts for clients.
    #[config(nested)]
    pub patience: Patience,

    /// WebSockets.
    #[config(nested)]
    pub sockets: SocketSettings,

    /// Settings of the domain's services.
    #[config(nested)]
    pub settings: ServiceSettings,
}

/// Logging.
#[derive(Debug, Clone, confique::Config)]
pub struct LogConfig {
    /// What to log: a `tracing` filter such as `izanagi=debug,info`.
    #[config(env = "IZANAGI_LOG", default = "info", deserialize_with = log_filter)]
    pub filter: String,

    /// Log format: `json`, one object per line, or `text`.
    #[config(env = "IZANAGI_LOG_FORMAT", default = "json", deserialize_with = log_format)]
    pub json: bool,
}

/// Timeouts for clients.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct Patience {
    /// Timeout for the head of a request, from its first byte.
    #[config(
        env = "IZANAGI_LIMITS_REQUEST_HEAD", default = "10s", deserialize_with = duration
    )]
    pub head: Duration,

    /// Timeout for the first byte of a request, on a new connection or after another request.
    #[config(
        env = "IZANAGI_LIMITS_REQUEST_IDLE", default = "60s", deserialize_with = duration
    )]
    pub idle: Duration,

    /// Timeout for the next bytes of a request's body.
    #[config(
        env = "IZANAGI_LIMITS_REQUEST_BODY_IDLE", default = "30s", deserialize_with = duration
    )]
    pub body_idle: Duration,

    /// Timeout from a request's head to its response.
    #[config(env = "IZANAGI_LIMITS_REQUEST", default = "10m", deserialize_with = duration)]
    pub request: Duration,

    /// Timeout for a client to read the next bytes of a response.
    #[config(
        env = "IZANAGI_LIMITS_ANSWER_IDLE", default = "60s", deserialize_with = duration
    )]
    pub answer_idle: Duration,

    /// Time that open requests have to finish at shutdown.
    #[config(env = "IZANAGI_LIMITS_DRAIN", default = "30s", deserialize_with = duration)]
    pub drain: Duration,
}

impl Default for Config {
    fn default() -> Self {
        defaults()
    }
}

impl Default for Patience {
    fn default() -> Self {
        defaults()
    }
}

#[expect(
    clippy::expect_used,
    reason = "fails only for a setting without default; a test loads all"
)]
fn defaults<C: confique::Config>() -> C {
    C::from_layer(C::Layer::default_values()).expect("every setting is optional or has a default")
}

impl Config {
    /// Reads the file (`IZANAGI_CONFIG`, or `izanagi.yaml` if it exists), then the environment.
    ///
    /// # Errors
    /// Fails on the first invalid setting.
    pub fn load() -> Result<Self, ConfigError> {
        source::require_unicode()?;
        Self::from_sources(&|name| std::env::var(name).ok())
    }

    /// Like [`Config::load`], with any environment, for tests.
    ///
    /// # Errors
    /// Fails on the first invalid setting.
    pub fn from_sources(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let file = source::read_file(env)?;
        let environment = source::read_environment(env)?;
        let defaults = <Self as confique::Config>::Layer::default_values();
        Self::from_layer(environment.with_fallback(file).with_fallback(defaults))
            .map_err(|error| ConfigError::new("izanagi.yaml", "", error.to_string()))
    }

    /// Returns whether browsers reach the server by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Returns the location of the signing keys.
    #[must_use]
    pub fn keys(&self) -> KeySource {
        self.keys_file.clone().map_or(KeySource::DataDir, KeySource::File)
    }
}
