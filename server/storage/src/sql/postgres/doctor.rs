//! Examines a PostgreSQL database for `izanagi doctor`.

use super::{
    PgDb,
    checks::{DURABLE, OLDEST},
    connection,
    options::PostgresPlace,
    schema,
    session::Session,
};
use crate::{
    config::RelationalOptions,
    doctor::{COUNTS, Examined, Kind, MARKS, MOVES, Routing, SINCE, names},
    url::StoreUrl,
};
use izanagi_domain::storage::Clock;
use izanagi_shared::time::Timestamp;
use sqlx::PgConnection;
use std::sync::Arc;

/// Connections that are left for others, below which a node may get none.
const FEW_CONNECTIONS: i64 = 5;
/// Transactions that are open for longer hold up followers of changes, and vacuum.
const LONG_TRANSACTION_SECONDS: i64 = 300;

impl PgDb {
    /// Examines the database and its replicas.
    pub(crate) async fn examine(
        place: &PostgresPlace,
        options: &RelationalOptions,
        clock: &Arc<dyn Clock>,
    ) -> Examined {
        let mut examined = Examined::new("users", place.to_string());
        match connect(place).await {
            Ok(mut connection) => {
                primary(&mut examined, &mut connection, options, clock).await;
                // The connection only read.
                connection::close(connection).await;
            }
            Err(error) => examined.bad(
                "reach",
                error,
                "check DATABASE_URL, that the server runs, and that pg_hba.conf lets this machine in",
            ),
        }
        for url in &options.replicas {
            replica(&mut examined, url).await;
        }
        examined
    }
}

async fn connect(place: &PostgresPlace) -> Result<PgConnection, String> {
    let session = Session::new(place.prepared(), RelationalOptions::STATEMENT_TIMEOUT);
    connection::connect(place, "doctor", session).await.map_err(|error| error.to_string())
}

async fn primary(
    examined: &mut Examined,
    connection: &mut PgConnection,
    options: &RelationalOptions,
    clock: &Arc<dyn Clock>,
) {
    // Each check stands for itself: one that fails hides no other.
    let checks: [(&'static str, sqlx::Result<()>); 8] = [
        ("version", version(examined, connection).await),
        ("durability", durability(examined, connection).await),
        ("clock", compare_clocks(examined, connection, clock).await),
        ("schema", objects(examined, connection).await),
        ("rights", rights(examined, connection).await),
        ("connections", connections(examined, connection, options.pool).await),
        ("transactions", transactions(examined, connection).await),
        ("size", size(examined, connection).await),
    ];
    for (subject, result) in checks {
        if let Err(error) = result {
            examined.unknown(subject, error);
        }
    }
}

async fn setting(connection: &mut PgConnection, name: &str) -> sqlx::Result<String> {
    sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(connection).await
}

async fn version(examined: &mut Examined, connection: &mut PgConnection) -> sqlx::Result<()> {
    let number = setting(connection, "server_version_num").await?;
    let found = format!("PostgreSQL {}", setting(connection, "server_version").await?);
    if number.parse::<i32>().unwrap_or_default() < OLDEST {
        examined.bad("version", found, "upgrade to 13 or newer");
    } else {
        examined.good("version", found);
    }
    let encoding = setting(connection, "server_encoding").await?;
    if encoding == "UTF8" {
        examined.good("encoding", encoding);
    } else {
        examined.bad("encoding", encoding, "create the database with ENCODING 'UTF8'");
    }
    Ok(())
}

async fn durability(examined: &mut Examined, connection: &mut PgConnection) -> sqlx::Result<()> {
    let mut off = Vec::new();
    for name in DURABLE {
        if setting(connection, name).await? == "off" {
            off.push(name);
        }
    }
    if off.is_empty() {
        examined.good("durability", format!("{} are on", DURABLE.join(", ")));
    } else {
        let found = format!("off: {}; a crash may lose acknowledged writes", off.join(", "));
        examined.bad(
            "durability",
            found,
            "turn them on in postgresql.conf, then reload the server",
        );
    }
    Ok(())
}

async fn compare_clocks(
    examined: &mut Examined,
    connection: &mut PgConnection,
    clock: &Arc<dyn Clock>,
) -> sqlx::Result<()> {
    let query = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)";
    let asked = clock.now();
    let micros: i64 = sqlx::query_scalar(query).fetch_one(connection).await?;
    examined.clock(Timestamp::from_micros(micros), asked, clock.now());
    Ok(())
}

/// Schema, tables and indexes.
async fn routing(examined: &mut Examined, connection: &mut PgConnection) -> sqlx::Result<()> {
    let moves = sqlx::query_as(MOVES).fetch_all(&mut *connection).await?;
    let marks = sqlx::query_scalar(MARKS).fetch_one(&mut *connection).await?;
    let counts = sqlx::query_as(COUNTS).fetch_optional(connection).await?;
    examined.routing(&Routing { moves, marks, counts });
    Ok(())
}

