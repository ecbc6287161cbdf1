//! The invariants of the live log.

use super::{FaultKind, Fsck, document::Findings};
use crate::{
    error::Result,
    hash::sha256,
    live::unseal,
    storage::{DocumentRow, LoadedLog, StoreError},
};
use izanagi_shared::crdt::TextDoc;

impl Fsck {
    pub(super) async fn check_live(&self, row: &DocumentRow, found: &mut Findings) -> Result<()> {
        let log = match self.stores.log.load(row.id).await {
            Ok(log) => log,
            Err(StoreError::NotFound) => {
                found.add(FaultKind::Snapshot, "there is no snapshot");
                return Ok(());
            }
            Err(StoreError::Corrupt(what)) => {
                found.add(FaultKind::Log, what);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        check_numbers(&log, found);
        check_seals(&log, found);
        let Some(text) = replay(&log) else {
            found.add(FaultKind::Log, "snapshot and log do not give a text");
            return Ok(());
        };
        self.check_text(row, &log, &text, found).await?;
        let ops = self.stores.inspect.ops(row.id).await?;
        if ops.highest_op_seq > log.live_seq {
            found.add(FaultKind::Op, format!("an op has number {}", ops.highest_op_seq));
        }
        if ops.shared_numbers > 0 {
            found.add(FaultKind::Op, format!("{} numbers have several ops", ops.shared_numbers));
        }
        if ops.owners == 0 {
            found.add(FaultKind::Owner, "nobody owns it");
        }
        Ok(())
    }

    async fn check_text(
        &self,
        row: &DocumentRow,
        log: &LoadedLog,
        text: &str,
        found: &mut Findings,
    ) -> Result<()> {
        let saved = match self.stores.log.text(row.id).await {
            Ok(saved) => saved,
            Err(StoreError::NotFound) => {
                found.add(FaultKind::Text, "there is no stored text");
                return Ok(());
            }
            Err(StoreError::Corrupt(what)) => {
                found.add(FaultKind::Text, what);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        if sha256(&saved.content) != saved.facts.hash {
            found.add(FaultKind::Text, "the stored text does not have its hash");
        }
        if saved.facts.seq > log.live_seq {
            found.add(FaultKind::Text, format!("the stored text is of number {}", saved.facts.seq));
        }
        if saved.facts.seq == log.live_seq && saved.content != text {
            found.add(FaultKind::Text, "the stored text is not what the log gives");
        }
        Ok(())
    }
}

fn check_numbers(log: &LoadedLog, found: &mut Findings) {
    if log.snapshot.seq > log.live_seq {
        let detail = format!("snapshot {} lies above {}", log.snapshot.seq, log.live_seq);
        found.add(FaultKind::Snapshot, detail);
    }
    // Rows at or below the snapshot are those it could not absorb; above it there is no hole.
    let mut expected = log.snapshot.seq + 1;
    for update in log.updates.iter().filter(|update| update.seq > log.snapshot.seq) {
        if update.seq != expected {
            found.add(FaultKind::Log, format!("update {expected} is missing"));
        }
        expected = update.seq + 1;
    }
    if expected != log.live_seq + 1 {
        let detail = format!("the log ends at {}, not at {}", expected - 1, log.live_seq);
        found.add(FaultKind::Log, detail);
    }
}

/// The text that snapshot and log give, if all of them are sound.
pub(super) fn replay(log: &LoadedLog) -> Option<String> {
    let mut doc = TextDoc::load(1, unseal(&log.snapshot.state)?).ok()?;
    for update in log.updates.iter().filter(|update| !update.quarantined) {
        doc.apply(unseal(&update.delta)?).ok()?;
    }
    Some(doc.text())
}

fn check_seals(log: &LoadedLog, found: &mut Findings) {
    if unseal(&log.snapshot.state).is_none() {
        found.add(FaultKind::Snapshot, format!("snapshot {} is damaged", log.snapshot.seq));
    }
    for update in log.updates.iter().filter(|update| unseal(&update.delta).is_none()) {
        found.add(FaultKind::Log, format!("update {} is damaged", update.seq));
    }
}
