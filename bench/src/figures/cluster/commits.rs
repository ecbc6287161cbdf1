//! Commit latency over two stores, against one raw durable insert into each.

use super::{Scratch, Setting};
use crate::{
    report::{Figure, Number, Report, Target},
    statistics::{median, milliseconds, percentile},
    world::World,
};
use anyhow::Result;
use mongodb::{
    bson::{Document, doc},
    options::{Acknowledgment, WriteConcern},
};
use std::time::Instant;

const COMMITS: usize = 300;
const WARM_UP: usize = 20;
/// A minimal row; no commit could store less.
const SMALL: [u8; 100] = [b'x'; 100];

/// Commits and inserts alternate, and the outbox is emptied between them.
pub(super) async fn measure(
    setting: &Setting,
    scratch: &Scratch,
    report: &mut Report,
) -> Result<()> {
    let world = World::over(scratch.config()?).await?;
    let mut rows = scratch.rows().await?;
    let durable = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
    let options = mongodb::options::CollectionOptions::builder().write_concern(durable).build();
    let records = scratch.mongo().await?.collection_with_options::<Document>("bench_rows", options);
    let document = world.create("").await?;
    let jobs = &world.services.jobs;
    let (mut commits, mut in_postgres, mut in_mongo) = (Vec::new(), Vec::new(), Vec::new());
    for (index, text) in setting.trace.texts(WARM_UP + COMMITS).enumerate() {
        world.write(document, text).await?;
        jobs.work_off().await?;
        let start = Instant::now();
        world.commit(document).await?;
        let commit = start.elapsed();
        jobs.work_off().await?;
        let start = Instant::now();
        sqlx::query("INSERT INTO bench_rows (body) VALUES ($1)")
            .bind(SMALL.as_slice())
            .execute(&mut rows)
            .await?;
        let row = start.elapsed();
        let body = "x".repeat(SMALL.len());
        let start = Instant::now();
        records.insert_one(doc! { "body": body }).await?;
        let record = start.elapsed();
        if index >= WARM_UP {
            commits.push(milliseconds(commit));
            in_postgres.push(milliseconds(row));
            in_mongo.push(milliseconds(record));
        }
    }
    world.close().await;
    let (commit, row, record) = (median(&commits), median(&in_postgres), median(&in_mongo));
    report.add(Figure {
        what:
            "commit through the services on PostgreSQL and MongoDB, against one raw durable insert \
               into each, in sum"
                .to_owned(),
        measured: format!(
            "median {} ms, p95 {} ms",
            Number(commit),
            Number(percentile(&commits, 0.95))
        ),
        peer: format!("medians {} ms + {} ms", Number(row), Number(record)),
        value: commit / (row + record),
        unit: "×",
        target: Target::AtMost(3.0),
    });
    Ok(())
}
