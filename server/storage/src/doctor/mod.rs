//! Examines configured stores for `izanagi doctor`: each by itself, without changing its schema, and
//! beside a running server. Each provider has its own checks, in its folder.

mod expected;
mod routing;

pub(crate) use expected::{Kind, names};
pub(crate) use routing::{COUNTS, MARKS, MOVES, Routing, SINCE};

use crate::{
    config::{DocumentsConfig, Place, RelationalOptions, StorageConfig},
    mongo, redis,
    sql::{PgDb, SqliteDb},
    url::StoreUrl,
};
use izanagi_domain::storage::Clock;
use izanagi_shared::time::Timestamp;
use std::{cmp::Ordering, fmt, path::Path, sync::Arc, time::Duration};

/// How long one store is examined.
const LIMIT: Duration = Duration::from_secs(20);
/// Free space below which writes will soon fail.
const LITTLE_SPACE: u64 = 512 * MIB;
/// Free space that is worth a note.
const SOME_SPACE: u64 = 5 * 1024 * MIB;
const MIB: u64 = 1024 * 1024;
/// Nodes work with clocks that differ by less.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Works, but could be better or is worth knowing.
    Note,
    /// Does not work, or may lose data.
    Bad,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "ok",
            Self::Note => "note",
            Self::Bad => "BAD",
        })
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked, in one or two words.
    pub subject: &'static str,
    /// The outcome.
    pub verdict: Verdict,
    /// What was found, without secrets.
    pub found: String,
    /// What to do about it.
    pub mend: Option<String>,
}

/// The checks of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The store, by the name of its settings.
    pub store: &'static str,
    /// Its place, without secrets.
    pub place: String,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
}

impl Examined {
    /// Nothing has been checked yet.
    #[must_use]
    pub const fn new(store: &'static str, place: String) -> Self {
        Self { store, place, checks: Vec::new() }
    }

    /// The worst outcome.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Good)
    }

    /// Adds a check without complaint.
    pub fn good(&mut self, subject: &'static str, found: impl Into<String>) {
        let (verdict, mend) = (Verdict::Good, None);
        self.checks.push(Check { subject, verdict, found: found.into(), mend });
    }

    /// Adds a check that found something worth knowing, and what to do about it.
    pub fn note(
        &mut self,
        subject: &'static str,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let (verdict, mend) = (Verdict::Note, Some(mend.into()));
        self.checks.push(Check { subject, verdict, found: found.into(), mend });
    }

    /// Adds a check that found a fault, and how to mend it.
    pub fn bad(
        &mut self,
        subject: &'static str,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) {
        let (verdict, mend) = (Verdict::Bad, Some(mend.into()));
        self.checks.push(Check { subject, verdict, found: found.into(), mend });
    }

    /// A check that the server did not answer.
    pub(crate) fn unknown(&mut self, subject: &'static str, error: impl fmt::Display) {
        let mend = "look at the message; the account of the URL may lack a right";
        self.note(subject, format!("cannot be asked: {error}"), mend);
    }

    /// Compares a server's clock with that of this machine. The question took from `asked` to
    /// `answered`.
    pub(crate) fn clock(&mut self, server: Timestamp, asked: Timestamp, answered: Timestamp) {
        let middle = i64::midpoint(asked.as_micros(), answered.as_micros());
        let off = Duration::from_micros(server.as_micros().abs_diff(middle));
        let found = format!("differs by {} ms from this machine's", off.as_millis());
        let mend = "synchronise the clocks of all machines (NTP)";
        match off {
            off if off >= CLOCK_TOLERANCE => self.bad("clock", found, mend),
            off if off >= Duration::from_secs(2) => self.note("clock", found, mend),
            _ => self.good("clock", found),
        }
    }

    /// Compares the version of a schema with the newest that this program knows.
    pub(crate) fn schema(&mut self, applied: i64, known: usize) {
        let found = format!("version {applied}; this program knows {known}");
        match usize::try_from(applied).unwrap_or_default().cmp(&known) {
            Ordering::Equal => self.good("schema", format!("version {applied}")),
            Ordering::Less => {
                self.note("schema", found, "run “izanagi migrate”; “izanagi serve” does it too");
            }
            Ordering::Greater => {
                self.bad("schema", found, "use the newer Izanagi that migrated it");
            }
        }
    }

    /// Judges the free space where the data is.
    pub(crate) fn space(&mut self, free: u64) {
        let found = format!("{} MiB free", free / MIB);
        let mend = "free space on that disk, or move the data to a larger one";
        match free {
            free if free < LITTLE_SPACE => self.bad("free space", found, mend),
            free if free < SOME_SPACE => self.note("free space", found, mend),
            _ => self.good("free space", found),
        }
    }

    /// Compares the tables or indexes that exist with those of this program.
    pub(crate) fn present(&mut self, kind: Kind, expected: &[String], existing: &[String]) {
        let is_missing = |name: &&String| !existing.contains(name);
        let missing: Vec<_> = expected.iter().filter(is_missing).map(String::as_str).collect();
        let subject = kind.subject();
        if missing.is_empty() {
            return self.good(subject, format!("all {} are there", expected.len()));
        }
        let mend = "restore the database from a backup, or create them as the schema does";
        self.bad(subject, format!("missing: {}", missing.join(", ")), mend);
    }
}

