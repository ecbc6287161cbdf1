//! Addresses, networks and URLs.

use super::{Refused, read, read_list};
use axum::http::Uri;
use ipnet::IpNet;
use izanagi_storage::StoreUrl;
use serde::de::Deserializer;
use std::net::{IpAddr, SocketAddr};

/// Address and port.
pub(in super::super) fn address<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<SocketAddr, D::Error> {
    read(from, |given| {
        let allowed = "use address:port, such as 127.0.0.1:7999";
        given.parse().map_err(|_| Refused::new(given, allowed))
    })
}

/// Networks; a single address counts as one.
pub(in super::super) fn networks<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<IpNet>, D::Error> {
    read_list(from, |given| {
        let address = || given.parse::<IpAddr>().map(IpNet::from);
        given.parse().or_else(|_| address()).map_err(|_| {
            let allowed = "use addresses or networks such as 10.0.0.0/8, separated by commas";
            Refused::new(given, allowed)
        })
    })
}

/// A URL with only scheme and host, stored as the origin that browsers send.
pub(in super::super) fn public_url<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    read(from, |given| {
        let allowed =
            "use http:// or https:// with a host and no path, such as https://docs.example.org";
        origin_of(given).ok_or_else(|| Refused::new(without_user(given), allowed))
    })
}

/// Origins, stored as browsers send them.
pub(in super::super) fn origins<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<String>, D::Error> {
    read_list(from, |given| {
        origin_of(given).ok_or_else(|| {
            let allowed =
                "use origins such as https://app.example.org, separated by commas; * is not one";
            Refused::new(without_user(given), allowed)
        })
    })
}

/// URL of a relational database.
pub(in super::super) fn database_url<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<StoreUrl, D::Error> {
    read(from, relational)
}

/// URLs of relational databases.
pub(in super::super) fn database_urls<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<StoreUrl>, D::Error> {
    read_list(from, relational)
}

fn relational(given: &str) -> Result<StoreUrl, Refused> {
    if given == "memory://" {
        return Ok(given.into());
    }
    let allowed = "use sqlite://PATH, postgres://user:password@host/database or memory://";
    with_scheme(given, &["sqlite", "postgres", "postgresql"], allowed)
}

/// URL of a document store.
pub(in super::super) fn documents_url<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<StoreUrl, D::Error> {
    let allowed = "use mongodb://user:password@host/database, mongodb+srv://…, postgres://… or \
                   sqlite://PATH";
    let schemes = ["mongodb", "mongodb+srv", "postgres", "postgresql", "sqlite"];
    read(from, |given| with_scheme(given, &schemes, allowed))
}

/// Refuses a URL that is none of MongoDB.
pub(in super::super) fn check_mongodb_url(given: &str) -> Result<(), (String, &'static str)> {
    let allowed = "use mongodb://user:password@host/database or mongodb+srv://…";
    let checked = with_scheme(given, &["mongodb", "mongodb+srv"], allowed);
    checked.map(drop).map_err(|refused| (refused.shown, refused.allowed))
}

/// URL of a Redis server.
pub(in super::super) fn redis_url<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<StoreUrl, D::Error> {
    let allowed = "use redis://user:password@host:port, or rediss:// for TLS";
    read(from, |given| with_scheme(given, &["redis", "rediss"], allowed))
}

/// Returns a URL if it has one of these schemes. A refusal shows only the scheme: the rest may contain a
/// password.
fn with_scheme(given: &str, schemes: &[&str], allowed: &'static str) -> Result<StoreUrl, Refused> {
    let (scheme, rest) = given.split_once("://").unwrap_or_default();
    if schemes.contains(&scheme) && !rest.is_empty() {
        return Ok(given.into());
    }
    let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let shown = if is_scheme && !scheme.is_empty() { scheme } else { "…" };
    Err(Refused::new(format!("{shown}://…"), allowed))
}

/// Returns a URL with only scheme and host as browsers send it: in lower case, without a trailing
/// slash and without the scheme's default port (RFC 6454 §6.2).
fn origin_of(given: &str) -> Option<String> {
    let url = given.trim_end_matches('/').to_ascii_lowercase();
    let parsed: Uri = url.parse().ok()?;
    let plain = matches!(parsed.scheme_str(), Some("http" | "https"))
        && parsed.host().is_some_and(|host| !host.is_empty())
        && parsed.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && matches!(parsed.path(), "" | "/")
        && parsed.query().is_none();
    let implied = if url.starts_with("https:") { ":443" } else { ":80" };
    plain.then(|| url.strip_suffix(implied).unwrap_or(&url).to_owned())
}

/// Removes user name and password from a URL.
fn without_user(given: &str) -> String {
    let Some((before, rest)) = given.rsplit_once('@') else { return given.to_owned() };
    let scheme = before.find("://").map_or("", |end| &before[..end + 3]);
    format!("{scheme}…@{rest}")
}
