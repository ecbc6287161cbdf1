//! Read replicas. They answer reads that need not be fresh, and never with an older state than anybody
//! may have seen: before such a read, the primary says where its log ends, and a replica answers only
//! when it has replayed the log up to there. So it makes no difference who wrote, in which process, or
//! through which the reader has read before. The question costs the primary no query, and is asked once
//! for all reads that wait for it. Without an answer of the primary, replicas do not answer either.

use super::{
    PostgresPlace,
    checks::{self, Position},
    errors::{self, Consequence},
    pool::Pool,
    session::Session,
};
use crate::{
    error::OpenError,
    sql::{row::Row, statement::Statement},
};
use parking_lot::Mutex;
use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// The replicas of a server.
pub(super) struct Replicas {
    replicas: Vec<Replica>,
    next: AtomicUsize,
    ends: Ends,
    /// Reads that a replica has answered.
    pub(super) answered: AtomicU64,
}

struct Replica {
    pool: Pool,
    /// Until when it is not asked, because it was of no use.
    rests_until: Mutex<Option<Instant>>,
}

/// How long a replica, and the primary before, is given to answer.
const WAIT: Duration = Duration::from_secs(1);
/// How long a replica is left alone that did not answer.
const REST: Duration = Duration::from_secs(10);

/// How long a read waits for a replica that is behind, how often it looks, and how long such a replica
/// is left alone.
const CATCH_UP: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(4);
const BEHIND: Duration = Duration::from_secs(1);

impl Replicas {
    /// Creates pools to the replicas.
    pub(super) fn new(places: &[PostgresPlace], size: u32) -> Result<Self, OpenError> {
        let replica = |place: &PostgresPlace| {
            let session = Session::new(place.prepared(), WAIT);
            let pool = Pool::new(place, size, session)?;
            Ok(Replica { pool, rests_until: Mutex::new(None) })
        };
        let replicas = places.iter().map(replica).collect::<Result<_, OpenError>>()?;
        Ok(Self {
            replicas,
            next: AtomicUsize::new(0),
            ends: Ends::default(),
            answered: AtomicU64::new(0),
        })
    }

    /// Returns the rows of a query, if a replica is recent enough and answers.
    pub(super) async fn fetch(&self, primary: &Pool, query: &Statement) -> Option<Vec<Row>> {
        let replica = self.choose()?;
        let end = self.ends.ask(primary).await?;
        let (failure, rest) = match replica.fetch(query, end).await {
            Ok(Answer::Rows(rows)) => {
                self.answered.fetch_add(1, Ordering::Relaxed);
                return Some(rows);
            }
            Ok(Answer::Behind) => ("it is behind".to_owned(), BEHIND),
            Ok(Answer::NoReplica) => ("it is no replica (any more)".to_owned(), REST),
            // It was this query alone: replaying the log took precedence, for example.
            Err(error) if !errors::is_of_connection(&error) => {
                tracing::debug!(%error, "a replica refused a query");
                return None;
            }
            Err(error) => (error.to_string(), REST),
        };
        tracing::warn!(failure, "a replica is left alone for {rest:?}");
        *replica.rests_until.lock() = Some(Instant::now() + rest);
        None
    }

    /// Takes turns among those that do not rest.
    fn choose(&self) -> Option<&Replica> {
        let first = self.next.fetch_add(1, Ordering::Relaxed).checked_rem(self.replicas.len())?;
        let (before, after) = self.replicas.split_at(first);
        let now = Instant::now();
        let works =
            |replica: &&Replica| replica.rests_until.lock().is_none_or(|until| now >= until);
        after.iter().chain(before).find(works)
    }

    pub(super) async fn close(&self) {
        for replica in &self.replicas {
            replica.pool.close().await;
        }
    }
}

/// What came of asking a replica.
enum Answer {
    Rows(Vec<Row>),
    /// It has not replayed the log far enough.
    Behind,
    /// It replays no log: nobody knows how old its state is.
    NoReplica,
}

impl Replica {
    /// Returns the rows of a query after the replica has replayed the log up to `end`. It is asked how
    /// far it is on the connection that reads: another one may lead to another server.
    async fn fetch(&self, query: &Statement, end: Position) -> sqlx::Result<Answer> {
        let acquired = timeout(WAIT, self.pool.acquire()).await;
        let mut connection = acquired.map_err(|_| sqlx::Error::PoolTimedOut)??;
        let give_up = Instant::now() + CATCH_UP;
        loop {
            let position = checks::replayed(&mut connection, self.pool.session).await;
            if position.is_err() {
                connection.discard();
            }
            match position? {
                None => return Ok(Answer::NoReplica),
                Some(position) if position >= end => break,
                Some(_) if Instant::now() >= give_up => return Ok(Answer::Behind),
                Some(_) => sleep(PAUSE).await,
            }
        }
        self.pool.fetch_on(&mut connection, query.clone()).await.map(|done| Answer::Rows(done.rows))
    }
}

/// Asks where the log of the primary ends: one question at a time, and its answer is for all who came
/// before it was asked.
#[derive(Default)]
struct Ends {
    /// Questions asked so far.
    asked: AtomicU64,
    /// The last question, and its answer.
    answer: tokio::sync::Mutex<(u64, Option<Position>)>,
}

impl Ends {
    async fn ask(&self, primary: &Pool) -> Option<Position> {
        let before = self.asked.load(Ordering::Acquire);
        let mut answer = self.answer.lock().await;
        if answer.0 <= before {
            let question = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
            *answer = (question, end_of_log(primary).await);
        }
        answer.1
    }
}

async fn end_of_log(primary: &Pool) -> Option<Position> {
    let mut connection = timeout(WAIT, primary.acquire()).await.ok()?.ok()?;
    match checks::end_of_log(&mut connection, primary.session).await {
        Ok(end) => Some(end),
        Err(error) => {
            tracing::debug!(%error, "the primary did not say where its log ends");
            if errors::consequence(&error) != Consequence::Refused {
                connection.discard();
            }
            None
        }
    }
}
