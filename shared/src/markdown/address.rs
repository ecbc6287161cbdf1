//! Validation of link and image addresses.

/// What an allowed address points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A heading or note in the same document: `#name`.
    Fragment,
    /// A path on the same host.
    Relative,
    /// Another host: `http`, `https` or a protocol-relative address (`//host`).
    External,
    /// An email address: `mailto:`.
    Mail,
}

/// Classifies a link address; `None` if it is not allowed.
///
/// Expects the address after Markdown has decoded entities and backslashes, before
/// percent-encoding. The scheme is everything before the first colon, unless `/`, `?` or `#` comes
/// earlier (RFC 3986 §4.2), and must be exactly `http`, `https` or `mailto`. Whitespace or control
/// characters in it therefore make the address invalid, even where a browser would strip them.
pub(super) fn judge_link(address: &str) -> Option<Target> {
    if address.starts_with('#') {
        return Some(Target::Fragment);
    }
    let end = address.find([':', '/', '?', '#']);
    match end.filter(|&at| address[at..].starts_with(':')) {
        None if address.starts_with("//") => Some(Target::External),
        None => Some(Target::Relative),
        Some(at) => match address[..at].to_ascii_lowercase().as_str() {
            "http" | "https" => Some(Target::External),
            "mailto" => Some(Target::Mail),
            _ => None,
        },
    }
}

/// Returns whether an image may be loaded from this address: `http`, `https` or relative.
pub(super) fn is_image_allowed(address: &str) -> bool {
    matches!(judge_link(address), Some(Target::Relative | Target::External))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("#a:b", Target::Fragment)]
    #[case("", Target::Relative)]
    #[case("a/b:c", Target::Relative)]
    #[case("?q=a:b", Target::Relative)]
    #[case("/\\evil.example", Target::Relative)] // the backslash is percent-encoded on output
    #[case("//other.example", Target::External)]
    #[case("HTTPS://other.example", Target::External)]
    #[case("http:x", Target::External)]
    #[case("MailTo:a@b.example", Target::Mail)]
    fn allows_web_mail_and_local_links(#[case] address: &str, #[case] expected: Target) {
        assert_eq!(judge_link(address), Some(expected));
    }

    #[rstest]
    #[case("javascript:alert(1)")]
    #[case("JaVaScRiPt:alert(1)")]
    #[case(" javascript:alert(1)")]
    #[case("\u{1}javascript:alert(1)")]
    #[case("java\tscript:alert(1)")]
    #[case("java\nscript:alert(1)")]
    #[case("data:text/html,x")]
    #[case("vbscript:x")]
    #[case("file:///etc/passwd")]
    #[case("blob:https://x")]
    #[case("ht tp://x")]
    #[case(":x")]
    #[case("тест:x")]
    fn rejects_any_other_link_scheme(#[case] address: &str) {
        assert_eq!(judge_link(address), None);
    }

    #[rstest]
    #[case("a.png", true)]
    #[case("https://other.example/a.png", true)]
    #[case("mailto:a@b.example", false)]
    #[case("#a", false)]
    #[case("data:image/svg+xml,x", false)]
    fn allows_only_web_image_sources(#[case] address: &str, #[case] allowed: bool) {
        assert_eq!(is_image_allowed(address), allowed);
    }
}
