//! Validates paths of this site from a `next` parameter or a `Referer`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// Returns the text if it is a path of this site that no browser interprets as another site's.
///
/// `//host` and `/\host` lead to another site, `/.//host` does so once its dots are resolved, and
/// browsers drop control characters before parsing. The router decodes a path before it passes it
/// to the browser, so percent-encoded forms are rejected too. Only visible ASCII is accepted, which
/// is all that percent-encoding leaves.
#[must_use]
pub fn own_path(text: &str) -> Option<&str> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = text.split(['?', '#']).next().unwrap_or(text);
    let leads_away = path.contains("//") || path.split('%').skip(1).any(is_hazardous);
    (visible && text.starts_with('/') && !leads_away).then_some(text)
}

/// Returns the text if it is a path of one of this site's pages. `/docs` and `/api` are not: only
/// the server serves them.
#[must_use]
pub fn page_path(text: &str) -> Option<&str> {
    const PAGES: [&str; 6] = ["", "login", "signup", "documents", "trash", "settings"];
    let path = own_path(text)?;
    let first = path.trim_start_matches('/').split(['/', '?', '#']).next().unwrap_or_default();
    PAGES.contains(&first).then_some(path)
}

/// Returns whether two hexadecimal digits encode a control character, a slash or a backslash.
fn is_hazardous(digits: &str) -> bool {
    let digits = digits.get(..2).filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    code.is_some_and(|code| code.is_ascii_control() || matches!(code, b'/' | b'\\'))
}

/// Returns the path with a query that leads back to `back` after signing in.
#[must_use]
pub fn sign_in_path(back: &str) -> String {
    format!("/login?next={}", encoded(back))
}

/// Returns a text as the value of a query parameter.
pub(crate) fn encoded(text: &str) -> PercentEncode<'_> {
    /// All but the unreserved characters (RFC 3986 §2.3) and the slash, which a query may contain.
    const ENCODED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
    utf8_percent_encode(text, ENCODED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/documents?page=2#top", true)]
    #[case("/", true)]
    #[case("//evil.example", false)]
    #[case("/\\evil.example", false)]
    #[case("/\t/evil.example", false)]
    #[case("https://evil.example", false)]
    #[case("", false)]
    #[case("/ä", false)]
    #[case("/%C3%A4?next=//a&b=%0A#//", true)]
    #[case("/.//evil.example", false)]
    #[case("/documents/..//evil.example", false)]
    #[case("/documents/%2e%2e//evil.example", false)]
    #[case("/%5Cevil.example", false)]
    #[case("/%2Fevil.example", false)]
    #[case("/%09/evil.example", false)]
    fn accepts_only_own_paths(#[case] text: &str, #[case] passes: bool) {
        assert_eq!(own_path(text).is_some(), passes);
    }

    #[rstest]
    #[case("/", true)]
    #[case("/?a", true)]
    #[case("/documents/x/read#top", true)]
    #[case("/trash", true)]
    #[case("/docs", false)]
    #[case("/healthz", false)]
    #[case("/api/v1/documents", false)]
    #[case("//documents", false)]
    fn accepts_only_paths_of_pages(#[case] text: &str, #[case] passes: bool) {
        assert_eq!(page_path(text).is_some(), passes);
    }

    #[test]
    fn the_return_path_survives_in_the_query() {
        assert_eq!(sign_in_path("/a?b=c&d"), "/login?next=/a%3Fb%3Dc%26d");
    }
}
