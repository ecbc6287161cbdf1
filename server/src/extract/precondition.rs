//! Etags and preconditions (RFC 9110 §8.8.3, §13). An etag is `<hash>-<metadata revision>`;
//! `If-Match` looks at the hash alone, `If-None-Match` at all of it (API.md).

use axum::http::{HeaderMap, HeaderValue, header};
use izanagi_domain::{documents::IfMatch, error::Error};
use izanagi_shared::problem::FieldError;

/// An etag for the header: in quotes.
pub(crate) fn quoted(etag: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("\"{etag}\"")).ok()
}

/// `If-Match`, if it is there.
///
/// # Errors
/// It is there and cannot be read.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<IfMatch>, Error> {
    let mut hashes = Vec::new();
    let mut present = false;
    for value in headers.get_all(header::IF_MATCH) {
        present = true;
        for tag in value.to_str().unwrap_or_default().split(',') {
            match strip(tag) {
                "*" => return Ok(Some(IfMatch::Any)),
                tag => hashes.push(hash_of(tag)?),
            }
        }
    }
    Ok(present.then_some(IfMatch::Hashes(hashes)))
}

/// Whether `If-None-Match` names this etag.
pub(crate) fn if_none_match_hits(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = values.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    tags.any(|tag| matches!(strip(tag), "*") || strip(tag) == etag)
}

/// Without space, the `W/` that a proxy put there, and quotes.
fn strip(tag: &str) -> &str {
    tag.trim().trim_start_matches("W/").trim_matches('"')
}

fn hash_of(tag: &str) -> Result<[u8; 32], Error> {
    let mut hash = [0; 32];
    let hex = tag.split('-').next().unwrap_or_default();
    hex::decode_to_slice(hex, &mut hash).map_err(|_| {
        let message = "Send the etag that came with the document, or *.";
        Error::from(FieldError::new("If-Match", "invalid", message))
    })?;
    Ok(hash)
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
    fn if_none_match_compares_all_of_it(#[case] value: String, #[case] hit: bool) {
        let etag = format!("{HASH}-7");
        assert_eq!(if_none_match_hits(&headers(header::IF_NONE_MATCH, &value), &etag), hit);
    }

    #[test]
    fn if_match_takes_the_hash_alone() {
        let got = if_match(&headers(header::IF_MATCH, &format!("W/\"{HASH}-7\""))).unwrap();
        assert!(matches!(got, Some(IfMatch::Hashes(hashes)) if hex::encode(hashes[0]) == HASH));
        assert_eq!(if_match(&headers(header::IF_MATCH, "*")).unwrap(), Some(IfMatch::Any));
        assert_eq!(if_match(&HeaderMap::new()).unwrap(), None);
        assert!(if_match(&headers(header::IF_MATCH, "\"nonsense\"")).is_err());
    }
}
