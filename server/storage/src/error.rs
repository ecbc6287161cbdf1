//! Why the stores cannot be opened.

/// Why the stores cannot be opened. The sentences are for the person who starts the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL names no storage that there is.
    #[error(
        "the storage URL begins with “{scheme}”; use sqlite://path/of/the/file or memory://, without options"
    )]
    Url {
        /// What stands before `://`.
        scheme: String,
    },
    /// A newer Izanagi has written here.
    #[error(
        "this database has schema {found}, and this program knows schemas up to {known}. \
         A newer Izanagi has used it: start that one, or restore a backup from before"
    )]
    NewerSchema {
        /// The schema that is there.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date: {0}")]
    Migration(String),
    /// The folder of the file could not be made.
    #[error("the folder {} could not be made: {cause}", path.display())]
    Folder {
        /// The folder.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// There is no database, and none is to be made.
    #[error("there is no database at {}; the first start of “izanagi serve” makes one", path.display())]
    Missing {
        /// Where it should be.
        path: std::path::PathBuf,
    },
    /// The database could not be opened.
    #[error("the database could not be opened: {0}")]
    Database(String),
}

impl OpenError {
    /// The driver's own errors end here.
    pub(crate) fn database(cause: impl std::fmt::Display) -> Self {
        Self::Database(cause.to_string())
    }
}
