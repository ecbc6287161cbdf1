//! Databases of one measurement on the servers of `scripts/services`.

use anyhow::{Context as _, Result};
use izanagi_storage::{DocumentsConfig, StorageConfig};
use mongodb::{Client, bson::doc};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use std::{
    str::FromStr as _,
    sync::atomic::{AtomicU32, Ordering},
};

/// One database in PostgreSQL and one in MongoDB, with the same name.
pub(super) struct Scratch {
    server: PgConnectOptions,
    postgres: String,
    mongo: String,
    redis: String,
    name: String,
}

impl Scratch {
    pub(super) async fn create() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("izanagi_bench_{}_{number}", std::process::id());
        let [postgres, mongo, redis] =
            [url("TEST_POSTGRES_URL")?, url("TEST_MONGODB_URL")?, url("TEST_REDIS_URL")?];
        let server = PgConnectOptions::from_str(&postgres)?;
        let scratch = Self { server, postgres, mongo, redis, name };
        scratch.admin(format!("CREATE DATABASE {}", scratch.name)).await?;
        Ok(scratch)
    }

    /// What the servers call themselves.
    pub(super) async fn versions(&self) -> Result<String> {
        let mut connection = self.server.connect().await?;
        let postgres: String =
            sqlx::query_scalar("SELECT version()").fetch_one(&mut connection).await?;
        let postgres = postgres.split(" on ").next().unwrap_or_default().to_owned();
        let mongo = Client::with_uri_str(&self.mongo).await?;
        let info = mongo.database(&self.name).run_command(doc! { "buildInfo": 1 }).await?;
        let modules = info.get_array("modules").map(|all| format!("{all:?}")).unwrap_or_default();
        Ok(format!("{postgres}; MongoDB's protocol {} {modules}", info.get_str("version")?))
    }

    /// URL of the database in PostgreSQL.
    pub(super) fn postgres(&self) -> Result<String> {
        let (server, _) = self.postgres.rsplit_once('/').context("a URL without a database")?;
        Ok(format!("{server}/{}", self.name))
    }

    pub(super) async fn connect(&self) -> Result<PgConnection> {
        Ok(self.server.clone().database(&self.name).connect().await?)
    }

    /// Creates the table of the raw inserts; returns a connection.
    pub(super) async fn rows(&self) -> Result<PgConnection> {
        let mut connection = self.connect().await?;
        sqlx::query("CREATE TABLE bench_rows (id bigserial PRIMARY KEY, body bytea NOT NULL)")
            .execute(&mut connection)
            .await?;
        Ok(connection)
    }

    pub(super) async fn mongo(&self) -> Result<mongodb::Database> {
        Ok(Client::with_uri_str(&self.mongo).await?.database(&self.name))
    }

    /// Settings of a server process over both, and Redis.
    pub(super) fn environment(&self) -> Result<Vec<(&'static str, String)>> {
        Ok(vec![
            ("DATABASE_URL", self.postgres()?),
            ("MONGODB_URL", self.mongo.clone()),
            ("IZANAGI_STORAGE_DOCUMENTS_DATABASE", self.name.clone()),
            ("REDIS_URL", self.redis.clone()),
            ("IZANAGI_STORAGE_REVOCATIONS_PREFIX", self.name.clone()),
            ("IZANAGI_STORAGE_BUS_PREFIX", self.name.clone()),
            ("IZANAGI_STORAGE_LIMITS_PREFIX", self.name.clone()),
            ("IZANAGI_STORAGE_CACHE_PREFIX", self.name.clone()),
            ("IZANAGI_KEYS_SECRET", format!("{:032}", std::process::id())),
        ])
    }

    /// Configuration of both stores within this process.
    pub(super) fn config(&self) -> Result<StorageConfig> {
        let mut config = StorageConfig::new(self.postgres()?);
        let database = Some(self.name.clone());
        config.documents =
            Some(DocumentsConfig { database, ..DocumentsConfig::new(self.mongo.as_str()) });
        Ok(config)
    }

    pub(super) async fn remove(&self) -> Result<()> {
        self.mongo().await?.drop().await?;
        self.admin(format!("DROP DATABASE {} WITH (FORCE)", self.name)).await
    }

    async fn admin(&self, sql: String) -> Result<()> {
        let mut connection = self.server.connect().await?;
        // The name is ours.
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await?;
        Ok(())
    }
}

fn url(name: &str) -> Result<String> {
    std::env::var(name)
        .with_context(|| format!("{name} is not set; “scripts/services run -- …” sets it"))
}
