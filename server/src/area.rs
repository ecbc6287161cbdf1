//! Classifies request paths for the middleware that runs before routing.

/// Kind of resource at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    /// The JSON API, for programs and scripts.
    Api,
    /// WebSockets. They live as long as their session, whatever becomes of the access token.
    Socket,
    /// Pages and their server functions.
    Page,
    /// Files, health checks and API descriptions, identical for every client. Tokens are neither
    /// checked nor renewed here, because shared caches may store these responses and a health check
    /// must not fail over a token.
    Open,
}

/// Open files and endpoints.
const OPEN: [&str; 7] =
    ["/favicon.svg", "/icons.svg", "/openapi.json", "/docs", "/healthz", "/readyz", "/metrics"];
const OPEN_FOLDERS: [&str; 4] = ["/pkg/", "/words/", "/docs/", "/.well-known/"];

impl Area {
    /// Returns the area of a path.
    pub(crate) fn of(path: &str) -> Self {
        if path == "/api" || path.starts_with("/api/") {
            Self::Api
        } else if path.starts_with("/ws/") {
            Self::Socket
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
    #[case("/ws/yjs/1", Area::Socket)]
    #[case("/wsx", Area::Page)]
    #[case("/", Area::Page)]
    #[case("/documents", Area::Page)]
    #[case("/fn/accounts/sign-in", Area::Page)]
    #[case("/words/1/en-pages.json", Area::Open)]
    #[case("/docs", Area::Open)]
    #[case("/docs/index.css", Area::Open)]
    #[case("/favicon.svg", Area::Open)]
    #[case("/icons.svg", Area::Open)]
    #[case("/openapi.json", Area::Open)]
    #[case("/.well-known/jwks.json", Area::Open)]
    fn assigns_each_path_to_its_area(#[case] path: &str, #[case] area: Area) {
        assert_eq!(Area::of(path), area);
    }
}
