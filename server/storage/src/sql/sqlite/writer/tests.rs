//! Tests of the writer.

use super::*;
use crate::sql::{database::Database as _, sqlite::SqliteDb, statement::args};
use futures::future::BoxFuture;
use izanagi_domain::storage::{Constraint, Freshness};
use std::sync::Arc;
use tokio::sync::Mutex;

async fn db() -> Arc<SqliteDb> {
    SqliteDb::open(None).await.unwrap()
}

fn insert(key: &str) -> Statement {
    let text = "INSERT INTO collections (name) VALUES ($1)";
    Statement::with(text, args![key])
}

fn write<'d>(db: &'d SqliteDb, key: &'static str) -> BoxFuture<'d, StoreResult<u64>> {
    db.execute(insert(key)).boxed()
}

async fn keys(db: &SqliteDb) -> Vec<String> {
    let query = Statement::new("SELECT name FROM collections ORDER BY name");
    db.fetch(Freshness::Fresh, query)
        .await
        .unwrap()
        .iter()
        .map(|row| row.get("name").unwrap())
        .collect()
}

// In a single-threaded runtime, joined writes are all queued before the writer runs, so they form
// one group.

#[tokio::test]
async fn a_failing_write_does_not_harm_those_beside_it() {
    let db = db().await;
    let late = db.write(|transaction| {
        Box::pin(async move {
            // The first statement succeeds, the second fails when the job ends.
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
                 VALUES (zeroblob(16), zeroblob(16), 0)",
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
async fn a_panicking_write_does_not_affect_others() {
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

#[tokio::test]
async fn a_transaction_that_the_database_ends_by_itself_is_unavailable_and_writes_nothing() {
    let db = db().await;
    assert_eq!(write(&db, "a").await, Ok(1));
    let ending = db.write(|transaction| {
        Box::pin(async move {
            let text = "INSERT OR ROLLBACK INTO collections (name) VALUES ($1)";
            transaction.execute(Statement::with(text, args!["a"])).await
        })
    });
    let (first, ended, last) = futures::join!(write(&db, "b"), ending, write(&db, "c"));
    for result in [first, ended, last] {
        assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    }
    assert_eq!(keys(&db).await, ["a"]);
    assert_eq!(write(&db, "d").await, Ok(1));
    assert_eq!(keys(&db).await, ["a", "d"]);
}

/// A job that panics where the writer does not expect it.
struct Broken {
    before_the_commit: bool,
    result: StoreResult<()>,
    caller: oneshot::Sender<StoreResult<()>>,
}

impl Job for Broken {
    fn run<'a>(&'a mut self, transaction: &'a mut SqliteTransaction) -> BoxFuture<'a, bool> {
        assert!(!self.before_the_commit, "a bug");
        transaction.later(insert("broken"));
        std::future::ready(true).boxed()
    }

    fn settle(&mut self, _: &[Done]) {
        panic!("a bug");
    }

    fn fail(&mut self, error: StoreError) {
        self.result = Err(error);
    }

    fn answer(self: Box<Self>) {
        drop(self.caller.send(self.result));
    }
}

#[tokio::test]
async fn the_writer_survives_its_own_panic_and_says_what_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("izanagi.db");
    let db = SqliteDb::open(Some(&place)).await.unwrap();
    let connector = Connector::new(Some(&place));
    let connection = connector.connect(Role::Writer).await.unwrap();
    let writer = Writer::start(connector, Arc::new(Mutex::new(Some(connection))));
    let broken = |before_the_commit| {
        writer.send(move |caller| Box::new(Broken { before_the_commit, result: Ok(()), caller }))
    };
    let early = broken(true).await;
    assert!(matches!(early, Err(StoreError::Unavailable(_))), "{early:?}");
    assert!(keys(&db).await.is_empty());
    let late = broken(false).await;
    assert!(matches!(late, Err(StoreError::Unknown(_))), "{late:?}");
    assert_eq!(writer.execute(insert("next")).await, Ok(1));
    assert_eq!(keys(&db).await, ["broken", "next"]);
    writer.close().await;
    db.close().await;
}