async fn objects(examined: &mut Examined, connection: &mut PgConnection) -> sqlx::Result<()> {
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        examined.note("schema", "empty", "the first start of “izanagi serve” creates it");
        return Ok(());
    }
    let applied: i64 =
        sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success")
            .fetch_one(&mut *connection)
            .await?;
    examined.schema(applied, schema::steps().count());
    let existing = |kind| {
        format!(
            "SELECT CAST(relname AS text) FROM pg_class \
             WHERE relnamespace = CAST(current_schema() AS regnamespace) AND relkind IN ({kind})"
        )
    };
    for (kind, relkinds) in [(Kind::Table, "'r', 'p'"), (Kind::Index, "'i', 'I'")] {
        // The text has no part that comes from outside.
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(existing(relkinds)));
        let existing: Vec<String> = query.fetch_all(&mut *connection).await?;
        examined.present(kind, &names(schema::steps(), kind), &existing);
    }
    if applied >= SINCE {
        routing(examined, connection).await?;
    }
    let invalid: Vec<String> = sqlx::query_scalar(
        "SELECT CAST(CAST(indexrelid AS regclass) AS text) FROM pg_index \
         JOIN pg_class c ON c.oid = indexrelid \
         WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND NOT indisvalid",
    )
    .fetch_all(&mut *connection)
    .await?;
    if !invalid.is_empty() {
        let found = format!("not valid: {}", invalid.join(", "));
        examined.bad("indexes", found, "REINDEX INDEX CONCURRENTLY each of them");
    }
    Ok(())
}

async fn rights(examined: &mut Examined, connection: &mut PgConnection) -> sqlx::Result<()> {
    let (role, is_superuser): (String, bool) = sqlx::query_as(
        "SELECT CAST(current_user AS text), rolsuper FROM pg_roles WHERE rolname = current_user",
    )
    .fetch_one(&mut *connection)
    .await?;
    // `audit_log` is only added to, and migrations belong to the owner.
    let lacking: Vec<String> = sqlx::query_scalar(
        "SELECT CAST(c.relname AS text) FROM pg_class c \
         WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind IN ('r', 'p') \
         AND c.relname <> '_sqlx_migrations' \
         AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') \
         AND has_table_privilege(c.oid, 'DELETE') \
         AND (c.relname = 'audit_log' OR has_table_privilege(c.oid, 'UPDATE'))) ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await?;
    let recipe = "GRANT them as docs/operations.md shows";
    if !lacking.is_empty() {
        let found = format!("{role} may not read or write: {}", lacking.join(", "));
        examined.bad("rights", found, recipe);
    } else if is_superuser {
        let found = format!("{role} is a superuser");
        examined.note("rights", found, "use a role with fewer rights, as docs/operations.md shows");
    } else {
        examined.good("rights", format!("{role} may read and write all tables"));
    }
    Ok(())
}

async fn connections(
    examined: &mut Examined,
    connection: &mut PgConnection,
    pool: u32,
) -> sqlx::Result<()> {
    let (most, used): (i64, i64) = sqlx::query_as(
        "SELECT CAST(current_setting('max_connections') AS bigint), \
         (SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend')",
    )
    .fetch_one(connection)
    .await?;
    let found = format!("{used} of {most} in use; a node uses up to {}", pool + pool / 2);
    if most - used < FEW_CONNECTIONS {
        let mend = "raise max_connections, lower storage.users.connections, or use a pooler";
        examined.bad("connections", found, mend);
    } else {
        examined.good("connections", found);
    }
    Ok(())
}

async fn transactions(examined: &mut Examined, connection: &mut PgConnection) -> sqlx::Result<()> {
    let oldest: i64 = sqlx::query_scalar(
        "SELECT COALESCE(CAST(MAX(EXTRACT(EPOCH FROM clock_timestamp() - xact_start)) AS bigint), 0) \
         FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
         AND backend_type = 'client backend'",
    )
    .fetch_one(connection)
    .await?;
    let found = format!("the oldest open one is {oldest} s old");
    if oldest >= LONG_TRANSACTION_SECONDS {
        let mend =
            "find it in pg_stat_activity and end it: it holds up vacuum and followers of changes";
        examined.note("transactions", found, mend);
    } else {
        examined.good("transactions", found);
    }
    Ok(())
}

async fn size(examined: &mut Examined, connection: &mut PgConnection) -> sqlx::Result<()> {
    let bytes: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
        .fetch_one(connection)
        .await?;
    // PostgreSQL does not tell how much space its disk has left.
    examined.good("size", format!("{} MiB", bytes / (1024 * 1024)));
    Ok(())
}

async fn replica(examined: &mut Examined, url: &StoreUrl) {
    let mend = "check storage.users.replicas; without replicas, lists are read from the primary";
    let place = match PostgresPlace::parse(url.expose()) {
        Ok(place) => place,
        Err(error) => return examined.bad("replica", error.to_string(), mend),
    };
    let mut connection = match connect(&place).await {
        Ok(connection) => connection,
        Err(error) => return examined.bad("replica", format!("{place}: {error}"), mend),
    };
    let lag = sqlx::query_as(
        "SELECT pg_is_in_recovery(), COALESCE(CAST(EXTRACT(EPOCH FROM \
         clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000 AS bigint), 0)",
    );
    let found: sqlx::Result<(bool, i64)> = lag.fetch_one(&mut connection).await;
    match found {
        Ok((true, lag)) => examined.good("replica", format!("{place}: last replayed {lag} ms ago")),
        Ok((false, _)) => {
            let found = format!("{place} is no replica: it accepts writes");
            examined.bad("replica", found, "name a hot standby of the primary");
        }
        Err(error) => examined.unknown("replica", error),
    }
    connection::close(connection).await;
}
