//! Tests of the database itself, and of the plans of its queries.

use super::*;
use crate::sql::{
    database::Transaction as _,
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::Constraint;
use sqlx::{AssertSqlSafe, PgConnection, postgres::PgConnectOptions};
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
        let place = PostgresPlace::parse(&format!("{address}/{name}")).unwrap();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_completes_what_was_begun() {
    let Some(test) = TestDb::open(one()).await else { return };
    let (first, ()) = futures::join!(test.db.execute(insert("a")), test.db.close());
    assert_eq!(first, Ok(1));
    let late = test.db.execute(insert("b")).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    test.close().await;
}
