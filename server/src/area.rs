//! What lies at a path, as far as the stack around all routes must know.

/// The three kinds of things that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    /// The JSON API, for programs and scripts.
    Api,
    /// Pages and their server functions, for people.
    Page,
    /// The same for everybody: files, health, descriptions. Who asks does not matter, so tokens are
    /// neither checked nor renewed here: shared caches may keep these answers, and a health check
    /// must not fail for a token.
    Open,
}

/// Files and descriptions by name.
const OPEN: [&str; 7] =
    ["/favicon.svg", "/icons.svg", "/openapi.json", "/docs", "/healthz", "/readyz", "/metrics"];
const OPEN_FOLDERS: [&str; 3] = ["/pkg/", "/docs/", "/.well-known/"];

impl Area {
    /// The area of a path.
    pub(crate) fn of(path: &str) -> Self {
        if path == "/api" || path.starts_with("/api/") {
            Self::Api
        } else if OPEN.contains(&path) || OPEN_FOLDERS.iter().any(|start| path.starts_with(start)) {
            Self::Open
        } else {
            Self::Page
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/api", Area::Api)]
    #[case("/api/v1/me", Area::Api)]
    #[case("/apiary", Area::Page)]
    #[case("/", Area::Page)]
    #[case("/documents", Area::Page)]
    #[case("/fn/accounts/sign-in", Area::Page)]
    #[case("/docs", Area::Open)]
    #[case("/docs/index.css", Area::Open)]
    #[case("/favicon.svg", Area::Open)]
    #[case("/icons.svg", Area::Open)]
    #[case("/openapi.json", Area::Open)]
    #[case("/.well-known/jwks.json", Area::Open)]
    fn each_path_has_its_area(#[case] path: &str, #[case] area: Area) {
        assert_eq!(Area::of(path), area);
    }
}
