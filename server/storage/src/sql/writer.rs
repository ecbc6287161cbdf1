//! The one writer of a SQLite database. It takes whatever writes have queued up and does them in
//! one transaction, so that they share one sync of the disk: while a group is being committed the
//! next one gathers by itself. Each write has a savepoint of its own, so that its failure does not
//! harm its neighbours, and learns its result only after the COMMIT. A caller that goes away does
//! not stop its write.

use super::{
    connection::{Connector, Done, Failure, Role, Shared},
    errors,
    job::{Job, Single, Work, Write},
    statement::Statement,
    transaction::Transaction,
};
use izanagi_domain::storage::{StoreError, StoreResult};
use tokio::sync::{mpsc, oneshot};

/// How many writes may wait. More wait outside.
const QUEUE: usize = 256;
/// How many writes share a transaction at most.
const GROUP: usize = 64;

enum Message {
    Write(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// The way to the writer.
pub(super) struct Writer(mpsc::Sender<Message>);

impl Writer {
    /// Starts the writer on a connection that it alone writes on.
    pub(super) fn start(connector: Connector, connection: Shared) -> Self {
        let (sender, inbox) = mpsc::channel(QUEUE);
        tokio::spawn(Loop { connector, connection, inbox }.run());
        Self(sender)
    }

    /// Does the work in a transaction. What it gives is durable.
    pub(super) async fn write<T: Send + 'static>(&self, work: Work<T>) -> StoreResult<T> {
        self.send(|caller| Box::new(Write::new(work, caller))).await
    }

    /// Runs one statement in a transaction; gives how many rows it changed.
    pub(super) async fn execute(&self, statement: Statement) -> StoreResult<u64> {
        self.send(|caller| Box::new(Single::new(statement, caller))).await
    }

    async fn send<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<StoreResult<T>>) -> Box<dyn Job>,
    ) -> StoreResult<T> {
        let (caller, answer) = oneshot::channel();
        self.0.send(Message::Write(job(caller))).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Unknown("the writer stopped".to_owned())))
    }

    /// Does what is queued and ends.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.0.send(Message::Close(done)).await.is_ok() {
            drop(closed.await);
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the database is closed".to_owned())
}

struct Loop {
    connector: Connector,
    connection: Shared,
    inbox: mpsc::Receiver<Message>,
}

