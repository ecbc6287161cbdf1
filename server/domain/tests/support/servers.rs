//! Stores on two real servers: PostgreSQL for what is relational, MongoDB for records.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::{
    services,
    support::{Plan, World},
};
use izanagi_storage::{DocumentsConfig, RelationalOptions, StorageConfig};
use mongodb::{Client, Collection, bson::Document};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions,
};
use uuid::Uuid;

/// A database of each server that belongs to one test.
pub(crate) struct Servers {
    postgres: String,
    mongo: String,
    name: String,
}

impl Servers {
    /// `None` without servers.
    pub(crate) async fn new() -> Option<Self> {
        let postgres = services::url("TEST_POSTGRES_URL")?;
        let mongo = services::url("TEST_MONGODB_URL")?;
        let process = std::process::id();
        let name = format!("izanagi_test_{process}_{}", Uuid::now_v7().simple());
        let servers = Self { postgres, mongo, name };
        servers.admin(&format!("CREATE DATABASE {}", servers.name)).await;
        Some(servers)
    }

    /// A world with so many connections to PostgreSQL (and half as many more).
    pub(crate) async fn world(&self, pool: u32) -> World {
        World::with(self.plan(pool)).await
    }

    /// The plan of such a world.
    pub(crate) fn plan(&self, pool: u32) -> Plan {
        let database = Some(self.name.clone());
        let documents = Some(DocumentsConfig { database, ..DocumentsConfig::new(&self.mongo) });
        let relational = RelationalOptions { pool, ..RelationalOptions::default() };
        let storage = StorageConfig { documents, relational, ..StorageConfig::new(self.url()) };
        Plan { storage, ..Plan::default() }
    }

    fn url(&self) -> String {
        let (server, _) = self.postgres.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    async fn admin(&self, sql: &str) {
        run(connect(&self.postgres).await, sql).await;
    }

    /// Runs a statement in the relational database; returns the number of changed rows.
    pub(crate) async fn run(&self, sql: &str) -> u64 {
        run(connect(&self.url()).await, sql).await
    }

    /// Number of transactions that nobody goes on with.
    pub(crate) async fn abandoned(&self) -> i64 {
        let mut connection = connect(&self.url()).await;
        let query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                     AND state LIKE 'idle in transaction%' \
                     AND state_change < now() - interval '2 seconds'";
        let found = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        found
    }

    /// The collection of records.
    pub(crate) async fn records(&self) -> Collection<Document> {
        let client = Client::with_uri_str(&self.mongo).await.unwrap();
        client.database(&self.name).collection(DocumentsConfig::COLLECTION)
    }

    /// Ends the world, and drops its databases.
    pub(crate) async fn end(&self, world: World) {
        world.close().await;
        self.admin(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        Client::with_uri_str(&self.mongo).await.unwrap().database(&self.name).drop().await.unwrap();
    }
}

async fn connect(url: &str) -> PgConnection {
    url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
}

async fn run(mut connection: PgConnection, sql: &str) -> u64 {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    done.rows_affected()
}
