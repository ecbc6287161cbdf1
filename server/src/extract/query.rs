//! Queries: names in camelCase or snake_case (API.md), unknown ones ignored, numbers checked.

use crate::problem::ApiError;
use axum::{extract::FromRequestParts, http::request::Parts};
use izanagi_domain::error::Error;
use izanagi_shared::problem::FieldError;
use std::str::FromStr;

/// The fields of a query.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        Ok(Self(pairs.map(|(name, value)| (camel(&name), value.into_owned())).collect()))
    }
}

impl Fields {
    /// The last value given under this camelCase name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A value that must parse.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, words: &str) -> Result<Option<T>, Error> {
        let Some(value) = self.text(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let refuse = |_| FieldError::new(name, "invalid", words);
        Ok(Some(value.parse().map_err(refuse)?))
    }

    /// `true` or `false`; absent is `false`. A checkbox says `on`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.text(name) {
            None | Some("" | "false" | "0") => Ok(false),
            Some("true" | "1" | "on") => Ok(true),
            Some(_) => Err(FieldError::new(name, "invalid", "Use true or false.").into()),
        }
    }
}

/// What every list takes.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageQuery {
    pub(crate) page: Option<u32>,
    pub(crate) page_size: Option<u32>,
    pub(crate) cursor: Option<String>,
}

impl PageQuery {
    /// Reads `page`, `pageSize` (alias `limit`) and `cursor`.
    pub(crate) fn from_fields(fields: &Fields) -> Result<Self, Error> {
        let words = "Use a whole number from 1.";
        let page_size = match fields.parsed("pageSize", words)? {
            Some(size) => Some(size),
            None => fields.parsed("limit", words)?,
        };
        Ok(Self {
            page: fields.parsed("page", words)?,
            page_size,
            cursor: fields.text("cursor").filter(|text| !text.is_empty()).map(str::to_owned),
        })
    }
}

/// `page_size` → `pageSize`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut chars = part.chars();
        camel.extend(chars.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(chars.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_mean_the_same() {
        assert_eq!(camel("page_size"), "pageSize");
        assert_eq!(camel("include_deleted"), "includeDeleted");
        assert_eq!(camel("pageSize"), "pageSize");
    }
}
