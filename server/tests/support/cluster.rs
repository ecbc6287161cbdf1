//! PostgreSQL, MongoDB and Redis for one test: a database on each of the first two and a prefix in the
//! third, removed when the test ends. `scripts/services run` starts the servers.

use izanagi::config::Config;
use izanagi_storage::{StorageConfig, migrate};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions,
};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Names of databases of these tests. After it follow the id of the process and a number.
const PREFIX: &str = "izanagi_app_";

/// A migrated database without rows, which the others are copies of.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// The places of one application.
pub(crate) struct Cluster {
    servers: Servers,
    name: String,
}

/// The URLs of the servers.
#[derive(Clone)]
struct Servers {
    postgres: String,
    mongo: String,
    redis: String,
}

impl Servers {
    fn from_environment() -> Self {
        let url = |variable: &str| {
            let url = std::env::var(variable).ok().filter(|url| !url.is_empty());
            url.unwrap_or_else(|| {
                panic!("TEST_STORES=cluster needs {variable}: scripts/services run")
            })
        };
        Self {
            postgres: url("TEST_POSTGRES_URL"),
            mongo: url("TEST_MONGODB_URL"),
            redis: url("TEST_REDIS_URL"),
        }
    }

    /// The URL of a PostgreSQL database.
    fn database(&self, name: &str) -> String {
        let (server, _) = self.postgres.rsplit_once('/').unwrap();
        format!("{server}/{name}")
    }

    /// The URL of a MongoDB database.
    fn documents(&self, name: &str) -> String {
        let (server, options) = self.mongo.split_once("/?").unwrap();
        format!("{server}/{name}?{options}")
    }
}

impl Cluster {
    /// Whether the tests run on the three servers (`TEST_STORES=cluster`).
    pub(crate) fn is_asked() -> bool {
        match std::env::var("TEST_STORES").unwrap_or_default().as_str() {
            "cluster" => true,
            "" | "memory" => false,
            other => panic!("TEST_STORES={other}: use cluster or memory"),
        }
    }

    pub(crate) async fn create() -> Self {
        let servers = Servers::from_environment();
        let template = TEMPLATE.get_or_init(|| make_template(&servers)).await;
        let name = new_name();
        let mut connection = connect(&servers.postgres).await;
        run(&mut connection, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        connection.close().await.unwrap();
        Self { servers, name }
    }

    /// The settings of an application in these places, everything else as by default.
    pub(crate) fn config(&self) -> Config {
        Config::from_sources(&|variable| match variable {
            "DATABASE_URL" => Some(self.servers.database(&self.name)),
            "MONGODB_URL" => Some(self.servers.documents(&self.name)),
            "REDIS_URL" => Some(self.servers.redis.clone()),
            "IZANAGI_STORAGE_REVOCATIONS_PREFIX"
            | "IZANAGI_STORAGE_BUS_PREFIX"
            | "IZANAGI_STORAGE_LIMITS_PREFIX"
            | "IZANAGI_STORAGE_CACHE_PREFIX" => Some(self.name.clone()),
            _ => None,
        })
        .unwrap()
    }
}

impl Drop for Cluster {
    /// Connections that are still open end with their database.
    fn drop(&mut self) {
        let (servers, name) = (self.servers.clone(), self.name.clone());
        let work = move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(remove(&servers, &name));
        };
        // The runtime of the test cannot be entered once more.
        let removed = std::thread::spawn(work).join();
        assert!(removed.is_ok() || std::thread::panicking(), "{} was not removed", self.name);
    }
}

async fn remove(servers: &Servers, name: &str) {
    let mut connection = connect(&servers.postgres).await;
    run(&mut connection, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    connection.close().await.unwrap();
    let client = mongodb::Client::with_uri_str(&servers.mongo).await.unwrap();
    client.database(name).drop().await.unwrap();
    let client = redis::Client::open(servers.redis.as_str()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let pattern = format!("{name}:*");
    let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut connection).unwrap();
    for key in keys {
        let _: u64 = redis::cmd("DEL").arg(key).query(&mut connection).unwrap();
    }
}

fn new_name() -> String {
    format!("{PREFIX}{}_{}", std::process::id(), Uuid::now_v7().simple())
}

async fn make_template(servers: &Servers) -> String {
    let mut connection = connect(&servers.postgres).await;
    remove_old(&mut connection).await;
    let name = new_name();
    run(&mut connection, &format!("CREATE DATABASE {name}")).await;
    connection.close().await.unwrap();
    migrate(&StorageConfig::new(servers.database(&name))).await.unwrap();
    name
}

/// Drops what processes left that no longer run.
async fn remove_old(connection: &mut PgConnection) {
    let query = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)";
    let names: Vec<String> =
        sqlx::query_scalar(query).bind(PREFIX).fetch_all(&mut *connection).await.unwrap();
    for name in names {
        let process = name.trim_start_matches(PREFIX).split('_').next().unwrap_or_default();
        if !std::path::Path::new("/proc").join(process).exists() {
            run(connection, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
}

async fn connect(url: &str) -> PgConnection {
    url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}
