//! Real servers for tests; `scripts/services` starts them.

/// Returns the URL of a server. Without one, the test that needs it says so and passes, unless
/// `REQUIRE_SERVICES=1` demands it.
#[allow(clippy::print_stderr)]
pub(crate) fn url(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if url.is_none() {
        let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
        assert!(!required, "{variable} is not set, and REQUIRE_SERVICES=1 requires it");
        eprintln!("skipped: {variable} is not set; “scripts/services run -- …” sets it");
    }
    url
}
