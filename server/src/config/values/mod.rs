//! Parsing of values. Each kind is a function for `#[config(deserialize_with = …)]`.

mod choices;
mod network;
mod numbers;
mod rate;

pub use choices::{
    DocumentsBackend, DocumentsStrategy, PlaceName, ReadsFrom, RevocationsBackend, SharedBackend,
    UsersBackend, UsersStrategy, WritesTo,
};
pub(super) use choices::{
    documents_backend, documents_strategy, place_name, reads_from, revocations_backend,
    shared_backend, users_backend, users_strategy, writes_to,
};
pub(super) use network::{
    address, check_mongodb_url, database_url, database_urls, documents_url, networks, origins,
    public_url, redis_url,
};
pub use numbers::ByteSize;
pub(super) use numbers::{count, duration, size};
pub(super) use rate::rate;

use izanagi_shared::rules::Secret;
use serde::de::{Deserializer, Error, SeqAccess, Unexpected, Visitor};
use std::{fmt, marker::PhantomData, path::PathBuf};
use tracing_subscriber::EnvFilter;

/// Path of a file or directory.
pub(super) fn path<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    read(from, |given| match given {
        "" => Err(Refused::new(given, "use a path")),
        path => Ok(path.into()),
    })
}

/// Secret that seals the signing keys. It is not shown in the error.
pub(super) fn keys_secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    read(from, |given| match given.trim() {
        secret if (32..=1024).contains(&secret.len()) => Ok(Secret::new(secret)),
        _ => Err(Refused::new("…", "use 32 to 1024 random characters")),
    })
}

/// Log filter in the syntax of `tracing`.
pub(super) fn log_filter<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    read(from, |given| match EnvFilter::try_new(given) {
        Ok(_) => Ok(given.to_owned()),
        Err(_) => Err(Refused::new(given, "use a filter such as info or izanagi=debug,info")),
    })
}

/// Yes or no.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    read(from, |given| given.parse().map_err(|_| Refused::new(given, "use true or false")))
}

/// Name of a database or collection in MongoDB.
pub(super) fn name<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    read(from, |given| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        match given.len() {
            1..=63 if given.chars().all(is_allowed) => Ok(given.to_owned()),
            _ => Err(Refused::new(given, "use 1 to 63 of a–z, A–Z, 0–9, _ and -")),
        }
    })
}

/// Prefix of keys in Redis.
pub(super) fn redis_prefix<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    read(from, |given| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || ":._-".contains(c);
        match given.len() {
            1..=64 if given.chars().all(is_allowed) => Ok(given.to_owned()),
            _ => Err(Refused::new(given, "use 1 to 64 of a–z, A–Z, 0–9, : . _ and -")),
        }
    })
}

/// Log format; `true` means JSON.
pub(super) fn log_format<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    read(from, |given| match given {
        "json" => Ok(true),
        "text" => Ok(false),
        _ => Err(Refused::new(given, "use json or text")),
    })
}

/// An invalid value.
struct Refused {
    /// The value to show in the error, without secrets.
    shown: String,
    allowed: &'static str,
}

impl Refused {
    fn new(shown: impl Into<String>, allowed: &'static str) -> Self {
        Self { shown: shown.into(), allowed }
    }

    fn into_error<E: Error>(self) -> E {
        E::invalid_value(Unexpected::Str(&self.shown), &self.allowed)
    }
}

/// Parses a single value.
fn read<'de, D, T, F>(from: D, parse: F) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    F: Fn(&str) -> Result<T, Refused>,
{
    from.deserialize_any(One(parse, PhantomData))
}

/// Parses a list: one comma-separated string, or several strings.
fn read_list<'de, D, T, F>(from: D, parse: F) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    F: Fn(&str) -> Result<T, Refused>,
{
    from.deserialize_any(List(parse, PhantomData))
}

struct One<T, F>(F, PhantomData<T>);

impl<T, F: Fn(&str) -> Result<T, Refused>> Visitor<'_> for One<T, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("use a single value")
    }

    fn visit_str<E: Error>(self, given: &str) -> Result<T, E> {
        (self.0)(given).map_err(Refused::into_error)
    }
}

struct List<T, F>(F, PhantomData<T>);

impl<'de, T, F: Fn(&str) -> Result<T, Refused>> Visitor<'de> for List<T, F> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("use a list of single values")
    }

    fn visit_str<E: Error>(self, given: &str) -> Result<Vec<T>, E> {
        let parts = given.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| (self.0)(part).map_err(Refused::into_error)).collect()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Vec<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(text) = texts.next_element::<String>()? {
            values.extend(List(&self.0, PhantomData).visit_str::<A::Error>(&text)?);
        }
        Ok(values)
    }
}
