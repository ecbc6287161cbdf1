//! Addresses, networks and URLs.

use super::{Refused, read, read_list};
use axum::http::Uri;
use ipnet::IpNet;
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

/// A URL with only scheme and host, stored without a trailing slash.
pub(in super::super) fn public_url<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    read(from, |given| {
        let allowed =
            "use http:// or https:// with a host and no path, such as https://docs.example.org";
        let url = plain_url(given).ok_or_else(|| Refused::new(without_user(given), allowed))?;
        Ok(url.to_owned())
    })
}

/// Origins as browsers send them: in lower case, without the scheme's default port.
pub(in super::super) fn origins<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<String>, D::Error> {
    read_list(from, |given| {
        let url = plain_url(given).map(str::to_ascii_lowercase).ok_or_else(|| {
            let allowed =
                "use origins such as https://app.example.org, separated by commas; * is not one";
            Refused::new(without_user(given), allowed)
        })?;
        let implied = if url.starts_with("https:") { ":443" } else { ":80" };
        Ok(url.strip_suffix(implied).unwrap_or(&url).to_owned())
    })
}

/// URL of a database.
pub(in super::super) fn database_url<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<String, D::Error> {
    read(from, |given| {
        if given.starts_with("sqlite://") || given == "memory://" {
            return Ok(given.to_owned());
        }
        // Show only the scheme: the rest may contain a password.
        let scheme = given.split_once("://").map_or("", |(scheme, _)| scheme);
        let is_scheme = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let shown = if is_scheme && !scheme.is_empty() { scheme } else { "…" };
        Err(Refused::new(format!("{shown}://…"), "use sqlite://PATH or memory://"))
    })
}

/// Returns a URL with only scheme and host, without a trailing slash.
fn plain_url(given: &str) -> Option<&str> {
    let trimmed = given.trim_end_matches('/');
    let url: Uri = trimmed.parse().ok()?;
    let plain = matches!(url.scheme_str(), Some("http" | "https"))
        && url.host().is_some_and(|host| !host.is_empty())
        && url.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        && matches!(url.path(), "" | "/")
        && url.query().is_none();
    plain.then_some(trimmed)
}

/// Removes user name and password from a URL.
fn without_user(given: &str) -> String {
    let Some((before, rest)) = given.rsplit_once('@') else { return given.to_owned() };
    let scheme = before.find("://").map_or("", |end| &before[..end + 3]);
    format!("{scheme}…@{rest}")
}
