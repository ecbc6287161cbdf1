//! Invariants of the live log.

use super::{FaultKind, Findings, Fsck};
use crate::{
    error::Result,
    live::{Lineage, LiveText, Snapshot, missing_rows, unseal},
    storage::{Accounts, DocumentRow, LoadedLog, SavedText, StoreError, StoredSnapshot},
};
use izanagi_shared::{crdt::Validation, id::DocumentId};
use std::collections::BTreeSet;

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
        if row.damage.live {
            found.add(
                FaultKind::Log,
                "the number or the time of its newest edit does not match its checksum",
            );
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
            check_seals(row.id, log, found);
            let accounts = self.core.stores.relational.inspect.accounts(row.id).await;
            let accounts = found.sound(FaultKind::Row, accounts)?;
            if let Some(accounts) = &accounts {
                self.check_history(segments, log, accounts, found).await?;
                if !accounts.is_folded {
                    let detail = "its title or description is not folded for searching";
                    found.add(FaultKind::Details, detail);
                }
            }
            match replay(row.id, log) {
                Ok(lineage) => {
                    check_text(saved.as_ref(), log, &lineage.doc().text(), found);
                    if let Some(accounts) = accounts {
                        check_clients(&lineage, &accounts, found);
                    }
                }
                Err(what) => found.add(FaultKind::Log, what),
            }
            self.check_older_snapshots(row.id, found).await?;
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

impl Fsck {
    /// Checks the snapshots from which a damaged one can be rebuilt.
    async fn check_older_snapshots(
        &self,
        document: DocumentId,
        found: &mut Findings,
    ) -> Result<()> {
        let snapshots = self.core.stores.relational.log.snapshots(document).await;
        for older in found.sound(FaultKind::Row, snapshots)?.unwrap_or_default().iter().skip(1) {
            if Snapshot::decode(document, older.seq, &older.state).is_none() {
                found.note(&format!(
                    "snapshot {}, which is kept for repairs, is damaged",
                    older.seq
                ));
            }
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

/// A client id without an owner could be used by anybody.
fn check_clients(lineage: &Lineage, accounts: &Accounts, found: &mut Findings) {
    let missing = unowned(lineage, accounts).len();
    if missing > 0 {
        found.add(FaultKind::Client, format!("{missing} client ids have no owner"));
    }
}

/// Returns the client ids of a document that have no owner.
pub(super) fn unowned(lineage: &Lineage, accounts: &Accounts) -> Vec<u64> {
    let known: BTreeSet<u64> = accounts.clients.iter().copied().collect();
    let clients = lineage.doc().state_vector_map().into_keys();
    clients.filter(|client| !known.contains(client)).collect()
}

/// Returns the document given by snapshot and log if all are intact; otherwise what is damaged.
pub(super) fn replay(
    document: DocumentId,
    log: &LoadedLog,
) -> std::result::Result<Lineage, String> {
    let StoredSnapshot { seq, state } = &log.snapshot;
    let snapshot = Snapshot::decode(document, *seq, state);
    let snapshot = snapshot.ok_or("the snapshot is damaged, so there is no text")?;
    if let Some(missing) = missing_rows(log, &snapshot.waiting) {
        return Err(format!("{missing}, so there is no text"));
    }
    let loaded = Lineage::load(1, &snapshot.state);
    let mut lineage = loaded.map_err(|why| format!("the snapshot does not load: {why}"))?;
    for update in &log.updates {
        let refused = || format!("update {} cannot be applied, so there is no text", update.seq);
        let delta = unseal(&update.delta).ok_or_else(refused)?;
        lineage.apply(update.seq, delta, Validation::Replayed).map_err(|_| refused())?;
    }
    verify(&lineage)?;
    Ok(lineage)
}

/// Checks that items and text agree, and that a snapshot would reproduce them.
pub(super) fn verify(lineage: &Lineage) -> std::result::Result<(), String> {
    if !lineage.doc().is_consistent() {
        return Err("its items do not match the text".to_owned());
    }
    if !lineage.reads_back(&lineage.doc().encode()) {
        return Err("the text cannot be restored from a snapshot".to_owned());
    }
    Ok(())
}

fn check_seals(document: DocumentId, log: &LoadedLog, found: &mut Findings) {
    let StoredSnapshot { seq, state } = &log.snapshot;
    if Snapshot::decode(document, *seq, state).is_none() {
        found.add(FaultKind::Snapshot, format!("snapshot {seq} is damaged"));
    }
    for update in log.updates.iter().filter(|update| unseal(&update.delta).is_none()) {
        found.add(FaultKind::Log, format!("update {} is damaged", update.seq));
    }
}