impl Loop {
    async fn run(mut self) {
        let mut messages = Vec::new();
        let mut closing = None;
        while closing.is_none() && self.inbox.recv_many(&mut messages, GROUP).await > 0 {
            let mut jobs = Vec::new();
            for message in messages.drain(..) {
                match message {
                    Message::Write(job) if closing.is_none() => jobs.push(job),
                    Message::Write(job) => refuse(job),
                    Message::Close(done) => closing = Some(done),
                }
            }
            self.group(&mut jobs).await;
            jobs.into_iter().for_each(|job| job.answer());
        }
        self.inbox.close();
        while let Some(message) = self.inbox.recv().await {
            if let Message::Write(job) = message {
                refuse(job);
            }
        }
        let connection = self.connection.lock().await.take();
        if let Some(connection) = connection
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the database did not close cleanly");
        }
        if let Some(done) = closing {
            // Nobody may be waiting any more.
            let _ = done.send(());
        }
    }

    /// Does the jobs in one transaction and leaves each with its result.
    async fn group(&self, jobs: &mut [Box<dyn Job>]) {
        if jobs.is_empty() {
            return;
        }
        let mut place = self.connection.lock().await;
        let connection = match place.take() {
            Some(connection) => Ok(connection),
            None => self.connector.connect_again(Role::Writer).await,
        };
        match connection {
            Ok(connection) => {
                let mut transaction = Transaction::new(connection);
                let healthy = self.work(&mut transaction, jobs).await;
                // A database in memory is its connection, whatever happened to it.
                if healthy || self.connector.is_single() {
                    *place = Some(transaction.into_connection());
                }
            }
            Err(error) => {
                let error = errors::meaning(&error);
                jobs.iter_mut().for_each(|job| job.fail(error.clone()));
            }
        }
        drop(place);
    }

    /// Says whether the connection is in a known state afterwards.
    async fn work(&self, transaction: &mut Transaction, jobs: &mut [Box<dyn Job>]) -> bool {
        transaction.later(Statement::new(self.connector.begin()));
        if let [job] = jobs {
            return self.alone(transaction, &mut **job).await;
        }
        let mut kept = Vec::with_capacity(jobs.len());
        for job in jobs.iter_mut() {
            match self.beside_others(transaction, &mut **job).await {
                Ok(keep) => kept.push(keep),
                Err(error) => return self.give_up(transaction, jobs, &kept, &error).await,
            }
        }
        match self.commit(transaction).await {
            Ok(_) => true,
            Err(error) => self.give_up(transaction, jobs, &kept, &error).await,
        }
    }

    /// Ends a transaction that cannot be committed; jobs that had failed before keep their reason.
    async fn give_up(
        &self,
        transaction: &mut Transaction,
        jobs: &mut [Box<dyn Job>],
        kept: &[bool],
        error: &StoreError,
    ) -> bool {
        for (index, job) in jobs.iter_mut().enumerate() {
            if kept.get(index) != Some(&false) {
                job.fail(error.clone());
            }
        }
        self.roll_back(transaction).await
    }

    /// A job that is alone needs no savepoint, and its last statements travel with the COMMIT.
    async fn alone(&self, transaction: &mut Transaction, job: &mut dyn Job) -> bool {
        transaction.mark();
        if !job.run(transaction).await {
            return !transaction.abandon() || self.roll_back(transaction).await;
        }
        match self.commit(transaction).await {
            Ok(done) => {
                job.settle(&done);
                true
            }
            Err(error) => {
                job.fail(error);
                self.roll_back(transaction).await
            }
        }
    }

    /// Says whether the job is to be kept; an error is the end of the whole transaction.
    async fn beside_others(
        &self,
        transaction: &mut Transaction,
        job: &mut dyn Job,
    ) -> StoreResult<bool> {
        // What was queued before, a BEGIN or RELEASE, is not this job's to fail with.
        if let Err(failure) = transaction.flush().await {
            return Err(errors::meaning(&failure.error));
        }
        transaction.mark();
        transaction.later(Statement::new("SAVEPOINT job"));
        if job.run(transaction).await {
            transaction.later(Statement::new("RELEASE job"));
            match transaction.flush().await {
                Ok(done) => {
                    job.settle(&done);
                    return Ok(true);
                }
                Err(failure) => job.fail(errors::meaning(&failure.error)),
            }
        }
        if transaction.abandon() {
            transaction.later(Statement::new("ROLLBACK TO job"));
            transaction.later(Statement::new("RELEASE job"));
            if let Err(failure) = transaction.flush().await {
                return Err(errors::meaning(&failure.error));
            }
        }
        Ok(false)
    }

    /// Sends what is queued and the COMMIT; gives what they did.
    async fn commit(&self, transaction: &mut Transaction) -> StoreResult<Vec<Done>> {
        transaction.later(Statement::new("COMMIT"));
        let statements = transaction.queued();
        let Failure { completed, error } = match transaction.flush().await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        if !errors::is_lost(&error) && completed + 1 < statements {
            return Err(errors::meaning(&error));
        }
        if errors::refused_commit(&error) {
            return Err(StoreError::Unavailable(error.to_string()));
        }
        Err(StoreError::Unknown(error.to_string()))
    }

    /// Says whether the connection is certainly outside a transaction now.
    async fn roll_back(&self, transaction: &mut Transaction) -> bool {
        transaction.abandon();
        transaction.later(Statement::new("ROLLBACK"));
        transaction.flush().await.is_ok()
    }
}

fn refuse(mut job: Box<dyn Job>) {
    job.fail(closed());
    job.answer();
}

#[cfg(test)]
mod tests {
    use crate::{
        config::Place,
        sql::{
            Db,
            statement::{Statement, args},
        },
    };
    use futures::{FutureExt as _, future::BoxFuture};
    use izanagi_domain::storage::{Constraint, StoreError, StoreResult};

    async fn db() -> std::sync::Arc<Db> {
        Db::open(&Place::Memory).await.unwrap()
    }

    fn insert(key: &str) -> Statement {
        let text = "INSERT INTO revocations (session_id, expires_at) VALUES ($1, 0)";
        Statement::with(text, args![key])
    }

    fn write<'d>(db: &'d Db, key: &'static str) -> BoxFuture<'d, StoreResult<u64>> {
        db.execute(insert(key)).boxed()
    }

    async fn keys(db: &Db) -> Vec<String> {
        let query = Statement::new("SELECT session_id FROM revocations ORDER BY session_id");
        db.fetch(query).await.unwrap().iter().map(|row| row.get("session_id").unwrap()).collect()
    }

