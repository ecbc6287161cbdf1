//! Errors of opening the stores.

/// Why the stores could not be opened. Messages are for the administrator who starts the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL does not name a supported storage.
    #[error(
        "the storage URL begins with “{scheme}”; use sqlite://path/of/the/file or memory://, without \
         options, or postgres://user:password@host:port/database"
    )]
    Url {
        /// The part before `://`.
        scheme: String,
    },
    /// A store that is to be in Redis has an invalid place.
    #[error(
        "the place of {setting} in Redis is invalid: {problem}; use \
         redis://[user:password@]host[:port][/database], or rediss:// for TLS"
    )]
    Redis {
        /// The store.
        setting: &'static str,
        /// What is wrong, without secrets.
        problem: String,
    },
    /// A setting has a value that is not allowed.
    #[error("{name} is {given}; allowed is {allowed}")]
    Setting {
        /// The setting, and its environment variable.
        name: &'static str,
        /// Its value, without secrets.
        given: String,
        /// What is allowed.
        allowed: String,
    },
    /// A server could not be reached.
    #[error("{name}: the server at {given} cannot be used: {cause}")]
    Unreachable {
        /// The setting, and its environment variable.
        name: &'static str,
        /// The server, without secrets.
        given: String,
        /// What happened.
        cause: String,
    },
    /// The URL of a PostgreSQL database cannot be read. It is not repeated: it may contain a password.
    #[error(
        "the PostgreSQL URL is wrong; use postgres://user:password@host:port/database, with options \
         such as ?sslmode=verify-full&sslrootcert=ca.pem"
    )]
    PostgresUrl,
    /// The URL of a PostgreSQL database has an option that is not known. Its value is not repeated.
    #[error(
        "the PostgreSQL URL has an option {name}, which is not known; known are sslmode, \
         sslrootcert, sslcert, sslkey, host, hostaddr, port, dbname, user, password, \
         application_name, options, options[NAME] and statement-cache-capacity"
    )]
    PostgresOption {
        /// Its name.
        name: String,
    },
    /// The PostgreSQL server is too old.
    #[error("the server runs PostgreSQL {found}; 13 or newer is needed")]
    PostgresVersion {
        /// Its version.
        found: String,
    },
    /// The database has another encoding.
    #[error("the database has the encoding {found}; create it with ENCODING 'UTF8'")]
    PostgresEncoding {
        /// Its encoding.
        found: String,
    },
    /// The server may lose acknowledged writes.
    #[error(
        "{setting} is off in PostgreSQL: a crash could lose writes that were acknowledged. \
         Turn it on, or set accept_data_loss"
    )]
    NotDurable {
        /// The setting.
        setting: &'static str,
    },
    /// The schema was written by a newer version of Izanagi.
    #[error(
        "this database has schema {found}, and this program knows schemas up to {known}. \
         A newer Izanagi has used it: start that one, or restore a backup from before"
    )]
    NewerSchema {
        /// The stored schema version.
        found: i64,
        /// The newest schema version this program supports.
        known: i64,
    },
    /// The schema migration failed.
    #[error("the schema could not be migrated: {0}")]
    Migration(String),
    /// The database has moved, and its new place cannot be read here.
    #[error(
        "the database {from} has moved. Its new place is sealed with signing keys that are not here: \
         set DATABASE_URL (storage.users.url) to the new place"
    )]
    Moved {
        /// The former place, without secrets.
        from: String,
    },
    /// The database is the target of a move that has not ended.
    #[error(
        "the database {place} is being filled by a move. Start the server with the database that it \
         comes from, or cancel the move there"
    )]
    Filling {
        /// The database, without secrets.
        place: String,
    },
    /// Another server moves the database.
    #[error("another server moves the database {place}; until it has moved, no other can use it")]
    Moving {
        /// The database, without secrets.
        place: String,
    },
    /// The folder of the database file could not be created.
    #[error("the folder {} could not be created: {cause}", path.display())]
    Folder {
        /// The folder.
        path: std::path::PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// The database does not exist and must not be created.
    #[error("there is no database at {}; the first start of “izanagi serve” creates one", path.display())]
    Missing {
        /// Its expected location.
        path: std::path::PathBuf,
    },
    /// Another process has the database.
    #[error("the database {} is in use by {holder}; stop it first", path.display())]
    InUse {
        /// The database.
        path: std::path::PathBuf,
        /// The other process.
        holder: String,
    },
    /// The database could not be locked.
    #[error("the lock file {} could not be used: {cause}", path.display())]
    Lock {
        /// The lock file.
        path: std::path::PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// The database could not be opened.
    #[error("the database could not be opened: {0}")]
    Database(String),
}

impl OpenError {
    /// Driver errors are converted here and go no further.
    pub(crate) fn database(cause: impl std::fmt::Display) -> Self {
        Self::Database(cause.to_string())
    }
}
