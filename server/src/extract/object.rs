//! Parses JSON objects, and explains serde's errors to users.

use crate::problem::ApiResult;
use izanagi_domain::error::Error;
use izanagi_shared::problem::FieldError;
use serde::de::DeserializeOwned;
use std::fmt::Display;

/// Parses a JSON object.
///
/// # Errors
/// Fails if the bytes are not a JSON object, or a field is missing, unknown or of the wrong type.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> ApiResult<T> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Error::MalformedBody(format!("byte {} is not UTF-8", error.valid_up_to()))
    })?;
    izanagi_shared::json::check(text)
        .map_err(|error| Error::MalformedBody(format!("it {error}")))?;
    // Serde would accept a list as a struct, with its items as the fields in order.
    if !text.trim_start().starts_with('{') {
        return Err(FieldError::new("body", "invalid", "Send a JSON object.").into());
    }
    let parser = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(parser).map_err(|error| explain(&error).into())
}

/// Converts an error of serde to one about the field it occurred at.
pub(super) fn explain<E: Display>(error: &serde_path_to_error::Error<E>) -> FieldError {
    let path = error.path().to_string();
    // `?` stands for a name that could not be read, `.` for the whole.
    let path = path.trim_end_matches('?').trim_end_matches('.');
    let full = error.inner().to_string();
    let reason = full.split(" at line ").next().unwrap_or(&full);
    // Serde's path ends at the object that lacks or repeats the field.
    let member =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if let Some(name) = between(reason, "missing field `", "`") {
        return FieldError::new(&member(name), "required", "This field is required.");
    }
    if let Some(name) = between(reason, "duplicate field `", "`") {
        let message = "This field occurs more than once.";
        return FieldError::new(&member(name), "duplicate", message);
    }
    let field = if path.is_empty() { "body" } else { path };
    if matches!(reason, "lone leading surrogate in hex escape" | "unexpected end of hex escape") {
        let place = full.split_once(" at line ").map_or("", |(_, place)| place);
        let place = place.replace(" column ", ", column ");
        let message = format!(
            "The escape that ends at line {place} is half of a surrogate pair, not a character."
        );
        return FieldError::new(field, "lone_surrogate", message);
    }
    FieldError::new(field, "invalid", in_words(reason))
}

/// Rewrites serde's message without Rust terms.
fn in_words(reason: &str) -> String {
    if let Some(listed) = between(reason, "unknown field `", "") {
        let (_, allowed) = listed.split_once(", expected ").unwrap_or(("", "no such field"));
        return format!("There is no such field; allowed: {}.", names(allowed));
    }
    if let Some(listed) = between(reason, "unknown variant `", "") {
        let (given, allowed) = listed.split_once("`, expected ").unwrap_or((listed, "another"));
        let allowed = names(allowed);
        let allowed = match allowed.rsplit_once(", ") {
            Some((others, last)) => format!("{others} or {last}"),
            None => allowed,
        };
        return format!("“{given}” is not allowed; use {allowed}.");
    }
    if let Some((given, wanted)) =
        between(reason, "invalid type: ", "").and_then(|rest| rest.split_once(", expected "))
    {
        return format!("This is {}; send {}.", kind(given), kind(wanted));
    }
    if let Some((given, _)) =
        between(reason, "invalid value: ", "").and_then(|rest| rest.split_once(", expected "))
    {
        return format!(
            "{} is out of range.",
            names(given.split_once(' ').map_or(given, |two| two.1))
        );
    }
    match reason {
        // `std`'s messages for a text that is not a number; a query has only texts.
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "Use a whole number, 0 or more.".to_owned()
        }
        "number too large to fit in target type" | "number out of range" => {
            "This number is too large.".to_owned()
        }
        // Our own messages are sentences; those of serde and other crates are not.
        own if own.ends_with('.') => own.to_owned(),
        _ => "This value is not allowed.".to_owned(),
    }
}

/// Rewrites ``one of `a`, `b` `` as `a, b`.
fn names(listed: &str) -> String {
    listed.strip_prefix("one of ").unwrap_or(listed).replace('`', "")
}

