//! Databases on the PostgreSQL server of the tests, one for each store.

use crate::services;
use izanagi_storage::{StorageConfig, migrate};
use parking_lot::Mutex;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions,
};
use std::time::Duration;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// A database for one test.
pub(crate) struct PgDatabase {
    /// The URL of a database that is always there.
    pub(crate) server: String,
    pub(crate) name: String,
}

/// Names of databases of this program. After them follow the id of its process and a number.
const PREFIX: &str = "izanagi_test_";

/// A migrated database without rows, which the others are copies of.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// Emptied databases for further tests: emptying one takes a fraction of the time of a new one.
static EMPTY: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Everything but the schema.
const CLEAR: &str = "DELETE FROM documents; DELETE FROM users; DELETE FROM revocations; \
    DELETE FROM commit_intents; DELETE FROM records; DELETE FROM collections; \
    DELETE FROM record_changes; DELETE FROM record_marks; \
    UPDATE record_horizon SET highest = 0, forgotten = 0; \
    DELETE FROM store_moves; DELETE FROM move_nodes; DELETE FROM shadow_marks; \
    DELETE FROM tombstones; DELETE FROM outbox; DELETE FROM audit_log; DELETE FROM probes; \
    DELETE FROM signing_keys; \
    UPDATE change_horizon SET highest = 0, forgotten = 0; \
    SELECT setval('change_numbers', 1, false), setval('account_numbers', 1, false), \
    setval('record_numbers', 1, false)";

impl PgDatabase {
    /// Returns a database with the schema and no rows. `None` without a server.
    pub(crate) async fn migrated() -> Option<Self> {
        let server = services::url("TEST_POSTGRES_URL")?;
        let template = TEMPLATE.get_or_init(|| async {
            remove_old(&server).await;
            let template = Self::create(server.clone(), "").await;
            migrate(&StorageConfig::new(template.url())).await.unwrap();
            template.name
        });
        let template = format!("TEMPLATE {}", template.await);
        let emptied = EMPTY.lock().pop();
        Some(match emptied {
            Some(name) => Self { server, name },
            None => Self::create(server, &template).await,
        })
    }

    /// Creates a database without a schema. `None` without a server.
    pub(crate) async fn empty() -> Option<Self> {
        Some(Self::create(services::url("TEST_POSTGRES_URL")?, "").await)
    }

    async fn create(server: String, template: &str) -> Self {
        let name = format!("{PREFIX}{}_{}", std::process::id(), Uuid::now_v7().simple());
        let database = Self { server, name };
        database.admin(&format!("CREATE DATABASE {} {template}", database.name)).await;
        database
    }

    /// Returns the URL of the database.
    pub(crate) fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    /// Connects to the database.
    pub(crate) async fn connect(&self) -> PgConnection {
        connect(&self.url()).await
    }

    /// Runs statements in the database.
    pub(crate) async fn run(&self, sql: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Waits until some connection of the database waits for a lock.
    pub(crate) async fn until_blocked(&self) {
        self.until(
            "EXISTS (SELECT 1 FROM pg_stat_activity \
                    WHERE datname = current_database() AND wait_event_type = 'Lock')",
        )
        .await;
    }

    /// Waits until a condition holds, for a minute at most.
    pub(crate) async fn until(&self, condition: &str) {
        let mut connection = self.connect().await;
        let query = format!("SELECT {condition}");
        let holds = async {
            loop {
                let query = sqlx::query_scalar(AssertSqlSafe(query.as_str()));
                if query.fetch_one(&mut connection).await.unwrap() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), holds).await.expect(condition);
        connection.close().await.unwrap();
    }

    /// Empties the database for another test. All its connections must be closed.
    pub(crate) async fn recycle(&self) {
        self.run(CLEAR).await;
        EMPTY.lock().push(self.name.clone());
    }

    /// Drops the database, with the connections that remain.
    pub(crate) async fn drop(&self) {
        self.admin(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }

    /// Runs a statement beside the database.
    pub(crate) async fn admin(&self, sql: &str) {
        let mut connection = connect(&self.server).await;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

async fn connect(url: &str) -> PgConnection {
    url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
}

/// Drops what processes left that no longer run.
async fn remove_old(server: &str) {
    let mut connection = connect(server).await;
    let query = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)";
    let names: Vec<String> =
        sqlx::query_scalar(query).bind(PREFIX).fetch_all(&mut connection).await.unwrap();
    for name in names {
        let process = name.trim_start_matches(PREFIX).split('_').next().unwrap_or_default();
        if !std::path::Path::new("/proc").join(process).exists() {
            let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
        }
    }
    connection.close().await.unwrap();
}
