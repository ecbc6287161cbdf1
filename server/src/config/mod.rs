//! Settings: `izanagi.yaml`, and over it the environment (DESIGN §10). Read once, at start. A wrong
//! one stops the start with its name, what was given and what is allowed.

mod environment;
mod file;

use crate::keys::KeySource;
use axum::http::Uri;
use ipnet::IpNet;
use izanagi_domain::services::Settings;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// SQLite file, keys, blobs.
    pub data_dir: PathBuf,
    /// How browsers reach it, without a slash at the end; decides `Secure` cookies.
    pub public_url: Option<String>,
    /// `sqlite://…` or `memory://`; a file in `data_dir` when absent.
    pub database_url: Option<String>,
    /// The built pages; beside the binary's build when absent.
    pub site_root: Option<PathBuf>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How to log.
    pub log: LogConfig,
    /// Where the signing keys come from.
    pub keys: KeySource,
    /// Limits and live editing.
    pub settings: Settings,
    /// The largest request body, in bytes.
    pub body_limit: usize,
    /// How long is waited for clients.
    pub patience: Patience,
    /// How many connections are open at once; more wait to be taken. As many as the process's open
    /// files leave room for, when absent.
    pub connections: Option<usize>,
    /// Other origins whose scripts may use the API, as browsers send them.
    pub cors_origins: Vec<String>,
}

/// How long is waited for clients.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of a request; also how long a connection may stay open between two requests.
    pub head: Duration,
    /// For the next bytes of a request's body.
    pub body_idle: Duration,
    /// For a request from its head to its answer.
    pub request: Duration,
    /// For a client to take the next bytes of an answer.
    pub answer_idle: Duration,
    /// For open requests to end once the process is told to.
    pub drain: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(60),
            body_idle: Duration::from_secs(30),
            request: Duration::from_secs(600),
            answer_idle: Duration::from_secs(60),
            drain: Duration::from_secs(30),
        }
    }
}

/// How to log.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// A filter as `tracing` takes it: `info`, `izanagi=debug,info` …
    pub filter: String,
    /// JSON lines, or text for a person.
    pub json: bool,
}

/// A setting that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("setting {name}: “{given}” is not allowed; {allowed}")]
pub struct ConfigError {
    /// As it is called where it was set.
    pub name: String,
    /// What was given.
    pub given: String,
    /// What is allowed.
    pub allowed: String,
}

impl ConfigError {
    fn new(name: &str, given: impl Into<String>, allowed: impl Into<String>) -> Self {
        Self { name: name.to_owned(), given: given.into(), allowed: allowed.into() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7999),
            data_dir: PathBuf::from("data"),
            public_url: None,
            database_url: None,
            site_root: None,
            trusted_proxies: Vec::new(),
            log: LogConfig { filter: "info".to_owned(), json: true },
            keys: KeySource::DataDir,
            settings: Settings::default(),
            body_limit: 64 * 1024 * 1024,
            patience: Patience::default(),
            connections: None,
            cors_origins: Vec::new(),
        }
    }
}

impl Config {
    /// Reads the file (`IZANAGI_CONFIG`, or `izanagi.yaml` if it is there), then the environment.
    ///
    /// # Errors
    /// The first setting that makes no sense.
    pub fn load() -> Result<Self, ConfigError> {
        Self::from_sources(&|name| std::env::var(name).ok())
    }

    /// The same over any environment, for tests.
    ///
    /// # Errors
    /// The first setting that makes no sense.
    pub fn from_sources(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        if let Some(file) = file::read(env)? {
            file.apply(&mut config)?;
        }
        environment::apply(env, &mut config)?;
        Ok(config)
    }

    /// Whether browsers reach it by https.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }

    /// The database, by URL.
    #[must_use]
    pub fn database(&self) -> String {
        let in_data_dir = || format!("sqlite://{}", self.data_dir.join("izanagi.db").display());
        self.database_url.clone().unwrap_or_else(in_data_dir)
    }
}

fn parse_listen(name: &str, given: &str) -> Result<SocketAddr, ConfigError> {
    given
        .parse()
        .map_err(|_| ConfigError::new(name, given, "use address:port, such as 127.0.0.1:7999"))
}

fn parse_public_url(name: &str, given: &str) -> Result<String, ConfigError> {
    let allowed =
        "use http:// or https:// with a host and no path, such as https://docs.example.org";
    let url = plain_url(given).ok_or_else(|| ConfigError::new(name, given, allowed))?;
    Ok(url.to_owned())
}

/// A URL of scheme and host alone, without a slash at the end.
fn plain_url(given: &str) -> Option<&str> {
    let trimmed = given.trim_end_matches('/');
    let url: Uri = trimmed.parse().ok()?;
    let plain = matches!(url.scheme_str(), Some("http" | "https"))
        && url.host().is_some_and(|host| !host.is_empty())
        && matches!(url.path(), "" | "/")
        && url.query().is_none();
    plain.then_some(trimmed)
}

