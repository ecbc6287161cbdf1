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
    // Edit history lies in the same tables and is counted apart, by its share of the payload.
    let shares = sqlx::query(
        "SELECT sum(NOT is_edit), \
         total(length(r.data) * is_edit) / total(length(r.data)), \
         total(length(b.data) * is_edit) / total(length(b.data)) \
         FROM (SELECT *, name LIKE '%/edits' AS is_edit FROM records \
         JOIN collections ON collections.id = collection WHERE NOT deleted) AS r \
         LEFT JOIN record_bodies b ON b.collection = r.collection AND b.id = r.id",
    )
    .fetch_one(&mut connection)
    .await?;
    let contents: i64 = shares.try_get(0)?;
    ensure!(contents == VERSIONS as i64, "the document store has {contents} records");
    let edits: [(&str, f64); 2] =
        [("records", shares.try_get(1)?), ("record_bodies", shares.try_get(2)?)];
    // Whole pages, including free space and indexes.
    let tables = sqlx::query(
        "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) GROUP BY 1",
    )
    .fetch_all(&mut connection)
    .await?;
    connection.close().await?;
    let (mut everything, mut records) = (0.0, 0.0);
    let mut by_table = Vec::new();
    for row in tables {
        let (table, bytes): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let mut bytes = bytes as f64 / VERSIONS as f64;
        if let Some((_, edits)) = edits.iter().find(|(name, _)| *name == table) {
            bytes *= 1.0 - edits;
            records += bytes;
        }
        // Edits are history of their own, kept whether or not versions are committed.
        if table != "edit_segments" {
            everything += bytes;
        }
        by_table.push((bytes, table));
    }
    by_table.sort_by(|(a, _), (b, _)| b.total_cmp(a));
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
