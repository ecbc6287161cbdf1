//! Bytes per version in the document store and in the whole file.

use super::{VERSIONS, zlib_bytes};
use crate::{
    report::{Figure, Number, Report, Target},
    trace::Trace,
    world::World,
};
use anyhow::{Result, ensure};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, sqlite::SqliteConnectOptions};

/// Measures row 1.
pub(super) async fn measure(world: &World, trace: &Trace, report: &mut Report) -> Result<()> {
    let (mut whole, mut zlib, mut sampled) = (0, 0, 0);
    for (index, text) in trace.texts(VERSIONS).enumerate() {
        whole += text.len();
        if index % 10 == 0 {
            sampled += 1;
            zlib += zlib_bytes(&text)?;
        }
    }
    let (whole, zlib) = (whole as f64 / VERSIONS as f64, zlib as f64 / f64::from(sampled));

    let mut connection =
        SqliteConnectOptions::new().filename(world.file()).read_only(true).connect().await?;
    // Edit history lies in the same table and is counted apart.
    let shares = sqlx::query(
        "SELECT sum(NOT is_edit), sum(length(data) * is_edit) * 1.0 / sum(length(data)) FROM \
         (SELECT data, name LIKE '%/edits' AS is_edit FROM records \
         JOIN collections ON collections.id = collection WHERE NOT deleted)",
    )
    .fetch_one(&mut connection)
    .await?;
    let (contents, edits): (i64, f64) = (shares.try_get(0)?, shares.try_get(1)?);
    ensure!(contents == VERSIONS as i64, "the document store has {contents} records");
    // Whole pages, including free space and indexes.
    let tables = sqlx::query(
        "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) GROUP BY 1",
    )
    .fetch_all(&mut connection)
    .await?;
    connection.close().await?;
    let mut everything = 0.0;
    let mut by_table = Vec::new();
    for row in tables {
        let (table, bytes): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let mut bytes = bytes as f64 / VERSIONS as f64;
        if table == "records" {
            bytes *= 1.0 - edits;
        }
        // Edits are history of their own, kept whether or not versions are committed.
        if table != "edit_segments" {
            everything += bytes;
        }
        by_table.push((bytes, table));
    }
    by_table.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let records = by_table.iter().find(|(_, table)| table == "records");
    let records = records.map_or(0.0, |(bytes, _)| *bytes);
    report.add(Figure {
        what: format!("{VERSIONS} commits of a blog post: size in the document store"),
        measured: format!("{} B/version", Number(records)),
        peer: format!("full copies {} B", Number(whole)),
        value: records,
        unit: "B",
        target: Target::AtMost(400.0),
    });
    report.add(Figure {
        what: "everything in the file, without edit segments".to_owned(),
        measured: format!("{} B/version", Number(everything)),
        peer: String::new(),
        value: everything,
        unit: "B",
        target: Target::AtMost(900.0),
    });
    let largest = by_table.iter().take(5);
    let largest = largest.map(|(bytes, table)| format!("`{table}` {} B", Number(*bytes)));
    report.note(format!(
        "per version: text {} B, zlib-compressed {} B; tables with their indexes: {}",
        Number(whole),
        Number(zlib),
        largest.collect::<Vec<_>>().join(", "),
    ));
    Ok(())
}