    // In a runtime of one thread, writes that are joined have all queued up before the writer
    // runs, and so are one group.

    #[tokio::test]
    async fn a_failing_write_does_not_harm_those_beside_it() {
        let db = db().await;
        let late = db.write(|transaction| {
            Box::pin(async move {
                // The first succeeds at once, the second fails when the job is over.
                transaction.execute(insert("c")).await?;
                transaction.later(insert("a"));
                Ok(())
            })
        });
        let by_itself = db.write(|transaction| {
            Box::pin(async move {
                transaction.execute(insert("d")).await?;
                Err::<(), _>(StoreError::NotFound)
            })
        });
        let results =
            futures::join!(write(&db, "a"), write(&db, "a"), late, by_itself, write(&db, "b"));
        let taken = StoreError::Conflict(Constraint::Other);
        assert_eq!(results.0, Ok(1));
        assert_eq!(results.1, Err(taken.clone()));
        assert_eq!(results.2, Err(taken));
        assert_eq!(results.3, Err(StoreError::NotFound));
        assert_eq!(results.4, Ok(1));
        assert_eq!(keys(&db).await, ["a", "b"]);
    }

    #[tokio::test]
    async fn a_write_that_fails_alone_leaves_nothing() {
        let db = db().await;
        let failing = db.write(|transaction| {
            Box::pin(async move {
                transaction.execute(insert("a")).await?;
                transaction.later(insert("b"));
                Err::<(), _>(StoreError::NotFound)
            })
        });
        assert_eq!(failing.await, Err(StoreError::NotFound));
        assert!(keys(&db).await.is_empty());
        assert_eq!(write(&db, "c").await, Ok(1));
        assert_eq!(keys(&db).await, ["c"]);
    }

    #[tokio::test]
    async fn a_commit_that_is_refused_fails_the_whole_group_and_writes_nothing() {
        let db = db().await;
        let dangling = db.write(|transaction| {
            Box::pin(async move {
                transaction.later(Statement::new("PRAGMA defer_foreign_keys = ON"));
                transaction.later(Statement::new(
                    "INSERT INTO document_owners (document_id, user_id, created_at) \
                     VALUES ('none', 'nobody', 0)",
                ));
                Ok(())
            })
        });
        let (innocent, dangling) = futures::join!(write(&db, "a"), dangling);
        assert!(matches!(innocent, Err(StoreError::Unavailable(_))), "{innocent:?}");
        assert!(matches!(dangling, Err(StoreError::Unavailable(_))), "{dangling:?}");
        assert!(keys(&db).await.is_empty());
        assert_eq!(write(&db, "b").await, Ok(1));
        assert_eq!(keys(&db).await, ["b"]);
    }

    #[tokio::test]
    async fn a_write_is_done_even_if_its_caller_goes_away() {
        let db = db().await;
        let mut abandoned = write(&db, "a");
        assert!(futures::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        assert_eq!(write(&db, "b").await, Ok(1));
        assert_eq!(keys(&db).await, ["a", "b"]);
    }

    #[tokio::test]
    async fn a_write_that_panics_harms_nobody_else() {
        let db = db().await;
        let panicking = db.write(|transaction| {
            Box::pin(async move {
                transaction.execute(insert("c")).await?;
                if !transaction.fetch(Statement::new("SELECT 1 AS one")).await?.is_empty() {
                    panic!("a bug");
                }
                Ok(())
            })
        });
        let (first, panicked, last) = futures::join!(write(&db, "a"), panicking, write(&db, "b"));
        assert!(matches!(panicked, Err(StoreError::Unavailable(_))), "{panicked:?}");
        assert_eq!((first, last), (Ok(1), Ok(1)));
        assert_eq!(keys(&db).await, ["a", "b"]);
    }

    #[tokio::test]
    async fn closing_does_what_was_queued_and_refuses_what_comes_after() {
        let db = db().await;
        let (first, ()) = futures::join!(write(&db, "a"), db.close());
        assert_eq!(first, Ok(1));
        let late = write(&db, "b").await;
        assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    }

    #[tokio::test]
    async fn more_writes_than_fit_in_the_queue_are_all_done() {
        let db = db().await;
        let writes = (0..700).map(|number| {
            let key = number.to_string();
            let db = &db;
            async move { db.execute(insert(&key)).await }
        });
        let results = futures::future::join_all(writes).await;
        assert!(results.iter().all(|result| *result == Ok(1)));
        assert_eq!(keys(&db).await.len(), 700);
    }
}
