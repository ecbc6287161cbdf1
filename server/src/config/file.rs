//! `izanagi.yaml`.

use super::{
    Config, ConfigError, parse_database_url, parse_listen, parse_origins, parse_proxies,
    parse_public_url,
};
use izanagi_domain::accounts::Rate;
use serde::Deserialize;
use std::{num::NonZeroU32, path::PathBuf, time::Duration};

const DEFAULT_FILE: &str = "izanagi.yaml";

/// The file; a key that is not here is refused.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct File {
    listen: Option<String>,
    data_dir: Option<PathBuf>,
    public_url: Option<String>,
    database_url: Option<String>,
    site_root: Option<PathBuf>,
    trusted_proxies: Option<Vec<String>>,
    cors: Option<CorsFile>,
    limits: Option<LimitsFile>,
    live: Option<LiveFile>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CorsFile {
    #[serde(alias = "allowed_origins")]
    allowed_origins: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LimitsFile {
    sign_in: Option<RateFile>,
    sign_up: Option<RateFile>,
    writes: Option<RateFile>,
    reads: Option<RateFile>,
    request_body_bytes: Option<usize>,
    request_head: Option<String>,
    request_body_idle: Option<String>,
    request: Option<String>,
    answer_idle: Option<String>,
    drain: Option<String>,
    update_bytes: Option<usize>,
    password_hashes_at_once: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RateFile {
    count: NonZeroU32,
    per: String,
    burst: Option<NonZeroU32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LiveFile {
    snapshot_updates: Option<u64>,
    snapshot_after: Option<String>,
    idle_after: Option<String>,
}

/// Reads the file, if there is one.
pub(super) fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<Option<File>, ConfigError> {
    let named = env("IZANAGI_CONFIG").filter(|path| !path.is_empty());
    let path = named.clone().unwrap_or_else(|| DEFAULT_FILE.to_owned());
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(_) if named.is_none() => return Ok(None),
        Err(error) => {
            let allowed = format!("use the path of a file that can be read ({error})");
            return Err(ConfigError::new("IZANAGI_CONFIG", path, allowed));
        }
    };
    serde_norway::from_str(&text)
        .map(Some)
        .map_err(|error| ConfigError::new(&path, error.to_string(), "see docs/operations.md"))
}

impl File {
    /// Lays the file over the defaults.
    pub(super) fn apply(self, config: &mut Config) -> Result<(), ConfigError> {
        if let Some(given) = self.listen {
            config.listen = parse_listen("listen", &given)?;
        }
        if let Some(given) = self.data_dir {
            config.data_dir = given;
        }
        if let Some(given) = self.public_url {
            config.public_url = Some(parse_public_url("publicUrl", &given)?);
        }
        if let Some(given) = self.database_url {
            config.database_url = Some(parse_database_url("databaseUrl", &given)?);
        }
        if let Some(given) = self.site_root {
            config.site_root = Some(given);
        }
        if let Some(given) = self.trusted_proxies {
            config.trusted_proxies = parse_proxies("trustedProxies", &given.join(","))?;
        }
        if let Some(CorsFile { allowed_origins }) = self.cors {
            let given = allowed_origins.join(",");
            config.cors_origins = parse_origins("cors.allowedOrigins", &given)?;
        }
        self.limits.unwrap_or_default().apply(config)?;
        self.live.unwrap_or_default().apply(config)
    }
}

impl LimitsFile {
    fn apply(self, config: &mut Config) -> Result<(), ConfigError> {
        let limits = &mut config.settings.limits;
        for (name, given, rate) in [
            ("limits.signIn", self.sign_in, &mut limits.sign_in),
            ("limits.signUp", self.sign_up, &mut limits.sign_up),
            ("limits.writes", self.writes, &mut limits.writes),
            ("limits.reads", self.reads, &mut limits.reads),
        ] {
            if let Some(given) = given {
                let per = parse_duration(&format!("{name}.per"), &given.per)?;
                let burst = given.burst.unwrap_or(given.count);
                *rate = Rate { count: given.count, per, burst };
            }
        }
        if let Some(bytes) = self.request_body_bytes {
            config.body_limit = bytes;
        }
        let patience = &mut config.patience;
        for (name, given, time) in [
            ("limits.requestHead", self.request_head, &mut patience.head),
            ("limits.requestBodyIdle", self.request_body_idle, &mut patience.body_idle),
            ("limits.request", self.request, &mut patience.request),
            ("limits.answerIdle", self.answer_idle, &mut patience.answer_idle),
            ("limits.drain", self.drain, &mut patience.drain),
        ] {
            if let Some(given) = given {
                *time = parse_duration(name, &given)?;
            }
        }
        if let Some(bytes) = self.update_bytes {
            config.settings.live.max_update_bytes = bytes;
        }
        match self.password_hashes_at_once {
            None => Ok(()),
            Some(0) => Err(ConfigError::new("limits.passwordHashesAtOnce", "0", "use at least 1")),
            Some(count) => {
                config.settings.password_hashes_at_once = count;
                Ok(())
            }
        }
    }
}

impl LiveFile {
    fn apply(self, config: &mut Config) -> Result<(), ConfigError> {
        let live = &mut config.settings.live;
        match self.snapshot_updates {
            None => {}
            Some(0) => {
                return Err(ConfigError::new("live.snapshotUpdates", "0", "use at least 1"));
            }
            Some(updates) => live.snapshot_updates = updates,
        }
        if let Some(given) = self.snapshot_after {
            live.snapshot_after = parse_duration("live.snapshotAfter", &given)?;
        }
        if let Some(given) = self.idle_after {
            live.idle_after = parse_duration("live.idleAfter", &given)?;
        }
        Ok(())
    }
}

/// `500ms`, `30s`, `5m`, `1h`; more than nothing.
fn parse_duration(name: &str, given: &str) -> Result<Duration, ConfigError> {
    let refuse = || ConfigError::new(name, given, "use a time such as 500ms, 30s, 5m or 1h");
    let digits = given.find(|c: char| !c.is_ascii_digit()).ok_or_else(refuse)?;
    let (number, unit) = given.split_at(digits);
    let number: u64 = number.parse().map_err(|_| refuse())?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(refuse()),
    };
    let total = number.checked_mul(millis).filter(|total| *total > 0).ok_or_else(refuse)?;
    Ok(Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Patience;
    use rstest::rstest;

    fn applied(yaml: &str) -> Result<Config, ConfigError> {
        let mut config = Config::default();
        serde_norway::from_str::<File>(yaml).unwrap().apply(&mut config).map(|()| config)
    }

    #[test]
    fn cors_and_patience_can_be_set() {
        let yaml = "cors: { allowedOrigins: ['https://a.example', 'http://b:1'] }\n\
                    limits: { requestHead: 7s, requestBodyIdle: 5s, request: 1h, answerIdle: 9s, drain: 1m }\n";
        let config = applied(yaml).unwrap();
        assert_eq!(config.cors_origins, ["https://a.example", "http://b:1"]);
        let Patience { head, body_idle, request, answer_idle, drain } = config.patience;
        assert_eq!(
            [head, body_idle, request, answer_idle, drain].map(|time| time.as_secs()),
            [7, 5, 3_600, 9, 60]
        );
        let error = applied("cors: { allowedOrigins: ['*'] }").unwrap_err();
        assert_eq!((error.name.as_str(), error.given.as_str()), ("cors.allowedOrigins", "*"));
        assert_eq!(applied("limits: { drain: soon }").unwrap_err().name, "limits.drain");
    }

    #[rstest]
    #[case("500ms", Some(500))]
    #[case("30s", Some(30_000))]
    #[case("1h", Some(3_600_000))]
    #[case("0s", None)]
    #[case("10", None)]
    #[case("1 day", None)]
    fn durations(#[case] text: &str, #[case] millis: Option<u64>) {
        assert_eq!(parse_duration("x", text).ok(), millis.map(Duration::from_millis));
    }
}