/// Free bytes on the file system of a path.
pub(crate) fn free_space(path: &Path) -> std::io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Examines every configured store. Never fails: what cannot be reached is the outcome of a check.
pub async fn examine(config: &StorageConfig) -> Vec<Examined> {
    let clock = &config.clock;
    let mut all = vec![bounded("users", relational(config, clock)).await];
    if let Some(documents) = &config.documents {
        all.push(bounded("documents", own_documents(config, documents)).await);
    }
    for (store, place) in config.redis.places() {
        all.push(bounded(store, redis::examine(store, &place, clock, &config.ids)).await);
    }
    all
}

async fn bounded(store: &'static str, work: impl Future<Output = Examined>) -> Examined {
    tokio::time::timeout(LIMIT, work).await.unwrap_or_else(|_| {
        let mut examined = Examined::new(store, "the configured server".to_owned());
        let found = format!("does not answer within {} s", LIMIT.as_secs());
        examined.bad(
            "reach",
            found,
            "check that it runs and that the network lets this machine in",
        );
        examined
    })
}

async fn relational(config: &StorageConfig, clock: &Arc<dyn Clock>) -> Examined {
    sql("users", &config.url, &config.relational, clock).await
}

/// A document store with a database of its own.
async fn own_documents(config: &StorageConfig, documents: &DocumentsConfig) -> Examined {
    if documents.url.is_mongodb() {
        return mongo::examine(documents, &config.clock).await;
    }
    let options = config.relational.for_documents();
    Examined {
        store: "documents",
        ..sql("documents", &documents.url, &options, &config.clock).await
    }
}

async fn sql(
    store: &'static str,
    url: &StoreUrl,
    options: &RelationalOptions,
    clock: &Arc<dyn Clock>,
) -> Examined {
    match Place::parse(url) {
        Ok(Place::Postgres(place)) => PgDb::examine(&place, options, clock).await,
        Ok(Place::File(path)) => SqliteDb::examine(&path).await,
        Ok(place @ Place::Memory) => {
            let mut examined = Examined::new(store, place.to_string());
            let mend = "use sqlite://PATH or postgres://… in its URL";
            examined.note("durability", "nothing survives the end of the process", mend);
            examined
        }
        Err(error) => {
            let mut examined = Examined::new(store, format!("storage.{store}.url"));
            examined.bad("setting", error.to_string(), "correct the setting");
            examined
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[rstest]
    #[case(100, Verdict::Good)]
    #[case(105, Verdict::Note)]
    #[case(95, Verdict::Note)]
    #[case(161, Verdict::Bad)]
    #[case(39, Verdict::Bad)]
    fn a_clock_is_compared_with_the_middle_of_the_question(
        #[case] server: i64,
        #[case] verdict: Verdict,
    ) {
        let mut examined = Examined::new("users", String::new());
        examined.clock(at(server), at(99), at(101));
        assert_eq!(examined.verdict(), verdict, "{examined:?}");
    }

    #[rstest]
    #[case(10 * 1024 * MIB, Verdict::Good)]
    #[case(1024 * MIB, Verdict::Note)]
    #[case(10 * MIB, Verdict::Bad)]
    fn little_space_is_bad(#[case] free: u64, #[case] verdict: Verdict) {
        let mut examined = Examined::new("users", String::new());
        examined.space(free);
        assert_eq!(examined.verdict(), verdict, "{examined:?}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut examined = Examined::new("users", String::new());
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        examined.present(Kind::Index, &names(&["a", "b"]), &names(&["b", "c"]));
        assert_eq!(examined.checks[0].found, "missing: a");
        assert_eq!(examined.verdict(), Verdict::Bad);
    }
}
