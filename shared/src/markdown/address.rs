//! Validation of link and image addresses.

use super::escape::percent_decode;

/// Maximum length of the host's name that is shown for an image, in bytes (RFC 1035 §2.3.4). A longer
/// one would hide its end, which says whose host it is.
const MAX_HOST: usize = 255;

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

/// Classifies an image address: `http`, `https` or relative; `None` if it is not allowed. One on
/// another host must have a host that can be shown.
pub(super) fn judge_image(address: &str) -> Option<Target> {
    match judge_link(address)? {
        Target::Relative => Some(Target::Relative),
        Target::External => host(address).map(|_| Target::External),
        Target::Fragment | Target::Mail => None,
    }
}

/// Returns the host and port of an address that is [`Target::External`], as a browser reads the
/// address that is written; `None` if it has none, or has a user name, which could pass for the host.
pub(super) fn host(address: &str) -> Option<String> {
    let after_scheme = match address.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('/') => rest,
        _ => address,
    };
    // Browsers skip any number of slashes here.
    let authority = after_scheme.trim_start_matches('/').split(['/', '?', '#']).next()?;
    // Percent-encoding is decoded in a host. A backslash is written percent-encoded, so it is none of
    // the slashes; a browser opens no address with such a character in its host.
    let host = percent_decode(authority)?;
    let is_host = |c: char| !c.is_control() && !" \"#%/<>?@\\^`{|}".contains(c);
    let is_shown = !host.is_empty() && host.len() <= MAX_HOST && host.chars().all(is_host);
    is_shown.then_some(host)
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
    #[case("https://good.example\\@other.example/a.png", false)]
    #[case("//good.example@other.example/a.png", false)]
    #[case("https://", false)]
    #[case("mailto:a@b.example", false)]
    #[case("#a", false)]
    #[case("data:image/svg+xml,x", false)]
    fn allows_only_web_image_sources(#[case] address: &str, #[case] allowed: bool) {
        assert_eq!(judge_image(address).is_some(), allowed);
    }

    #[rstest]
    #[case("https://a.example/b?c", Some("a.example"))]
    #[case("https://a.example?b@c", Some("a.example"))]
    #[case("https://a.example#b@c", Some("a.example"))]
    #[case("//a.example:81?c", Some("a.example:81"))]
    #[case("//a.example/b:c", Some("a.example"))]
    #[case("http://[::1]/", Some("[::1]"))]
    #[case("https:///a.example/", Some("a.example"))]
    #[case("///a.example/", Some("a.example"))]
    #[case("http:a.example", Some("a.example"))]
    #[case("https:/a.example/b", Some("a.example"))]
    #[case("https://a%2Eexample/", Some("a.example"))]
    #[case("https://例え.example/", Some("例え.example"))]
    #[case("http://b.example@a.example\\c", None)]
    #[case("https://b.example\\@a.example/c", None)]
    #[case("https://b.example%5C@a.example/c", None)]
    #[case("https://b.example%2F.a.example/c", None)]
    #[case("https://b.example%2540a.example/c", None)]
    #[case("https://b.example\t.a.example/c", None)]
    #[case("https://user:password@a.example/", None)]
    #[case("https://", None)]
    #[case("http:?a", None)]
    fn finds_the_host_that_a_browser_opens(#[case] address: &str, #[case] expected: Option<&str>) {
        assert_eq!(host(address).as_deref(), expected);
    }

    #[test]
    fn a_host_too_long_to_show_is_none() {
        let address = |length| format!("https://{}/", "a".repeat(length));
        assert!(host(&address(MAX_HOST)).is_some() && host(&address(MAX_HOST + 1)).is_none());
    }
}
