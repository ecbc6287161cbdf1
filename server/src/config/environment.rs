//! The environment, read in this one place.

use super::{
    Config, ConfigError, parse_database_url, parse_listen, parse_origins, parse_proxies,
    parse_public_url,
};
use crate::keys::KeySource;

/// Lays the environment over the settings.
pub(super) fn apply(
    env: &dyn Fn(&str) -> Option<String>,
    config: &mut Config,
) -> Result<(), ConfigError> {
    // An empty variable counts as none: that is how Compose files leave one out.
    let get = |name: &str| env(name).filter(|value| !value.is_empty());
    if let Some(given) = get("IZANAGI_LISTEN") {
        config.listen = parse_listen("IZANAGI_LISTEN", &given)?;
    }
    if let Some(given) = get("IZANAGI_DATA_DIR") {
        config.data_dir = given.into();
    }
    if let Some(given) = get("IZANAGI_PUBLIC_URL") {
        config.public_url = Some(parse_public_url("IZANAGI_PUBLIC_URL", &given)?);
    }
    if let Some(given) = get("DATABASE_URL") {
        config.database_url = Some(parse_database_url("DATABASE_URL", &given)?);
    }
    if let Some(given) = get("IZANAGI_SITE_ROOT") {
        config.site_root = Some(given.into());
    }
    if let Some(given) = get("IZANAGI_TRUSTED_PROXIES") {
        config.trusted_proxies = parse_proxies("IZANAGI_TRUSTED_PROXIES", &given)?;
    }
    if let Some(given) = get("IZANAGI_CORS_ORIGINS") {
        config.cors_origins = parse_origins("IZANAGI_CORS_ORIGINS", &given)?;
    }
    if let Some(given) = get("IZANAGI_KEYS_FILE") {
        config.keys = KeySource::File(given.into());
    }
    if let Some(given) = get("IZANAGI_LOG") {
        config.log.filter = given;
    }
    if let Some(given) = get("IZANAGI_LOG_FORMAT") {
        config.log.json = match given.as_str() {
            "json" => true,
            "text" => false,
            _ => return Err(ConfigError::new("IZANAGI_LOG_FORMAT", given, "use json or text")),
        };
    }
    Ok(())
}
