//! Tests of the database itself, and of the plans of its queries.

use super::*;
use crate::sql::{
    database::Transaction as _,
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::Constraint;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

mod plans;

/// A database for one test.
struct TestDb {
    server: String,
    name: String,
    db: Arc<PgDb>,
}

impl TestDb {
    /// `None` without a server.
    async fn open(options: RelationalOptions) -> Option<Self> {
        Self::open_with("", options).await
    }

    /// With options in the URL.
    async fn open_with(query: &str, options: RelationalOptions) -> Option<Self> {
        let server = std::env::var("TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty());
        let Some(server) = server else {
            let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
            assert!(!required, "TEST_POSTGRES_URL is not set");
            return None;
        };
        // The contract tests remove what a broken run leaves.
        let name = format!("izanagi_test_{}_{}", std::process::id(), Uuid::now_v7().simple());
        let mut connection = connect(&server).await;
        run(&mut connection, format!("CREATE DATABASE {name}")).await;
        let (address, _) = server.rsplit_once('/').unwrap();
        let place = PostgresPlace::parse(&format!("{address}/{name}{query}")).unwrap();
        let (db, _) = PgDb::open(&place, &options, None).await.unwrap();
        Some(Self { server, name, db })
    }

    /// Connects beside the pool.
    async fn connect(&self) -> PgConnection {
        let (address, _) = self.server.rsplit_once('/').unwrap();
        connect(&format!("{address}/{}", self.name)).await
    }

    async fn close(self) {
        self.db.close().await;
        let mut connection = connect(&self.server).await;
        run(&mut connection, format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

async fn connect(url: &str) -> PgConnection {
    url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
}

async fn run(connection: &mut PgConnection, sql: String) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

fn one() -> RelationalOptions {
    RelationalOptions { pool: 1, ..RelationalOptions::default() }
}

fn insert(key: &str) -> Statement {
    Statement::with("INSERT INTO collections (name) VALUES ($1)", args![key])
}

async fn keys(db: &PgDb) -> Vec<String> {
    let query = Statement::new("SELECT name FROM collections ORDER BY name");
    let rows: Vec<Row> = db.fetch(Freshness::Fresh, query).await.unwrap();
    rows.iter().map(|row| row.get("name").unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_fails_or_panics_leaves_nothing_and_its_connection_works() {
    let Some(test) = TestDb::open(one()).await else { return };
    let db = &test.db;
    let failing = db.write(|transaction| {
        Box::pin(async move {
            transaction.execute(insert("a")).await?;
            transaction.later(insert("b"));
            Err::<(), _>(StoreError::NotFound)
        })
    });
    assert_eq!(failing.await, Err(StoreError::NotFound));
    let panicking = db.write(|transaction| {
        Box::pin(async move {
            transaction.execute(insert("c")).await?;
            if !transaction.fetch(Statement::new("SELECT 1 AS one")).await?.is_empty() {
                panic!("a bug");
            }
            Ok(())
        })
    });
    let panicked = panicking.await;
    assert!(matches!(panicked, Err(StoreError::Unavailable(_))), "{panicked:?}");
    assert!(keys(db).await.is_empty());
    assert_eq!(db.execute(insert("d")).await, Ok(1));
    assert_eq!(keys(db).await, ["d"]);
    test.close().await;
}

/// PostgreSQL answers such a COMMIT with a rollback, but without an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_ignores_a_failed_statement_is_not_reported_as_done() {
    let Some(test) = TestDb::open(one()).await else { return };
    assert_eq!(test.db.execute(insert("a")).await, Ok(1));
    let ignoring = test.db.write(|transaction| {
        Box::pin(async move {
            transaction.execute(insert("b")).await?;
            let refused = transaction.execute(insert("a")).await;
            assert_eq!(refused, Err(StoreError::Conflict(Constraint::Other)));
            Ok(())
        })
    });
    assert_eq!(ignoring.await, Err(StoreError::Conflict(Constraint::Other)));
    assert_eq!(keys(&test.db).await, ["a"]);
    test.close().await;
}

/// A statement that stays prepared does not fit the table after it changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prepared_statements_survive_a_migration() {
    let Some(test) = TestDb::open(one()).await else { return };
    let read = || {
        let query = Statement::new("SELECT * FROM collections");
        test.db.fetch(Freshness::Fresh, query)
    };
    test.db.execute(insert("a")).await.unwrap();
    assert_eq!(read().await.unwrap().len(), 1);
    let mut beside = test.connect().await;
    run(&mut beside, "ALTER TABLE collections ADD COLUMN more bigint".to_owned()).await;
    assert_eq!(read().await.unwrap().len(), 1);
    let returning = || {
        let text = "UPDATE collections SET name = name RETURNING *";
        test.db.execute_returning(Statement::new(text))
    };
    assert_eq!(returning().await.unwrap().len(), 1);
    run(&mut beside, "ALTER TABLE collections ADD COLUMN still bigint".to_owned()).await;
    assert_eq!(returning().await.unwrap().len(), 1);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_connection_that_was_idle_is_replaced() {
    let Some(test) = TestDb::open(one()).await else { return };
    let mut beside = test.connect().await;
    for round in 0..5 {
        assert_eq!(test.db.execute(insert(&format!("{round}"))).await, Ok(1));
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        run(&mut beside, kill.to_owned()).await;
        assert_eq!(keys(&test.db).await.len(), round + 1);
        run(&mut beside, kill.to_owned()).await;
        let written = test
            .db
            .write(|transaction| Box::pin(transaction.fetch(Statement::new("SELECT 1 AS one"))));
        assert_eq!(written.await.unwrap().len(), 1);
    }
    test.close().await;
}

/// The limits apply to the connection, whatever its role, and to no other client of a pooler.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_transaction_has_its_limits() {
    for url in ["", "?statement-cache-capacity=0"] {
        let Some(test) = TestDb::open_with(url, one()).await else { return };
        let query = || {
            Statement::new(
                "SELECT current_setting('statement_timeout') AS statement, \
                 current_setting('idle_in_transaction_session_timeout') AS idle",
            )
        };
        let limits = |rows: Vec<Row>| {
            let row = rows.first().unwrap();
            [row.get::<String>("statement").unwrap(), row.get("idle").unwrap()]
        };
        let read = test.db.fetch(Freshness::Fresh, query()).await.unwrap();
        assert_eq!(limits(read), ["30s", "1min"], "{url}");
        let written =
            test.db.write(move |transaction| Box::pin(transaction.fetch(query()))).await.unwrap();
        assert_eq!(limits(written), ["30s", "1min"], "{url}");
        test.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_has_half_as_many_more_in_a_rush_and_keeps_a_few() {
    let options = RelationalOptions { pool: 8, ..RelationalOptions::default() };
    let Some(test) = TestDb::open(options).await else { return };
    let mut beside = test.connect().await;
    let mut connections = async || {
        let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                     AND application_name = 'izanagi pool'";
        sqlx::query_scalar::<_, i64>(query).fetch_one(&mut beside).await.unwrap()
    };
    // With the first that is used, another one is opened.
    keys(&test.db).await;
    let begun = std::time::Instant::now();
    while connections().await < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20), "none is opened before it is needed");
    }
    let rush = (0..40).map(|_| {
        let db = Arc::clone(&test.db);
        let query = Statement::new("SELECT 1 AS one FROM pg_sleep(0.2)");
        tokio::spawn(async move { db.fetch(Freshness::Fresh, query).await })
    });
    let rush = Vec::from_iter(rush);
    let mut most = 0;
    while !rush.iter().all(tokio::task::JoinHandle::is_finished) {
        most = most.max(connections().await);
    }
    for read in rush {
        read.await.unwrap().unwrap();
    }
    assert_eq!(most, 12);
    drop(beside);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_takes_too_long_ends_but_checks_do_not() {
    let statement_timeout = Duration::from_millis(200);
    let Some(test) = TestDb::open(RelationalOptions { statement_timeout, ..one() }).await else {
        return;
    };
    let slow = Statement::new("SELECT 1 AS one FROM pg_sleep(20)");
    let ended = test.db.fetch(Freshness::Fresh, slow).await;
    assert!(matches!(ended, Err(StoreError::Unavailable(_))), "{ended:?}");
    // The checks wait for a lock that is held for longer.
    let mut beside = test.connect().await;
    run(&mut beside, "BEGIN; LOCK TABLE documents IN ACCESS EXCLUSIVE MODE".to_owned()).await;
    let db = Arc::clone(&test.db);
    let checking = tokio::spawn(async move { db.integrity().await });
    run(&mut beside, "SELECT pg_sleep(1)".to_owned()).await;
    assert!(!checking.is_finished());
    run(&mut beside, "ROLLBACK".to_owned()).await;
    assert_eq!(checking.await.unwrap(), Ok(Vec::new()));
    drop(beside);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_completes_what_was_begun() {
    let Some(test) = TestDb::open(one()).await else { return };
    let (first, ()) = futures::join!(test.db.execute(insert("a")), test.db.close());
    assert_eq!(first, Ok(1));
    let late = test.db.execute(insert("b")).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    test.close().await;
}
