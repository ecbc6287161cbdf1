//! URLs of stores.

use std::fmt;

/// The URL of a store. It may contain a password, so it is shown without user, path and options.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// Returns the whole URL. The method is called `expose` so that every use stands out in review.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the part before `://`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    pub(crate) fn is_mongodb(&self) -> bool {
        matches!(self.scheme(), "mongodb" | "mongodb+srv")
    }
}

impl From<String> for StoreUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl From<&str> for StoreUrl {
    fn from(url: &str) -> Self {
        Self(url.to_owned())
    }
}

impl From<&String> for StoreUrl {
    fn from(url: &String) -> Self {
        Self(url.clone())
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else { return f.write_str("…") };
        if matches!(scheme, "sqlite" | "memory") {
            return f.write_str(&self.0);
        }
        // A password may contain any of the characters that end a host.
        let hosts = rest.rsplit_once('@').map_or(rest, |(_, hosts)| hosts);
        let hosts = hosts.split(['/', '?', '#']).next().unwrap_or_default();
        write!(f, "{scheme}://{hosts}")
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("postgres://ann:ti@ger@db.example:5433/notes?x=tiger", "postgres://db.example:5433")]
    #[case("mongodb://ann:tiger@a:1,b:2/notes", "mongodb://a:1,b:2")]
    #[case("redis://:tiger@host/3", "redis://host")]
    #[case("redis://host", "redis://host")]
    #[case("tiger", "…")]
    #[case("sqlite:///var/lib/izanagi.db", "sqlite:///var/lib/izanagi.db")]
    #[case("memory://", "memory://")]
    fn is_shown_without_secrets(#[case] url: &str, #[case] shown: &str) {
        let url = StoreUrl::from(url);
        assert_eq!((url.to_string().as_str(), format!("{url:?}").as_str()), (shown, shown));
    }
}
