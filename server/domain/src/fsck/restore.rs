//! Restores a document whose editing state cannot be loaded, from everything that is left of it
//! ([`super::remains`]). If that is complete, the log is corrected. Otherwise, editing starts anew
//! from the text that lacks the fewest edits.

use super::{
    Fsck,
    live::replay,
    remains::{Built, MAX_MISSING, Remains},
};
use crate::{
    edits::EditStore,
    error::{Error, Result},
    live::{LiveText, Snapshot, random_client_id},
    storage::{
        LoadedLog, LoggedUpdate, NewLineage, RebuiltLog, SavedText, StoreError, StoredSnapshot,
    },
};
use izanagi_shared::{crdt::TextDoc, id::DocumentId};
use std::collections::BTreeSet;

impl Fsck {
    /// Restores the editing state of a document if it cannot be loaded; returns what was done. With
    /// `may_lose` even from a text that lacks edits.
    pub(super) async fn restore(
        &self,
        document: DocumentId,
        may_lose: bool,
    ) -> Result<Vec<String>> {
        let row = self.core.stores.relational.catalog.get(document).await?;
        if !row.damage.live && self.load(document).await?.is_ok() {
            return Ok(Vec::new());
        }
        // Its segments may have what the log lacks.
        let mut done = self.mend_history(document, false).await?;
        let remains = self.remains(document).await?;
        done.extend(match self.build(&remains).await? {
            Ok(built) if built.lost.is_empty() => self.rebuild(&remains, built).await?,
            built => self.restart(&remains, built, may_lose).await?,
        });
        Ok(done)
    }

    /// Loads the document as a room would; returns its text, or why that is not possible.
    async fn load(&self, document: DocumentId) -> Result<std::result::Result<String, String>> {
        match self.core.stores.relational.log.load(document).await {
            Ok(log) => Ok(replay(document, &log).map(|lineage| lineage.doc().text())),
            Err(StoreError::NotFound) => Ok(Err("there is no snapshot".to_owned())),
            Err(StoreError::Corrupt(what)) => Ok(Err(what)),
            Err(error) => Err(error.into()),
        }
    }

    /// Fails unless the document loads with this text, and its row and stored text are intact.
    async fn read_back(&self, document: DocumentId, text: &str) -> Result<()> {
        let row = self.core.stores.relational.catalog.get(document).await?;
        let stored = self.core.stores.relational.log.text(document).await?;
        match self.load(document).await? {
            Ok(loaded) if loaded == text && stored.content == text && !row.damage.live => Ok(()),
            Ok(_) => Err(Error::internal("the repair was written, but other data was read back")),
            Err(cause) => Err(Error::internal(format!("the repair was read back: {cause}"))),
        }
    }

    /// Corrects the log of a document that lacks nothing. Its rows stay; the next snapshot absorbs
    /// them.
    async fn rebuild(&self, remains: &Remains, built: Built) -> Result<Vec<String>> {
        let Built { lineage, from, rejected, renumbered, .. } = built;
        let (document, seq, at) = (remains.row.id, remains.end, self.core.clock.now());
        let mut done = Vec::new();
        let stored: BTreeSet<u64> = remains.log.updates.iter().map(|row| row.seq).collect();
        for rejected in rejected.into_iter().filter(|seq| stored.contains(seq)) {
            self.core.stores.relational.log.quarantine(document, rejected, at).await?;
            done.push(format!("quarantined update {rejected}, which cannot be applied"));
        }
        let log = &remains.log.updates;
        let right = |seq: u64| renumbered.iter().find(|it| it.0 == seq).map_or(seq, |it| it.1);
        // Rows that depend on missing ones would be among them.
        let mut waiting: Vec<u64> = log.iter().map(|update| right(update.seq)).collect();
        waiting.sort_unstable();
        let quarantined = self.core.stores.relational.inspect.accounts(document).await?.quarantined;
        waiting.retain(|seq| quarantined.binary_search(seq).is_err());
        let from_seq = waiting.first().copied().unwrap_or(seq + 1);
        let text = LiveText::new(lineage.doc().text(), seq);
        let snapshot = Snapshot { waiting, ..Snapshot::complete(lineage.doc().encode()) };
        let rebuilt = RebuiltLog {
            text: saved(document, &text),
            state: snapshot.encode(document, seq),
            from_seq,
            renumbered,
            at,
        };
        self.core.stores.relational.mend.rebuild(&rebuilt).await?;
        self.read_back(document, &text.content).await?;
        if remains.row.live_seq != seq {
            let stored = remains.row.live_seq;
            done.push(format!("corrected the number of its newest edit from {stored} to {seq}"));
        }
        done.push(format!("rebuilt from {from} and the edits since"));
        Ok(done)
    }

