//! Invariants of the live log.

use super::{FaultKind, Findings, Fsck};
use crate::{
    error::Result,
    live::{Lineage, LiveText, unseal},
    storage::{DocumentRow, LoadedLog, SavedText, StoreError},
};
use izanagi_shared::crdt::Validation;

impl Fsck {
    pub(super) async fn check_live(&self, row: &DocumentRow, found: &mut Findings) -> Result<()> {
        // Read before the log, which only grows, so neither can be newer than the log.
        let saved = match self.core.stores.relational.log.text(row.id).await {
            Err(StoreError::NotFound) => {
                found.add(FaultKind::Text, "there is no stored text");
                None
            }
            saved => found.sound(FaultKind::Text, saved)?,
        };
        // A snapshot in between moves edits from the log to segments. Read in this order, no edit is
        // seen in both.
        let history = self.segments_and_orphans(row.id, found).await?;
        let (segments, orphans) = history.unwrap_or_default();
        for path in orphans {
            found.add(FaultKind::Orphan, format!("{path} belongs to no segment"));
        }
        let ops = self.core.stores.relational.inspect.ops(row.id).await;
        let ops = found.sound(FaultKind::Op, ops)?;
        let log = match self.core.stores.relational.log.load(row.id).await {
            Err(StoreError::NotFound) => {
                found.add(FaultKind::Snapshot, "there is no snapshot");
                None
            }
            log => found.sound(FaultKind::Log, log)?,
        };
        if let Some(saved) = &saved {
            check_facts(saved, found);
        }
        if let Some(log) = &log {
            check_numbers(log, found);
            check_seals(log, found);
            self.check_history(segments, log, found).await?;
            match replay(log) {
                Ok(text) => check_text(saved.as_ref(), log, &text, found),
                Err(what) => found.add(FaultKind::Log, what),
            }
            for seq in &log.quarantined {
                found.note(&format!("update {seq} is quarantined: it cannot be applied"));
            }
        }
        let Some(ops) = ops else { return Ok(()) };
        if let Some(log) = log.filter(|log| ops.highest_op_seq > log.live_seq) {
            let detail = format!("an op has seq {}, beyond {}", ops.highest_op_seq, log.live_seq);
            found.add(FaultKind::Op, detail);
        }
        if ops.shared_numbers > 0 {
            found.add(FaultKind::Op, format!("{} seqs have several ops", ops.shared_numbers));
        }
        if ops.text_is_of_another_seq {
            found.add(FaultKind::Text, "the seq of the stored text differs from its row");
        }
        if ops.owners == 0 {
            found.add(FaultKind::Owner, "it has no owner");
        }
        Ok(())
    }
}

/// Checks the facts of the stored text.
fn check_facts(saved: &SavedText, found: &mut Findings) {
    let facts = LiveText::new(saved.content.as_str(), saved.facts.seq).facts;
    if facts.hash != saved.facts.hash {
        found.add(FaultKind::Text, "the stored text does not match its hash");
    } else if facts != saved.facts {
        let (length, words) = (saved.facts.length, saved.facts.words);
        let detail = format!("the stored text does not have {length} bytes and {words} words");
        found.add(FaultKind::Text, detail);
    }
}

fn check_text(saved: Option<&SavedText>, log: &LoadedLog, text: &str, found: &mut Findings) {
    let Some(saved) = saved else { return };
    if saved.facts.seq > log.live_seq {
        found.add(FaultKind::Text, format!("the stored text has seq {}", saved.facts.seq));
    }
    if saved.facts.seq == log.live_seq && saved.content != text {
        found.add(FaultKind::Text, "the stored text differs from the log");
    }
}

fn check_numbers(log: &LoadedLog, found: &mut Findings) {
    if log.snapshot.seq > log.live_seq {
        let detail = format!("snapshot {} lies above {}", log.snapshot.seq, log.live_seq);
        found.add(FaultKind::Snapshot, detail);
    }
    // Rows at or below the snapshot are those it could not absorb; above it there are no gaps.
    let mut expected = log.snapshot.seq + 1;
    let mut numbers: Vec<u64> = log.updates.iter().map(|update| update.seq).collect();
    numbers.extend(&log.quarantined);
    numbers.sort_unstable();
    for seq in numbers.into_iter().filter(|seq| *seq > log.snapshot.seq) {
        if seq != expected {
            found.add(FaultKind::Log, format!("update {expected} is missing"));
        }
        expected = seq + 1;
    }
    if expected != log.live_seq + 1 {
        let detail = format!("the log ends at {}, not at {}", expected - 1, log.live_seq);
        found.add(FaultKind::Log, detail);
    }
}

/// Returns the text given by snapshot and log if all are intact; otherwise what is damaged.
pub(super) fn replay(log: &LoadedLog) -> std::result::Result<String, String> {
    let state =
        unseal(&log.snapshot.state).ok_or("the snapshot is damaged, so there is no text")?;
    let loaded = Lineage::load(1, state);
    let mut lineage = loaded.map_err(|why| format!("the snapshot does not load: {why}"))?;
    for update in &log.updates {
        let refused = || format!("update {} cannot be applied, so there is no text", update.seq);
        let delta = unseal(&update.delta).ok_or_else(refused)?;
        lineage.apply(update.seq, delta, Validation::Replayed).map_err(|_| refused())?;
    }
    if !lineage.doc().is_consistent() {
        return Err("its items do not match the text".to_owned());
    }
    if !lineage.reads_back(&lineage.doc().encode()) {
        return Err("the text cannot be restored from a snapshot".to_owned());
    }
    Ok(lineage.doc().text())
}

fn check_seals(log: &LoadedLog, found: &mut Findings) {
    if unseal(&log.snapshot.state).is_none() {
        found.add(FaultKind::Snapshot, format!("snapshot {} is damaged", log.snapshot.seq));
    }
    for update in log.updates.iter().filter(|update| unseal(&update.delta).is_none()) {
        found.add(FaultKind::Log, format!("update {} is damaged", update.seq));
    }
}
