//! URLs of PostgreSQL.

use super::session::{Prepared, Session};
use crate::error::OpenError;
use sqlx::postgres::PgConnectOptions;
use std::{fmt, str::FromStr as _};

/// Statements that a connection keeps prepared, unless the URL says how many.
const CACHE: usize = 256;

/// The option for that.
const CAPACITY: &str = "statement-cache-capacity";

/// The options that the driver knows. It would log any other with its value, which may be a password.
const KNOWN: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    CAPACITY,
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
];

/// A database of a PostgreSQL server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PostgresPlace(String);

impl PostgresPlace {
    /// Checks a URL.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        let place = Self(url.to_owned());
        if let Some((name, _)) = place.given().find(|(name, _)| !is_known(name)) {
            return Err(OpenError::PostgresOption { name: shown(name) });
        }
        // The error could repeat a password.
        PgConnectOptions::from_str(url).map_err(|_| OpenError::PostgresUrl)?;
        Ok(place)
    }

    /// The options in the URL, as they stand there.
    fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        let url = self.0.split_once('#').map_or(self.0.as_str(), |(url, _)| url);
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let options = query.split('&').filter(|option| !option.is_empty());
        options.map(|option| option.split_once('=').unwrap_or((option, "")))
    }

    /// Whether statements may stay prepared.
    pub(super) fn prepared(&self) -> Prepared {
        let capacity = self.given().filter(|(name, _)| *name == CAPACITY).last();
        match capacity.and_then(|(_, value)| value.parse().ok()) {
            Some(0) => Prepared::Once,
            Some(capacity) => Prepared::Kept(capacity),
            None => Prepared::Kept(CACHE),
        }
    }

    /// Options to connect. `cause` is who connects, for the server's list of connections.
    pub(super) fn options(
        &self,
        cause: &str,
        session: Session,
    ) -> Result<PgConnectOptions, OpenError> {
        let options = PgConnectOptions::from_str(&self.0).map_err(|_| OpenError::PostgresUrl)?;
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name(&format!("izanagi {cause}")),
        };
        let capacity = match session.prepared {
            Prepared::Once => 0,
            Prepared::Kept(capacity) => capacity,
        };
        // No column is a float, and poolers refuse settings that they do not know.
        let options = options.statement_cache_capacity(capacity).extra_float_digits(None);
        Ok(match session.settings() {
            Some(settings) => options.options(settings),
            None => options,
        })
    }
}

fn is_known(name: &str) -> bool {
    // `options[name]` sets a variable of the server.
    let is_setting = name.starts_with("options[") && name.ends_with(']');
    KNOWN.contains(&name) || name == "options" || is_setting
}

/// The name of an option, if it is one: it may also be the rest of a password with `&`.
fn shown(name: &str) -> String {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '-' || c == '_';
    let is_plain = name.len() <= 32 && name.chars().all(is_name);
    if is_plain { name.to_owned() } else { "with another name".to_owned() }
}

impl fmt::Display for PostgresPlace {
    /// Shows where the database is, without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(options) = PgConnectOptions::from_str(&self.0) else {
            return f.write_str("PostgreSQL");
        };
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        match options.get_socket() {
            Some(socket) => write!(f, "PostgreSQL, {database} at {}", socket.display()),
            None => {
                write!(f, "PostgreSQL, {database} at {}:{}", options.get_host(), options.get_port())
            }
        }
    }
}

impl fmt::Debug for PostgresPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_described_without_its_password() {
        let place = PostgresPlace::parse("postgres://ann:tiger@db.example:5433/notes").unwrap();
        assert_eq!(place.to_string(), "PostgreSQL, notes at db.example:5433");
        assert!(!format!("{place:?}").contains("tiger"));
        let refused = PostgresPlace::parse("postgres://ann:tiger@db:many/notes").unwrap_err();
        assert!(!refused.to_string().contains("tiger"), "{refused}");
    }

    #[test]
    fn the_url_says_whether_statements_stay_prepared() {
        let prepared = |url| PostgresPlace::parse(url).unwrap().prepared();
        assert_eq!(prepared("postgres://a@b/c"), Prepared::Kept(CACHE));
        let few = "postgres://a@b/c?statement-cache-capacity=7&sslmode=disable";
        assert_eq!(prepared(few), Prepared::Kept(7));
        let once = "postgres://a@b/c?sslmode=disable&statement-cache-capacity=0";
        assert_eq!(prepared(once), Prepared::Once);
    }

    #[test]
    fn an_option_that_the_driver_would_log_is_refused_by_its_name() {
        let refusal = |url| PostgresPlace::parse(url).unwrap_err().to_string();
        let unknown = refusal("postgres://a@b/c?sslmode=disable&passwd=tiger");
        assert!(unknown.contains("passwd") && !unknown.contains("tiger"), "{unknown}");
        let rest = refusal("postgres://a@b/c?password=lion&Tiger7");
        assert!(!rest.contains("Tiger7") && !rest.contains("lion"), "{rest}");
        let known = "postgres://a@b/c?application_name=x&options[search_path]=y&host=%2Frun&port=1";
        assert!(PostgresPlace::parse(known).is_ok());
    }

    /// The driver ignores only what it does not know.
    #[test]
    fn the_driver_knows_every_option_that_is_allowed() {
        for name in KNOWN {
            let url = |value: &str| format!("postgres://a@b/c?{name}={value}");
            let values = ["1", "disable", "127.0.0.9"];
            let plain = format!("{:?}", PgConnectOptions::from_str("postgres://a@b/c").unwrap());
            let is_known = values.iter().any(|value| {
                let parsed = PgConnectOptions::from_str(&url(value));
                parsed.is_err() || parsed.is_ok_and(|parsed| format!("{parsed:?}") != plain)
            });
            assert!(is_known, "{name}");
        }
    }
}