/// Returns the JSON name for serde's name of a type.
fn kind(name: &str) -> &'static str {
    match name.split([' ', '`']).next().unwrap_or_default() {
        "map" | "struct" => "an object",
        "sequence" | "seq" | "tuple" => "a list",
        "null" | "unit" => "null",
        "boolean" | "bool" => "true or false",
        "integer" | "floating" | "number" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "string" | "character" | "str" => "a string",
        "a" if name.ends_with("string") => "a string",
        "a" if name.ends_with("boolean") => "true or false",
        "a" if name.ends_with("sequence") => "a list",
        "a" if name.ends_with("map") => "an object",
        _ => "a value of another type",
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::ApiError;
    use rstest::rstest;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "the tests only check whether it can be parsed")]
    struct Sample {
        title: String,
        page_size: Option<u32>,
        kind: Option<Kind>,
        tags: Option<Vec<String>>,
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Markdown,
        Text,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "the tests only check whether it can be parsed")]
    struct Inner {
        deep: bool,
    }

    #[rstest]
    #[case("[]", "body", "Send a JSON object.")]
    #[case(" \n[\"a\"]", "body", "Send a JSON object.")]
    #[case("null", "body", "Send a JSON object.")]
    #[case("{}", "title", "This field is required.")]
    #[case(r#"{"title":"a","inner":{}}"#, "inner.deep", "This field is required.")]
    #[case(r#"{"title":5}"#, "title", "This is a number; send a string.")]
    #[case(r#"{"title":null}"#, "title", "This is null; send a string.")]
    #[case(r#"{"title":{}}"#, "title", "This is an object; send a string.")]
    #[case(
        r#"{"title":"a","pageSize":"b"}"#,
        "pageSize",
        "This is a string; send a whole number, 0 or more."
    )]
    #[case(
        r#"{"title":"a","pageSize":1.5}"#,
        "pageSize",
        "This is a number; send a whole number, 0 or more."
    )]
    #[case(r#"{"title":"a","pageSize":-1}"#, "pageSize", "-1 is out of range.")]
    #[case(r#"{"title":"a","tags":true}"#, "tags", "This is true or false; send a list.")]
    #[case(r#"{"title":"a","kind":"pdf"}"#, "kind", "“pdf” is not allowed; use markdown or text.")]
    #[case(
        r#"{"title":"a","inner":{"deep":1}}"#,
        "inner.deep",
        "This is a number; send true or false."
    )]
    #[case(
        r#"{"title":"a","colour":1}"#,
        "colour",
        "There is no such field; allowed: title, pageSize, kind, tags, inner."
    )]
    #[case(r#"{"title":"a","title":"b"}"#, "title", "This field occurs more than once.")]
    #[case(
        r#"{"title":"a","inner":{"deep":true,"deep":true}}"#,
        "inner.deep",
        "This field occurs more than once."
    )]
    #[case(r#"{"title":"a","pageSize":1e999}"#, "pageSize", "This number is too large.")]
    fn says_what_is_wrong(#[case] body: &str, #[case] field: &str, #[case] message: &str) {
        let error: ApiError = parse::<Sample>(body.as_bytes()).unwrap_err();
        let problem = error.into_problem();
        let said: Vec<_> = problem.errors.iter().map(|e| (&*e.field, &*e.message)).collect();
        assert_eq!(said, [(field, message)]);
    }

    #[rstest]
    #[case(r#"{"title":"\ud800"}"#, "title")]
    #[case(r#"{"title":"\udc00 a"}"#, "title")]
    #[case(r#"{"title":"a \ud800\ud800"}"#, "title")]
    #[case(r#"{"title":"\ud83d\n"}"#, "title")]
    #[case(r#"{"title":"a","tags":["b","\ud800 c"]}"#, "tags[1]")]
    #[case(r#"{"\ud800":"a"}"#, "body")]
    fn names_the_place_of_a_lone_surrogate(#[case] body: &str, #[case] field: &str) {
        let error: ApiError = parse::<Sample>(format!("\n{body}").as_bytes()).unwrap_err();
        let problem = error.into_problem();
        let [error] = &problem.errors[..] else { panic!("{problem:?}") };
        assert_eq!((error.field.as_str(), error.code.as_str()), (field, "lone_surrogate"));
        let start = "The escape that ends at line 2, column ";
        assert!(error.message.starts_with(start), "{}", error.message);
        let rest = error.message.strip_prefix(start).unwrap();
        let column: usize = rest.split(' ').next().unwrap().parse().unwrap();
        let escape = body.find("\\u").unwrap();
        assert!((escape + 1..=escape + 14).contains(&column), "{column} {body}");
    }
}
