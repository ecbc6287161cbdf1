//! Path parameters as structs, documented like those of queries.

use super::query::from_pairs;
use crate::problem::ApiError;
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use izanagi_shared::{
    id::{DocumentId, InvalidId},
    problem::FieldError,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use std::str::FromStr;
use utoipa::IntoParams;

/// Some of the path parameters, as a struct.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<T>(pub(crate) T);

/// The document.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DocumentPath {
    /// Document id.
    #[serde(deserialize_with = "id")]
    #[param(value_type = String, format = "uuid")]
    pub(crate) id: DocumentId,
}

/// The version of a document.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct VersionPath {
    /// Version number, from 1.
    #[serde(deserialize_with = "number")]
    pub(crate) n: u64,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params =
            params.map_err(|_| FieldError::new("path", "invalid", "Use UTF-8 in paths."))?;
        // `axum::extract::Path` forgets at which parameter a `deserialize_with` failed.
        let path = from_pairs(params.iter()).map_err(|mut error| {
            let is_id = error.message == NOT_A_UUID;
            error.code = if is_id { "invalid_id" } else { "invalid_number" }.to_owned();
            error
        })?;
        Ok(Self(path))
    }
}

const NOT_A_UUID: &str = "This is not a UUID.";

/// Reads an id in its only accepted spelling.
pub(crate) fn id<'de, T, D>(value: D) -> Result<T, D::Error>
where
    T: FromStr<Err = InvalidId>,
    D: Deserializer<'de>,
{
    String::deserialize(value)?.parse().map_err(|InvalidId| D::Error::custom(NOT_A_UUID))
}

/// Reads an id that may be absent.
pub(crate) fn optional_id<'de, T, D>(value: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err = InvalidId>,
    D: Deserializer<'de>,
{
    id(value).map(Some)
}

/// Reads a version number in canonical form, so that every version has exactly one URL.
fn number<'de, D: Deserializer<'de>>(value: D) -> Result<u64, D::Error> {
    let text = String::deserialize(value)?;
    let number = text.parse().ok().filter(|number: &u64| number.to_string() == text);
    number.ok_or_else(|| D::Error::custom("This is not a version number: use 1, 2, 3 and so on."))
}
