//! ETags and preconditions (RFC 9110 §8.8.3, §13). An ETag is `<hash>-<metadata revision>`;
//! `If-Match` compares only the hash, `If-None-Match` the whole tag (API.md).
//!
//! `headers::IfMatch` and `IfNoneMatch` do not fit: they reject tags without quotes, never match a
//! tag that a proxy has made weak, and compare whole tags only.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use izanagi_domain::{documents::IfMatch, error::Error};
use izanagi_shared::problem::FieldError;

/// Returns an ETag in quotes, for the header.
pub(crate) fn quoted(etag: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("\"{etag}\"")).ok()
}

/// Parses `If-Match`, if present. A tag from elsewhere matches nothing (RFC 9110 §13.1.1).
///
/// # Errors
/// Fails if the header is not a list of ETags.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<IfMatch>, Error> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    match tags(headers, &header::IF_MATCH) {
        Some(Tags::Any) => Ok(Some(IfMatch::Any)),
        Some(Tags::List(tags)) => {
            Ok(Some(IfMatch::Hashes(tags.iter().filter_map(|tag| hash_of(tag)).collect())))
        }
        None => {
            let message = "Send the etag that came with the document, in quotes, or *.";
            Err(FieldError::new("If-Match", "invalid", message).into())
        }
    }
}

/// Returns whether `If-None-Match` contains this ETag.
pub(crate) fn if_none_match_hits(headers: &HeaderMap, etag: &str) -> bool {
    match tags(headers, &header::IF_NONE_MATCH) {
        Some(Tags::Any) => true,
        Some(Tags::List(tags)) => tags.contains(&etag.as_bytes()),
        None => false,
    }
}

/// Value of such a header.
enum Tags<'a> {
    /// `*`
    Any,
    /// ETags without quotes, as bytes because they may not be ASCII.
    List(Vec<&'a [u8]>),
}

/// Parses the header, which may be repeated; `None` if it is malformed.
fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Tags<'a>> {
    let mut tags = Vec::new();
    let mut values = headers.get_all(name).iter();
    if let (Some(only), None) = (values.next(), values.next())
        && only.as_bytes().trim_ascii() == b"*"
    {
        return Some(Tags::Any);
    }
    for value in headers.get_all(name) {
        let mut rest = value.as_bytes();
        // Empty list elements are ignored (RFC 9110 §5.6.1.2).
        while let Some(start) = rest.iter().position(|byte| !b", \t".contains(byte)) {
            let (tag, after) = first_tag(&rest[start..])?;
            tags.push(tag);
            rest = after;
        }
    }
    Some(Tags::List(tags))
}

/// Returns the first ETag, without quotes and without a proxy's `W/`, and the rest of the list.
/// Unquoted tags are accepted, because response bodies contain them in that form.
fn first_tag(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"W/").unwrap_or(text);
    let (tag, rest) = if let Some(quoted) = text.strip_prefix(b"\"") {
        let end = quoted.iter().position(|byte| *byte == b'"')?;
        (&quoted[..end], &quoted[end + 1..])
    } else {
        text.split_at(text.iter().position(|byte| b", \t".contains(byte)).unwrap_or(text.len()))
    };
    // `*` is valid only on its own.
    let is_etag = text.first() != Some(&b'*')
        && tag.iter().all(|byte| *byte > b' ' && *byte != b'"' && *byte != 127);
    let ends = rest.trim_ascii_start().first().is_none_or(|byte| *byte == b',');
    (is_etag && ends).then_some((tag, rest))
}

fn hash_of(tag: &[u8]) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let hex = tag.split(|byte| *byte == b'-').next()?;
    hex::decode_to_slice(hex, &mut hash).ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[rstest]
    #[case(format!("\"{HASH}-7\""), true)]
    #[case(format!("W/\"{HASH}-7\""), true)]
    #[case(format!("\"other\", \"{HASH}-7\""), true)]
    #[case("*".to_owned(), true)]
    #[case(format!("\"{HASH}-8\""), false)]
    #[case(format!("\"{HASH}\""), false)]
    fn if_none_match_compares_the_whole_tag(#[case] value: String, #[case] hit: bool) {
        let etag = format!("{HASH}-7");
        assert_eq!(if_none_match_hits(&headers(header::IF_NONE_MATCH, &value), &etag), hit);
    }

    #[rstest]
    #[case::no_hash("\"nonsense\"", 0)]
    #[case::no_quotes("nonsense", 0)]
    #[case::weak("W/\"nonsense\"", 0)]
    #[case::empty_tag("\"\"", 0)]
    #[case::not_ascii("\"\u{e9}\"", 0)]
    #[case::no_tags("", 0)]
    #[case::commas_alone(" ,, ", 0)]
    #[case::comma_in_a_tag(&format!("\"a,b\", \"{HASH}\""), 1)]
    #[case::among_others(&format!(",\"nonsense\" ,\t\"{HASH}-7\",, {HASH},"), 2)]
    fn a_foreign_tag_matches_nothing(#[case] value: &str, #[case] hashes: usize) {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        let headers = HeaderMap::from_iter([(header::IF_MATCH, value)]);
        let got = if_match(&headers).unwrap();
        assert!(matches!(&got, Some(IfMatch::Hashes(got)) if got.len() == hashes), "{got:?}");
    }

    #[rstest]
    #[case::open("\"abc")]
    #[case::closed_only("abc\"")]
    #[case::two_without_comma("\"a\" \"b\"")]
    #[case::space_inside("\"a b\"")]
    #[case::quote_inside("\"a\"b\"")]
    #[case::any_among_others("*, \"a\"")]
    fn a_malformed_list_of_etags_is_an_error(#[case] value: &str) {
        assert!(if_match(&headers(header::IF_MATCH, value)).is_err());
    }

    #[test]
    fn accepts_tags_in_several_headers() {
        let mut headers = headers(header::IF_MATCH, "\"nonsense\"");
        headers.append(header::IF_MATCH, format!("\"{HASH}\"").parse().unwrap());
        assert!(
            matches!(if_match(&headers), Ok(Some(IfMatch::Hashes(hashes))) if hashes.len() == 1)
        );
    }

    #[test]
    fn if_match_compares_only_the_hash() {
        let got = if_match(&headers(header::IF_MATCH, &format!("W/\"{HASH}-7\""))).unwrap();
        assert!(matches!(got, Some(IfMatch::Hashes(hashes)) if hex::encode(hashes[0]) == HASH));
        assert_eq!(if_match(&headers(header::IF_MATCH, "*")).unwrap(), Some(IfMatch::Any));
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
    }
}