    /// Starts a new lineage from a text, the last resort. Edits that it does not contain are
    /// quarantined, and clients of the old lineage cannot write.
    async fn restart(
        &self,
        remains: &Remains,
        built: std::result::Result<Built, String>,
        may_lose: bool,
    ) -> Result<Vec<String>> {
        let (cause, built) = match built {
            Ok(built) => (describe(&built), Some(built)),
            Err(cause) => (cause, None),
        };
        let stored = remains.text.as_ref();
        let lost_of_stored = stored.map(|text| missing_after(remains, text.facts.seq));
        let lost_of_built = built.as_ref().map(|built| built.lost.clone());
        let (content, lost) = match (stored, lost_of_stored, built.as_ref(), lost_of_built) {
            (Some(text), Some(lost), None, _) => (text.content.clone(), lost),
            (Some(text), Some(lost), _, Some(of_built)) if lost.len() < of_built.len() => {
                (text.content.clone(), lost)
            }
            (_, _, Some(built), Some(lost)) => (built.lineage.doc().text(), lost),
            _ => {
                let what = "its stored text is damaged too; restore a backup, or copy the text of \
                            its newest version into a new document";
                return Err(Error::internal(format!("{cause}; {what}")));
            }
        };
        if !lost.is_empty() && !may_lose {
            let count = lost.len();
            let what = format!(
                "the best text that can be restored lacks {count} edits; restore a backup, or run \
                 fsck with --repair --restart to continue without them"
            );
            return Err(Error::internal(format!("{cause}; {what}")));
        }
        self.begin_lineage(remains, &content, &lost).await?;
        let (document, count) = (remains.row.id, lost.len());
        tracing::error!(docId = %document, lost = count, cause, "editing was restarted from a text");
        Ok(vec![format!(
            "WARNING: its editing state is lost ({cause}). Editing starts anew from the newest text \
             that can be restored; {count} edits are not in it and are quarantined"
        )])
    }

    async fn begin_lineage(
        &self,
        remains: &Remains,
        content: &str,
        lost: &BTreeSet<u64>,
    ) -> Result<()> {
        let (document_id, at) = (remains.row.id, self.core.clock.now());
        let seq = remains.end + 1;
        // What the text contains belongs to its history.
        let is_kept = |update: &&LoggedUpdate| {
            !lost.contains(&update.seq)
                && update.seq < seq
                && crate::live::unseal(&update.delta).is_some()
        };
        let kept: Vec<LoggedUpdate> = remains.log.updates.iter().filter(is_kept).cloned().collect();
        let absorbed: Vec<u64> = kept.iter().map(|update| update.seq).collect();
        let missing = missing_in_log(remains, lost);
        let history = EditStore::of(&self.core);
        let newest = remains.log.snapshots.first().cloned();
        let log = LoadedLog {
            live_seq: remains.end,
            head_is_damaged: false,
            lineage: remains.row.lineage,
            snapshot: newest.unwrap_or(StoredSnapshot { seq: 0, state: Vec::new() }),
            updates: kept,
            quarantined: Vec::new(),
            full: Vec::new(),
        };
        let rows = absorbed.iter().copied().collect();
        let segments = history.keep(document_id, log, &rows, at).await?;
        let (segments, _) = segments.unwrap_or_default();
        let client_id = random_client_id(&*self.core.ids);
        let (_, state) = TextDoc::from_text(client_id, content);
        let mut lineage = [0; 16];
        self.core.ids.fill(&mut lineage);
        let text = LiveText::new(content, seq);
        let replaced = remains.text.as_ref().filter(|stored| stored.content != content);
        let restart = NewLineage {
            text: saved(document_id, &text),
            after: remains.row.live_seq,
            lost: lost.iter().copied().collect(),
            missing,
            absorbed,
            segments,
            replaced: replaced.map(|stored| stored.content.clone()),
            lineage,
            state: Snapshot::first(state).encode(document_id, seq),
            client_id,
            at,
        };
        self.core.stores.relational.log.restart(&restart).await?;
        self.read_back(document_id, content).await
    }
}

fn saved(document_id: DocumentId, text: &LiveText) -> SavedText {
    SavedText { document_id, content: text.content.to_string(), facts: text.facts }
}

/// Returns the numbers after `seq` that are not accounted for.
fn missing_after(remains: &Remains, seq: u64) -> BTreeSet<u64> {
    let after = (seq + 1..=remains.end).filter(|seq| !remains.accounted.contains(seq));
    after.take(MAX_MISSING).collect()
}

/// Returns the numbers of edits that the text may contain, but that neither log nor history has.
fn missing_in_log(remains: &Remains, lost: &BTreeSet<u64>) -> Vec<u64> {
    let segments = remains.segments.iter().map(|row| row.segment.to_seq);
    let snapshots = remains.log.snapshots.iter().map(|snapshot| snapshot.seq);
    let absorbed = segments.chain(snapshots).filter(|seq| *seq <= remains.end).max().unwrap_or(0);
    let rows: BTreeSet<u64> = remains.log.updates.iter().map(|row| row.seq).collect();
    let missing = missing_after(remains, absorbed).into_iter();
    missing.filter(|seq| !rows.contains(seq) && !lost.contains(seq)).collect()
}

fn describe(built: &Built) -> String {
    let first = built.lost.first().copied().unwrap_or_default();
    format!("{}, and update {first} is missing or damaged", built.from)
}
