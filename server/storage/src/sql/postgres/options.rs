//! URLs of PostgreSQL.

use super::{connection::Prepared, transaction::STATEMENT_TIMEOUT};
use crate::error::OpenError;
use sqlx::postgres::PgConnectOptions;
use std::{fmt, str::FromStr as _};

/// Statements that a connection keeps prepared.
const CACHE: usize = 256;

/// A database of a PostgreSQL server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PostgresPlace(String);

impl PostgresPlace {
    /// Checks a URL.
    pub(crate) fn parse(url: &str) -> Result<Self, OpenError> {
        // The error could repeat a password.
        PgConnectOptions::from_str(url).map_err(|_| OpenError::PostgresUrl)?;
        Ok(Self(url.to_owned()))
    }

    /// Whether statements may stay prepared.
    pub(super) fn prepared(&self) -> Prepared {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        let is_off = query.split('&').any(|option| option == "statement-cache-capacity=0");
        if is_off { Prepared::Once } else { Prepared::Kept }
    }

    /// Options to connect. `cause` is who connects, for the server's list of connections.
    pub(super) fn options(&self, cause: &str) -> Result<PgConnectOptions, OpenError> {
        let options = PgConnectOptions::from_str(&self.0).map_err(|_| OpenError::PostgresUrl)?;
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name(&format!("izanagi {cause}")),
        };
        Ok(match self.prepared() {
            Prepared::Once => options.statement_cache_capacity(0),
            Prepared::Kept => {
                let timeout = STATEMENT_TIMEOUT.as_millis().to_string();
                options
                    .statement_cache_capacity(CACHE)
                    .options([("statement_timeout", timeout.as_str())])
            }
        })
    }
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
        assert_eq!(prepared("postgres://a@b/c"), Prepared::Kept);
        let once = "postgres://a@b/c?sslmode=disable&statement-cache-capacity=0";
        assert_eq!(prepared(once), Prepared::Once);
    }
}
