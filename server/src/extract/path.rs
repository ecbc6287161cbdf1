//! Ids in paths.

use crate::problem::ApiError;
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use izanagi_domain::{error::Error, principal::Principal};
use izanagi_shared::{id::DocumentId, problem::FieldError};

/// Path parameters, parsed on demand.
#[derive(Debug)]
pub(crate) struct PathId(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params =
            params.map_err(|_| FieldError::new("path", "invalid", "Use UTF-8 in paths."))?;
        let pairs = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Self(pairs.collect()))
    }
}

impl PathId {
    /// Returns the document id in the path. An anonymous caller gets 401 before a malformed id is
    /// reported (DESIGN §8).
    pub(crate) fn document(&self, who: &Principal) -> Result<DocumentId, Error> {
        match self.id("id") {
            Err(_) if who.is_anonymous() => Err(Error::Unauthenticated),
            other => other,
        }
    }

    /// Parses a parameter as an id.
    pub(crate) fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        self.parse(name, "invalid_id", "This is not a UUID.")
    }

    /// Parses a parameter as a version number in canonical form.
    pub(crate) fn number(&self, name: &str) -> Result<u64, Error> {
        let words = "This is not a version number: use 1, 2, 3 …";
        let number: u64 = self.parse(name, "invalid_number", words)?;
        if self.value(name) == Some(&number.to_string()) {
            return Ok(number);
        }
        Err(FieldError::new(name, "invalid_number", words).into())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn parse<T: std::str::FromStr>(&self, name: &str, code: &str, words: &str) -> Result<T, Error> {
        let parsed = self.value(name).and_then(|value| value.parse().ok());
        parsed.ok_or_else(|| FieldError::new(name, code, words).into())
    }
}
