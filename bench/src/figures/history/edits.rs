//! Bytes per edit in edit history.

use crate::{
    report::{Number, Report},
    trace::Trace,
    world::World,
};
use anyhow::{Result, ensure};
use izanagi_domain::storage::SegmentFilter;
use izanagi_shared::crdt::TextDoc;

/// Keystrokes of the trace that are submitted one by one.
const EDITS: usize = 20_000;
/// Any client id that the server does not use.
const CLIENT: u64 = 7;

/// Submits keystrokes as clients do, and reports what the segments take.
pub(super) async fn measure(world: &World, trace: &Trace, report: &mut Report) -> Result<()> {
    let documents = &world.services.documents;
    let document_id = world.create("").await?;
    let reader = world.reader(document_id).await?;
    let state = documents.missing(&reader, vec![0]).await?.delta;
    let mut replica = TextDoc::load(CLIENT, &state)?;
    let editor = world.editor(document_id).await?;
    let mut sent = 0;
    for (index, text) in trace.texts(trace.transactions()).take(EDITS).enumerate() {
        if let Some(delta) = replica.replace_with(&text) {
            sent += delta.len();
            documents.submit(&editor, &index.to_string(), delta).await?;
        }
    }
    documents.persist(document_id).await?;
    let (mut edits, mut bytes) = (0, 0);
    let mut filter =
        SegmentFilter { document_id, from_seq: 0, to_seq: u64::MAX, from_number: 0, limit: 100 };
    loop {
        let rows = world.services.core.stores.relational.segments.list(&filter).await?;
        let Some(last) = rows.last() else { break };
        filter.from_number = last.number + 1;
        edits += rows.iter().map(|row| row.segment.edits).sum::<u64>();
        bytes += rows.iter().map(|row| row.segment.bytes).sum::<u64>();
    }
    ensure!(edits > EDITS as u64 / 2, "edit history has {edits} edits");
    report.note(format!(
        "edit history of {edits} keystrokes: {} B/edit in segments, with the states that replays \
         start from; as sent {} B/edit",
        Number(bytes as f64 / edits as f64),
        Number(sent as f64 / edits as f64),
    ));
    Ok(())
}
