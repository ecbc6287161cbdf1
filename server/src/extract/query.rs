//! Query parameters as structs: one definition for the parser and, by `IntoParams`, for the OpenAPI
//! document. Names may be camelCase or snake_case (API.md); unknown ones are ignored.

use super::object::explain;
use crate::problem::ApiError;
use axum::{extract::FromRequestParts, http::request::Parts};
use izanagi_shared::problem::FieldError;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use std::{
    collections::BTreeMap,
    num::{IntErrorKind, ParseIntError},
};
use utoipa::IntoParams;

/// The query as a struct. Of a repeated parameter, the last counts. `axum::extract::Query` knows only
/// one spelling and rejects repeated parameters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned + IntoParams, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(parse(parts.uri.query().unwrap_or_default())?))
    }
}

fn parse<T: DeserializeOwned + IntoParams>(query: &str) -> Result<T, FieldError> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let values: BTreeMap<_, _> = pairs.map(|(name, value)| (camel(&name), value)).collect();
    from_pairs(values).map_err(|mut error: FieldError| {
        if error.code == "required" {
            // The documentation of the parameter says what is allowed.
            let mut known = T::into_params(|| None).into_iter();
            let known = known.find(|known| known.name == error.field);
            if let Some(allowed) = known.and_then(|known| known.description) {
                error.message = format!("{} {allowed}", error.message);
            }
        }
        error
    })
}

/// Reads names and values as a struct; the error names the field.
pub(super) fn from_pairs<T, I, N, V>(pairs: I) -> Result<T, FieldError>
where
    T: DeserializeOwned,
    I: IntoIterator<Item = (N, V)>,
    N: AsRef<str>,
    V: AsRef<str>,
{
    // The deserializer of texts as numbers and names is only available for a whole query.
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        query.append_pair(name.as_ref(), value.as_ref());
    }
    let query = query.finish();
    let parser = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(parser).map_err(|error| explain(&error))
}

/// Paging parameters common to all lists.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Paging {
    /// Page number, from 1.
    #[param(minimum = 1, maximum = 1_000_000)]
    #[serde(default, deserialize_with = "positive")]
    pub(crate) page: Option<u32>,
    /// Items per page, 20 if absent.
    #[param(minimum = 1, maximum = 100)]
    #[serde(default, deserialize_with = "positive")]
    page_size: Option<u32>,
    /// Alias of `pageSize`, which takes precedence.
    #[param(minimum = 1, maximum = 100)]
    #[serde(default, deserialize_with = "positive")]
    limit: Option<u32>,
    /// `nextCursor` of the previous page; takes precedence over `page`.
    pub(crate) cursor: Option<String>,
}

impl Paging {
    /// Returns the number of items per page, if given.
    pub(crate) fn size(&self) -> Option<u32> {
        self.page_size.or(self.limit)
    }
}

/// Reads a number whose range starts at 1. The range itself is checked by the domain, so 0 is read.
pub(crate) fn positive<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(value)?;
    text.parse().map(Some).map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => D::Error::custom("This number is too large."),
        _ => D::Error::custom("Use a whole number, 1 or more."),
    })
}

/// Reads a sequence number. Larger ones than databases have are refused, as the API describes.
pub(crate) fn seq<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    let seq = u64::deserialize(value)?;
    if i64::try_from(seq).is_err() {
        return Err(D::Error::custom("This number is too large."));
    }
    Ok(Some(seq))
}

/// Reads `true` or `false`; `on` is what a checkbox sends.
pub(crate) fn flag<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    match String::deserialize(value)?.as_str() {
        "false" | "0" => Ok(false),
        "true" | "1" | "on" => Ok(true),
        _ => Err(D::Error::custom("Use true or false.")),
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
    use rstest::rstest;

    #[derive(Debug, Deserialize, IntoParams)]
    #[serde(rename_all = "camelCase")]
    struct Sample {
        /// The number of a thing.
        number: u64,
        page_size: Option<u32>,
        #[serde(default, deserialize_with = "flag")]
        is_on: bool,
        kind: Option<Kind>,
    }

    #[derive(Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Markdown,
        Text,
    }

    #[rstest]
    #[case::camel_case("number=1&pageSize=2&isOn=on&kind=text")]
    #[case::snake_case("number=1&page_size=2&is_on=1&kind=text")]
    #[case::last_one_counts("number=7&number=1&pageSize=3&page_size=2&isOn=true&kind=text")]
    #[case::unknown_name("number=1&pageSize=2&isOn=true&kind=%74ext&colour=red")]
    fn reads_every_accepted_spelling(#[case] query: &str) {
        let sample: Sample = parse(query).unwrap();
        let Sample { number, page_size, is_on, kind } = sample;
        assert_eq!((number, page_size, is_on, kind), (1, Some(2), true, Some(Kind::Text)));
    }

    #[rstest]
    #[case("", "number", "required", "This field is required. The number of a thing.")]
    #[case("number=-1", "number", "invalid", "Use a whole number, 0 or more.")]
    #[case("number=1e3", "number", "invalid", "Use a whole number, 0 or more.")]
    #[case("number=1&page_size=4294967296", "pageSize", "invalid", "This number is too large.")]
    #[case("number=1&pageSize=", "pageSize", "invalid", "Use a whole number, 0 or more.")]
    #[case("number=1&isOn", "isOn", "invalid", "Use true or false.")]
    #[case("number=1&kind=", "kind", "invalid", "“” is not allowed; use markdown or text.")]
    #[case("number=1&isOn=yes", "isOn", "invalid", "Use true or false.")]
    #[case("number=1&kind=pdf", "kind", "invalid", "“pdf” is not allowed; use markdown or text.")]
    fn says_what_is_wrong(
        #[case] query: &str,
        #[case] field: &str,
        #[case] code: &str,
        #[case] message: &str,
    ) {
        let error = parse::<Sample>(query).unwrap_err();
        assert_eq!((&*error.field, &*error.code, &*error.message), (field, code, message));
    }
}
