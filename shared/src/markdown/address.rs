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

/// Classifies an image address: `http`, `https` or relative; `None` if it is not allowed.
pub(super) fn judge_image(address: &str) -> Option<Target> {
    judge_link(address).filter(|target| matches!(target, Target::Relative | Target::External))
}

/// Returns the host of an address that is [`Target::External`], as written, or an empty string.
pub(super) fn host(address: &str) -> &str {
    let Some((_, rest)) = address.split_once("//") else { return "" };
    // Browsers read a backslash as a slash.
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
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
        assert_eq!(judge_image(address).is_some(), allowed);
    }

    #[rstest]
    #[case("https://a.example/b?c", "a.example")]
    #[case("//a.example:81?c", "a.example:81")]
    #[case("http://b.example@a.example\\c", "a.example")]
    #[case("http:x", "")]
    fn finds_the_host_of_an_address(#[case] address: &str, #[case] expected: &str) {
        assert_eq!(host(address), expected);
    }
}