/// Origins as browsers send them: in lower case, without the port that the scheme implies.
fn parse_origins(name: &str, given: &str) -> Result<Vec<String>, ConfigError> {
    let origins = given.split(',').map(str::trim).filter(|part| !part.is_empty());
    let parse = |part: &str| {
        let url = plain_url(part).filter(|url| !url.contains('@')).map(str::to_ascii_lowercase);
        let url = url.ok_or_else(|| {
            let allowed = "use origins such as https://app.example.org, by commas; * is none";
            ConfigError::new(name, part, allowed)
        })?;
        let implied = if url.starts_with("https:") { ":443" } else { ":80" };
        Ok(url.strip_suffix(implied).unwrap_or(&url).to_owned())
    };
    origins.map(parse).collect()
}

fn parse_database_url(name: &str, given: &str) -> Result<String, ConfigError> {
    if given.starts_with("sqlite://") || given == "memory://" {
        return Ok(given.to_owned());
    }
    // What comes after the scheme may hold a password.
    let scheme = given.split("://").next().unwrap_or_default();
    Err(ConfigError::new(name, format!("{scheme}://…"), "use sqlite://PATH or memory://"))
}

fn parse_proxies(name: &str, given: &str) -> Result<Vec<IpNet>, ConfigError> {
    let networks = given.split(',').map(str::trim).filter(|part| !part.is_empty());
    let parse = |part: &str| {
        part.parse().or_else(|_| part.parse::<IpAddr>().map(IpNet::from)).map_err(|_| {
            ConfigError::new(name, part, "use addresses or networks, such as 10.0.0.0/8, by commas")
        })
    };
    networks.map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn with<'a>(pairs: &'a [(&'a str, &'a str)]) -> Result<Config, ConfigError> {
        Config::from_sources(&|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_settings_it_listens_on_this_machine_only() {
        let config = with(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:7999");
        assert_eq!(config.database(), "sqlite://data/izanagi.db");
        assert!(!config.is_https());
    }

    #[rstest]
    #[case("IZANAGI_LISTEN", "7999")]
    #[case("IZANAGI_PUBLIC_URL", "docs.example.org")]
    #[case("IZANAGI_PUBLIC_URL", "https://example.org/path")]
    #[case("IZANAGI_TRUSTED_PROXIES", "10.0.0.0/8, everybody")]
    #[case("IZANAGI_LOG_FORMAT", "xml")]
    #[case("IZANAGI_CORS_ORIGINS", "*")]
    #[case("IZANAGI_CORS_ORIGINS", "null")]
    #[case("IZANAGI_CORS_ORIGINS", "app.example.org")]
    #[case("IZANAGI_CORS_ORIGINS", "https://me@app.example.org")]
    #[case("IZANAGI_CORS_ORIGINS", "https://a.example, https://b.example/path")]
    #[case("IZANAGI_CONFIG", "there/is/no/such.yaml")]
    fn a_wrong_setting_is_named(#[case] name: &str, #[case] value: &str) {
        let error = with(&[(name, value)]).unwrap_err();
        assert_eq!(error.name, name);
        assert!(!error.allowed.is_empty());
    }

    #[test]
    fn origins_are_kept_as_browsers_send_them() {
        let given = "https://App.example.org:443/, http://localhost:3000,,http://a:80";
        let config = with(&[("IZANAGI_CORS_ORIGINS", given)]).unwrap();
        let origins = ["https://app.example.org", "http://localhost:3000", "http://a"];
        assert_eq!(config.cors_origins, origins);
        assert_eq!(with(&[]).unwrap().cors_origins, [""; 0]);
    }

    #[test]
    fn a_password_in_a_url_is_not_printed() {
        let error = with(&[("DATABASE_URL", "mysql://me:hunter2@host/db")]).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn https_makes_cookies_secure() {
        let config = with(&[("IZANAGI_PUBLIC_URL", "https://docs.example.org/")]).unwrap();
        assert!(config.is_https());
        assert_eq!(config.public_url.as_deref(), Some("https://docs.example.org"));
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("izanagi.yaml");
        std::fs::write(
            &path,
            "listen: 127.0.0.1:1\nlimits:\n  reads: { count: 5, per: 1s, burst: 7 }\n",
        )
        .unwrap();
        let path = path.to_str().unwrap();
        let config = with(&[("IZANAGI_CONFIG", path), ("IZANAGI_LISTEN", "127.0.0.1:2")]).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.settings.limits.reads.burst.get(), 7);
    }

    #[test]
    fn an_unknown_key_in_the_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("izanagi.yaml");
        std::fs::write(&path, "listem: 127.0.0.1:1\n").unwrap();
        let error = with(&[("IZANAGI_CONFIG", path.to_str().unwrap())]).unwrap_err();
        assert!(error.to_string().contains("listem"), "{error}");
    }
}
