//! Examines the document store in MongoDB for `izanagi doctor`.

use super::{
    INDEXES,
    connect::{database_name, options, require_replica_set},
    errors,
};
use crate::{config::DocumentsConfig, doctor::Examined};
use izanagi_domain::storage::Clock;
use izanagi_shared::time::Timestamp;
use mongodb::{
    Client, Database,
    bson::{Bson, Document, doc},
};
use std::sync::Arc;

/// Oldest version with the update pipelines and change streams that the store uses.
const OLDEST: u32 = 5;

/// Examines the configured collection.
pub(crate) async fn examine(config: &DocumentsConfig, clock: &Arc<dyn Clock>) -> Examined {
    let place = format!("MongoDB, {}", config.url);
    let mut examined = Examined::new("documents", place);
    let (options, _) = match options(config, &Arc::default()).await {
        Ok(options) => options,
        Err(error) => {
            examined.bad("setting", error.to_string(), "correct MONGODB_URL");
            return examined;
        }
    };
    let name = database_name(config, &options);
    examined.place = format!("{}, {name}.{}", examined.place, config.collection);
    let client = match Client::with_options(options) {
        Ok(client) => client,
        Err(error) => {
            examined.bad("setting", errors::text(&error), "correct MONGODB_URL");
            return examined;
        }
    };
    inside(&mut examined, &client.database(&name), config, clock).await;
    client.shutdown().immediate(true).await;
    examined
}

async fn inside(
    examined: &mut Examined,
    database: &Database,
    config: &DocumentsConfig,
    clock: &Arc<dyn Clock>,
) {
    let asked = clock.now();
    let hello = match database.run_command(doc! { "hello": 1 }).await {
        Ok(hello) => hello,
        Err(error) => {
            let mend = "check MONGODB_URL, that the server runs, and user and password";
            return examined.bad("reach", errors::text(&error), mend);
        }
    };
    if let Ok(time) = hello.get_datetime("localTime") {
        let server = Timestamp::from_micros(time.timestamp_millis().saturating_mul(1000));
        examined.clock(server, asked, clock.now());
    }
    match require_replica_set("the server", &hello) {
        Ok(()) => {
            let set = hello.get_str("setName").unwrap_or("sharded cluster");
            examined.good("topology", format!("replica set or cluster “{set}”"));
        }
        Err(error) => {
            let mend = "start mongod with --replSet and run rs.initiate() once";
            examined.bad("topology", error.to_string(), mend);
        }
    }
    let checks: [(&'static str, mongodb::error::Result<()>); 4] = [
        ("version", version(examined, database).await),
        ("rights", rights(examined, database, config, clock).await),
        ("indexes", indexes(examined, database, config).await),
        ("free space", space(examined, database).await),
    ];
    for (subject, result) in checks {
        if let Err(error) = result {
            examined.unknown(subject, errors::text(&error));
        }
    }
}

async fn version(examined: &mut Examined, database: &Database) -> mongodb::error::Result<()> {
    let info = database.run_command(doc! { "buildInfo": 1 }).await?;
    let version = info.get_str("version").unwrap_or("unknown");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    let found = format!("MongoDB {version}");
    if major.is_some_and(|major| major < OLDEST) {
        examined.note("version", found, format!("upgrade to {OLDEST} or newer"));
    } else {
        examined.good("version", found);
    }
    Ok(())
}

/// Writes a document, with majority and journal like every write of the store, and removes it.
async fn rights(
    examined: &mut Examined,
    database: &Database,
    config: &DocumentsConfig,
    clock: &Arc<dyn Clock>,
) -> mongodb::error::Result<()> {
    let system = database.collection::<Document>(super::connect::SYSTEM);
    let id = format!("probe of {}", config.collection);
    let probe = doc! { "$set": { "at": Bson::Int64(clock.now().as_micros()) } };
    let written = system.update_one(doc! { "_id": &id }, probe).upsert(true).await;
    let removed = match written {
        Ok(_) => system.delete_one(doc! { "_id": &id }).await.map(drop),
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => {
            examined.good("durability", "a write was acknowledged by the majority, with journal");
            database.collection::<Document>(&config.collection).find_one(doc! {}).await?;
            examined.good("rights", "records can be read, and the database written");
        }
        Err(error) => examined.bad(
            "rights",
            format!("a write failed: {}", errors::text(&error)),
            "give the account the role readWrite on this database; check that a majority of nodes runs",
        ),
    }
    Ok(())
}

async fn indexes(
    examined: &mut Examined,
    database: &Database,
    config: &DocumentsConfig,
) -> mongodb::error::Result<()> {
    let collections = database.list_collection_names().await?;
    if !collections.contains(&config.collection) {
        let mend = "the first start of “izanagi serve” creates it";
        examined.note("indexes", "the collection does not exist yet", mend);
        return Ok(());
    }
    let records = database.collection::<Document>(&config.collection);
    let existing = records.list_index_names().await?;
    let is_missing = |name: &&str| !existing.iter().any(|known| known == name);
    let missing: Vec<_> = INDEXES.into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        examined.good("indexes", format!("all {} are there", INDEXES.len()));
    } else {
        let found = format!("missing: {}", missing.join(", "));
        examined.bad("indexes", found, "the next start of “izanagi serve” creates them");
    }
    Ok(())
}

async fn space(examined: &mut Examined, database: &Database) -> mongodb::error::Result<()> {
    let stats = database.run_command(doc! { "dbStats": 1, "freeStorage": 0 }).await?;
    let number = |field: &str| match stats.get(field) {
        Some(Bson::Double(number)) => Some(*number),
        Some(Bson::Int64(number)) => Some(*number as f64),
        Some(Bson::Int32(number)) => Some(f64::from(*number)),
        _ => None,
    };
    match (number("fsTotalSize"), number("fsUsedSize")) {
        (Some(total), Some(used)) if total > 0.0 => {
            examined.space((total - used).max(0.0) as u64);
        }
        _ => {
            let stored = number("storageSize").unwrap_or_default() / (1024.0 * 1024.0);
            let mend = "watch the free space of the server's disk yourself";
            examined.note("free space", format!("not told; {stored:.0} MiB are stored"), mend);
        }
    }
    Ok(())
}
