//! Which stores are in Redis, and where.

use crate::{error::OpenError, url::StoreUrl};
use redis::TlsCertificates;
use std::fmt;

/// Characters of the longest prefix.
const LONGEST_PREFIX: usize = 64;

/// The stores that are in Redis. `None`: in the relational database, or in this process.
#[derive(Debug, Clone, Default)]
pub struct RedisConfig {
    /// A fast copy of revocations; the truth is in the relational database.
    pub revocations: Option<RedisPlace>,
    /// The bus between nodes.
    pub bus: Option<RedisPlace>,
    /// Rate limits that nodes share.
    pub limits: Option<RedisPlace>,
    /// Values that can be computed again.
    pub cache: Option<RedisPlace>,
}

impl RedisConfig {
    /// Everything in one place.
    #[must_use]
    pub fn all(place: &RedisPlace) -> Self {
        let place = || Some(place.clone());
        Self { revocations: place(), bus: place(), limits: place(), cache: place() }
    }

    /// The places, each once, with the first store that is there.
    pub(crate) fn places(&self) -> Vec<(&'static str, RedisPlace)> {
        let Self { revocations, bus, limits, cache } = self;
        let all =
            [("revocations", revocations), ("bus", bus), ("limits", limits), ("cache", cache)];
        let mut places: Vec<(&'static str, RedisPlace)> = Vec::new();
        for (store, place) in all {
            if let Some(place) = place
                && !places.iter().any(|(_, known)| known == place)
            {
                places.push((store, place.clone()));
            }
        }
        places
    }
}

/// A Redis server, and the beginning of all keys there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RedisPlace {
    /// `redis://[user:password@]host[:port][/database]`, or `rediss://…` for TLS. There,
    /// `?sslrootcert=FILE` names the authorities that are trusted instead of the public ones.
    pub url: StoreUrl,
    /// Every key and channel begins with it and a colon.
    pub prefix: String,
}

impl RedisPlace {
    /// A server, with the prefix `izanagi`.
    pub fn new(url: impl Into<StoreUrl>) -> Self {
        Self { url: url.into(), prefix: "izanagi".to_owned() }
    }

    /// Checks the URL and the prefix of `setting`.
    pub(super) fn client(&self, setting: &'static str) -> Result<redis::Client, OpenError> {
        let scheme = self.url.scheme();
        let refuse = |problem: &str| OpenError::Redis { setting, problem: problem.to_owned() };
        if !matches!(scheme, "redis" | "rediss") {
            let given = if scheme.is_empty() { "no scheme" } else { scheme };
            return Err(refuse(&format!("the URL has {given}")));
        }
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || ":._-".contains(c);
        let length = self.prefix.len();
        if length == 0 || length > LONGEST_PREFIX || !self.prefix.chars().all(is_allowed) {
            return Err(refuse("the prefix is not 1 to 64 of A–Z a–z 0–9 : . _ -"));
        }
        if scheme == "rediss" {
            // Another part of the process may have installed it already.
            drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        }
        // The error may repeat parts of the URL, which has the password.
        let (url, authorities) = split(self.url.expose());
        let Some(file) = authorities else {
            return redis::Client::open(url).map_err(|_| refuse("the URL cannot be read"));
        };
        if scheme != "rediss" {
            return Err(refuse("sslrootcert needs rediss://"));
        }
        let root_cert = std::fs::read(file)
            .map_err(|error| refuse(&format!("the file of sslrootcert cannot be read: {error}")))?;
        let certificates = TlsCertificates { client_tls: None, root_cert: Some(root_cert) };
        redis::Client::build_with_tls(url, certificates)
            .map_err(|_| refuse("the URL or the certificates of sslrootcert cannot be read"))
    }

    /// Returns a key.
    pub(super) fn key(&self, rest: impl fmt::Display) -> String {
        format!("{}:{rest}", self.prefix)
    }

    /// Host and port, without secrets.
    pub(super) fn address(client: &redis::Client) -> String {
        client.get_connection_info().addr().to_string()
    }
}

/// Splits the option that the driver does not know from a URL.
fn split(url: &str) -> (&str, Option<&str>) {
    match url.split_once("?sslrootcert=") {
        Some((url, file)) => (url, Some(file)),
        None => (url, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("redis://127.0.0.1:6379", "izanagi")]
    #[case("redis://me:secret@host/3", "izanagi:rev")]
    #[case("rediss://host", "a-b_c.d")]
    fn accepts(#[case] url: &str, #[case] prefix: &str) {
        let place = RedisPlace { url: url.into(), prefix: prefix.to_owned() };
        assert!(place.client("bus").is_ok());
    }

    #[rstest]
    #[case("localhost:6379", "izanagi")]
    #[case("http://me:secret@host", "izanagi")]
    #[case("redis://me:secret@host:notaport", "izanagi")]
    #[case("redis://me:secret@host", "")]
    #[case("redis://me:secret@host", "with space")]
    #[case("redis://me:secret@host?sslrootcert=/dev/null", "izanagi")]
    #[case("rediss://me:secret@host?sslrootcert=/nowhere/ca.pem", "izanagi")]
    fn refuses_by_the_name_of_the_setting(#[case] url: &str, #[case] prefix: &str) {
        let place = RedisPlace { url: url.into(), prefix: prefix.to_owned() };
        let said = place.client("bus").unwrap_err().to_string();
        assert!(said.contains("bus") && said.contains("redis://"), "{said}");
        assert!(!said.contains("secret"), "{said}");
        assert!(!format!("{place:?}").contains("secret"));
    }
}
