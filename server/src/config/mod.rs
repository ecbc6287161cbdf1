//! Settings: `izanagi.yaml`, and over it the environment (DESIGN §10). Read once, at start.
//!
//! A setting is one field with its documentation, its variable and its default. The name in the
//! file follows from the variable: `IZANAGI_LIMITS_SIGN_IN` is `limits.signIn` (see `schema`). The
//! template that `izanagi config` prints is made from the same fields.

mod error;
mod schema;
mod services;
mod source;
mod template;
mod values;

#[cfg(test)]
mod tests;

pub use error::ConfigError;
pub use services::{LimitSettings, LiveSettings, ServiceSettings};
pub use template::template;
pub use values::ByteSize;

use crate::keys::KeySource;
use confique::{Config as _, Layer as _};
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use values::{
    address, count, database_url, duration, log_filter, log_format, networks, origins, path,
    public_url, size,
};

/// All settings. A default is a text, read like one in the file.
#[derive(Debug, Clone, confique::Config)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one.
    #[config(env = "IZANAGI_LISTEN", default = "127.0.0.1:7999", deserialize_with = address)]
    pub listen: SocketAddr,

    /// Folder of the database and the signing keys.
    #[config(env = "IZANAGI_DATA_DIR", default = "data", deserialize_with = path)]
    pub data_dir: PathBuf,

    /// URL by which browsers reach the server, such as `https://docs.example.org`; https makes
    /// cookies `Secure`.
    #[config(env = "IZANAGI_PUBLIC_URL", deserialize_with = public_url)]
    pub public_url: Option<String>,

    /// `sqlite://PATH`, or `memory://` to keep nothing; without it, a file in the data folder.
    #[config(env = "DATABASE_URL", deserialize_with = database_url)]
    pub database_url: Option<String>,

    /// Folder of the built pages; without it, the one beside the binary's build.
    #[config(env = "IZANAGI_SITE_ROOT", deserialize_with = path)]
    pub site_root: Option<PathBuf>,

    /// Addresses and networks of proxies whose `X-Forwarded-For` is believed: a list, or separated
    /// by commas.
    #[config(env = "IZANAGI_TRUSTED_PROXIES", default = [], deserialize_with = networks)]
    pub trusted_proxies: Vec<IpNet>,

    /// PEM file with the signing keys, mode 0600; without it, `keys.pem` in the data folder.
    #[config(env = "IZANAGI_KEYS_FILE", deserialize_with = path)]
    pub keys_file: Option<PathBuf>,

    /// Origins such as `https://app.example.org` whose scripts may use `/api`: a list, or separated
    /// by commas.
    #[config(env = "IZANAGI_CORS_ORIGINS", default = [], deserialize_with = origins)]
    pub cors_origins: Vec<String>,

    /// How to log.
    #[config(nested)]
    pub log: LogConfig,

    /// Largest request body.
    #[config(
        env = "IZANAGI_LIMITS_REQUEST_BODY_BYTES", default = "64MiB", deserialize_with = size
    )]
    pub body_limit: usize,

    /// Connections open at once; further ones wait. Without it, as many as the limit of open files
    /// leaves room for, at most 10000.
    #[config(env = "IZANAGI_LIMITS_CONNECTIONS", deserialize_with = count)]
    pub connections: Option<usize>,

    /// How long to wait for clients.
    #[config(nested)]
    pub patience: Patience,

    /// Settings of the domain's services.
    #[config(nested)]
    pub settings: ServiceSettings,
}

/// How to log.
#[derive(Debug, Clone, confique::Config)]
pub struct LogConfig {
    /// What to log: a `tracing` filter such as `izanagi=debug,info`.
    #[config(env = "IZANAGI_LOG", default = "info", deserialize_with = log_filter)]
    pub filter: String,

    /// Form of the log: `json`, one object a line, or `text`.
    #[config(env = "IZANAGI_LOG_FORMAT", default = "json", deserialize_with = log_format)]
    pub json: bool,
}

/// How long to wait for clients.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct Patience {
    /// Wait for the head of a request; also how long a connection may stay open between two
    /// requests.
    #[config(
        env = "IZANAGI_LIMITS_REQUEST_HEAD", default = "60s", deserialize_with = duration
    )]
    pub head: Duration,

    /// Wait for the next bytes of a request's body.
    #[config(
        env = "IZANAGI_LIMITS_REQUEST_BODY_IDLE", default = "30s", deserialize_with = duration
    )]
    pub body_idle: Duration,

    /// Longest time from a request's head to its response.
    #[config(env = "IZANAGI_LIMITS_REQUEST", default = "10m", deserialize_with = duration)]
    pub request: Duration,

    /// Wait for a client to take the next bytes of a response.
    #[config(
        env = "IZANAGI_LIMITS_ANSWER_IDLE", default = "60s", deserialize_with = duration
    )]
    pub answer_idle: Duration,

    /// Time for open requests to end at shutdown.
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
    /// The first setting that is not allowed.
    pub fn load() -> Result<Self, ConfigError> {
        source::require_unicode()?;
        Self::from_sources(&|name| std::env::var(name).ok())
    }

    /// The same over any environment, for tests.
    ///
    /// # Errors
    /// The first setting that is not allowed.
    pub fn from_sources(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let file = source::read_file(env)?;
        let environment = source::read_environment(env)?;
        let defaults = <Self as confique::Config>::Layer::default_values();
        Self::from_layer(environment.with_fallback(file).with_fallback(defaults))
            .map_err(|error| ConfigError::new("izanagi.yaml", "", error.to_string()))
    }

    /// Whether browsers reach the server by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }

    /// URL of the database.
    #[must_use]
    pub fn database(&self) -> String {
        let in_data_dir = || format!("sqlite://{}", self.data_dir.join("izanagi.db").display());
        self.database_url.clone().unwrap_or_else(in_data_dir)
    }

    /// Where the signing keys come from.
    #[must_use]
    pub fn keys(&self) -> KeySource {
        self.keys_file.clone().map_or(KeySource::DataDir, KeySource::File)
    }
}
