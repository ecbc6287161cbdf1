//! Databases on the PostgreSQL server of the tests, one for each store.

use crate::services;
use izanagi_storage::{StorageConfig, migrate};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions,
};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// A database that is dropped at the end of a test.
pub(crate) struct PgDatabase {
    server: String,
    pub(crate) name: String,
}

/// A migrated database without rows, which the others are copies of.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

impl PgDatabase {
    /// Creates a database with the schema. `None` without a server.
    pub(crate) async fn migrated() -> Option<Self> {
        let server = services::url("TEST_POSTGRES_URL")?;
        let template = TEMPLATE.get_or_init(|| async {
            let template = Self::create(server.clone(), "").await;
            migrate(&StorageConfig::new(template.url())).await.unwrap();
            template.name
        });
        let template = format!("TEMPLATE {}", template.await);
        Some(Self::create(server, &template).await)
    }

    /// Creates an empty database. `None` without a server.
    pub(crate) async fn empty() -> Option<Self> {
        Some(Self::create(services::url("TEST_POSTGRES_URL")?, "").await)
    }

    async fn create(server: String, template: &str) -> Self {
        let name = format!("izanagi_{}", Uuid::now_v7().simple());
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
        self.url().parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
    }

    /// Drops the database, with the connections that remain.
    pub(crate) async fn drop(&self) {
        self.admin(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }

    /// Runs a statement beside the database.
    pub(crate) async fn admin(&self, sql: &str) {
        let options: PgConnectOptions = self.server.parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}
