//! How a connection is used: whether statements stay prepared, and how long an exchange may take.
//! The server ends a statement that takes too long. If it does not answer at all, because a network
//! swallows what is sent, the exchange ends here, a little later. The connection is then useless:
//! nobody knows which answer comes next.

use std::{borrow::Cow, io, time::Duration};

/// Whether statements may stay prepared. Behind a pooler that gives every transaction another
/// connection of the server, they may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prepared {
    /// They stay prepared on their connection, which keeps so many.
    Kept(usize),
    /// Each is prepared for one use.
    Once,
}

/// How long the server waits for the next statement of an open transaction. Only a program that hangs
/// or has gone leaves one open, and its locks would stop others.
const IDLE_IN_TRANSACTION: &str = "60s";

/// How long it takes the server to notice that the program has gone without a word: as often as this,
/// a silent connection is asked for a sign of life.
const KEEPALIVE: [(&str, &str); 3] = [
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

/// The limit of migrations and checks, for which no caller waits.
const LONG: Duration = Duration::from_secs(24 * 60 * 60);

/// The limit of what takes no time at the server, such as the beginning of a transaction.
const BRIEF: Duration = Duration::from_secs(5);

/// The ways of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    pub(super) prepared: Prepared,
    /// After this time, the server ends a statement.
    statement: Duration,
}

impl Session {
    pub(super) const fn new(prepared: Prepared, statement: Duration) -> Self {
        Self { prepared, statement }
    }

    /// The same for work that may take hours.
    pub(super) const fn unhurried(self) -> Self {
        Self { statement: LONG, ..self }
    }

    /// Settings for the beginning of a connection. `None` where it is shared with other clients.
    pub(super) fn settings(self) -> Option<Vec<(&'static str, String)>> {
        if self.prepared == Prepared::Once {
            return None;
        }
        let timeouts = [
            ("statement_timeout", self.statement.as_millis().to_string()),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION.to_owned()),
        ];
        let keepalive = KEEPALIVE.map(|(name, value)| (name, value.to_owned()));
        Some(timeouts.into_iter().chain(keepalive).collect())
    }

    /// The command that begins a transaction with these characteristics. Behind a pooler, settings of
    /// a connection would stay with other clients, so they are set for each transaction.
    pub(super) fn begin(self, characteristics: &str) -> Cow<'static, str> {
        let mut begin = format!("BEGIN {characteristics}");
        if self.prepared == Prepared::Once {
            begin += &format!(
                "; SET LOCAL statement_timeout = {}; \
                 SET LOCAL idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION}'",
                self.statement.as_millis()
            );
        }
        begin.into()
    }

    /// Runs one exchange that the server limits. After an error of its kind, whether a statement took
    /// effect is unknown.
    pub(super) async fn within<T>(
        self,
        exchange: impl Future<Output = sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        limited(self.statement + self.statement / 6, exchange).await
    }

    /// Runs an exchange that takes the server no time.
    pub(super) async fn briefly<T>(
        self,
        exchange: impl Future<Output = sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        limited(BRIEF.min(self.statement), exchange).await
    }
}

/// Runs something of a connection to its end, or for so long.
pub(super) async fn limited<T>(
    limit: Duration,
    exchange: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    let silent = |_| sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
    tokio::time::timeout(limit, exchange).await.map_err(silent)?
}
