//! Bytes that a version of a blog post takes in MongoDB, as stored BSON.

use super::Setting;
use crate::{
    report::{Figure, Number, Report, Target, progress},
    world::World,
};
use anyhow::{Context as _, Result, ensure};
use izanagi_storage::DocumentsConfig;
use mongodb::{
    Client,
    bson::{Bson, Document, doc},
};
use std::fs;

/// Number of versions, unless `BENCH_VERSIONS` says otherwise.
const VERSIONS: usize = 10_000;

/// Measures the size. Needs the server at `TEST_MONGODB_URL`.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let url = std::env::var("TEST_MONGODB_URL")
        .context("TEST_MONGODB_URL is not set; “scripts/services run mongo -- …” sets it")?;
    let versions = std::env::var("BENCH_VERSIONS").map_or(Ok(VERSIONS), |count| count.parse())?;
    let folder = setting.folder.join("mongo");
    fs::create_dir(&folder)?;
    let name = format!("izanagi_bench_{}", std::process::id());
    let documents =
        DocumentsConfig { database: Some(name.clone()), ..DocumentsConfig::new(url.as_str()) };
    let database = Client::with_uri_str(&url).await?.database(&name);
    database.drop().await?;
    let world = World::with_documents(&folder, documents).await?;
    world.services.start();
    let document = world.create("").await?;
    for (index, text) in setting.trace.texts(versions).enumerate() {
        world.write(document, text).await?;
        world.commit(document).await?;
        if index % 1_000 == 999 {
            progress(format_args!("{} versions", index + 1));
        }
    }
    world.settle().await?;
    let collection = database.collection::<Document>(DocumentsConfig::COLLECTION);
    let contents = doc! { "collection": { "$regex": "/contents(/.*/chunks)?$" } };
    let size = doc! { "$bsonSize": "$$ROOT" };
    let group = doc! { "_id": null, "count": { "$sum": 1 }, "bytes": { "$sum": size } };
    let by_type = doc! { "_id": "$data.type", "count": { "$sum": 1 }, "bytes": { "$avg": { "$bsonSize": "$$ROOT" } } };
    let mut sums =
        collection.aggregate([doc! { "$match": &contents }, doc! { "$group": group }]).await?;
    ensure!(sums.advance().await?, "there are no contents");
    let sums = sums.deserialize_current()?;
    let number = |value: Option<&Bson>| {
        value.and_then(|value| {
            value
                .as_f64()
                .or_else(|| value.as_i64().map(|n| n as f64))
                .or_else(|| value.as_i32().map(f64::from))
        })
    };
    let (count, bytes) = (number(sums.get("count")), number(sums.get("bytes")));
    ensure!(count == Some(versions as f64), "there are {count:?} contents");
    let bytes = bytes.context("the server does not tell sizes")? / versions as f64;
    report.add(Figure {
        what: format!("{versions} commits of a blog post: stored BSON in MongoDB"),
        measured: format!("{} B/version", Number(bytes)),
        peer: String::new(),
        value: bytes,
        unit: "B",
        target: Target::AtMost(900.0),
    });
    let mut kinds =
        collection.aggregate([doc! { "$match": contents }, doc! { "$group": by_type }]).await?;
    while kinds.advance().await? {
        let kind = kinds.deserialize_current()?;
        let (count, bytes) = (number(kind.get("count")), number(kind.get("bytes")));
        report.note(format!(
            "in MongoDB: {} records of type {}, on average {} B",
            Number(count.unwrap_or_default()),
            kind.get("_id").cloned().unwrap_or(Bson::Null),
            Number(bytes.unwrap_or_default()),
        ));
    }
    world.close().await;
    database.drop().await?;
    Ok(())
}
