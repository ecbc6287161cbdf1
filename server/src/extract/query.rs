//! Query parameters: names in camelCase or snake_case (API.md); unknown ones are ignored.

use crate::problem::ApiError;
use axum::{extract::FromRequestParts, http::request::Parts};
use izanagi_domain::error::Error;
use izanagi_shared::problem::FieldError;
use std::str::FromStr;

/// The parameters of a query.
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
    /// Returns the last value of the parameter with this camelCase name.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Parses a value.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, words: &str) -> Result<Option<T>, Error> {
        let Some(value) = self.text(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        let refuse = |_| FieldError::new(name, "invalid", words);
        Ok(Some(value.parse().map_err(refuse)?))
    }

    /// Parses `true` or `false`, the default; `on` is what a checkbox sends.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.text(name) {
            None | Some("" | "false" | "0") => Ok(false),
            Some("true" | "1" | "on") => Ok(true),
            Some(_) => Err(FieldError::new(name, "invalid", "Use true or false.").into()),
        }
    }
}

/// Paging parameters common to all lists.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageQuery {
    pub(crate) page: Option<u32>,
    pub(crate) page_size: Option<u32>,
    pub(crate) cursor: Option<String>,
}

impl PageQuery {
    /// Parses `page`, `pageSize` (alias `limit`) and `cursor`.
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

/// Converts `page_size` to `pageSize`.
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
    fn accepts_both_spellings() {
        assert_eq!(camel("page_size"), "pageSize");
        assert_eq!(camel("include_deleted"), "includeDeleted");
        assert_eq!(camel("pageSize"), "pageSize");
    }
}
