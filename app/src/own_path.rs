//! Paths of this site, as they come back in a `next` parameter or a `Referer`.

/// The text, if it is a path of this site that a browser cannot take for another site's.
///
/// `//host` and `/\host` lead away, and control characters are dropped by browsers before they
/// look; so only visible ASCII without a backslash passes, which is what percent-encoding leaves.
#[must_use]
pub fn own_path(text: &str) -> Option<&str> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (visible && text.starts_with('/') && !text.starts_with("//")).then_some(text)
}

/// A path with a query that leads back to `back` after signing in.
#[must_use]
pub fn sign_in_path(back: &str) -> String {
    let mut path = String::from("/login?next=");
    for byte in back.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    path
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
    fn only_own_paths_pass(#[case] text: &str, #[case] passes: bool) {
        assert_eq!(own_path(text).is_some(), passes);
    }

    #[test]
    fn the_way_back_survives_in_the_query() {
        assert_eq!(sign_in_path("/a?b=c&d"), "/login?next=/a%3Fb%3Dc%26d");
    }
}
