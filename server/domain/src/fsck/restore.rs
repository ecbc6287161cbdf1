//! Restores a document whose editing state cannot be loaded: from an older snapshot and the edits
//! since, or, if these are damaged too, from its stored text.

use super::{
    Fsck,
    live::{replay, verify},
};
use crate::{
    edits::{Edit, EditStore},
    error::{Error, Result},
    hash::sha256,
    live::{Lineage, LiveText, Snapshot, missing_rows, random_client_id, unseal},
    storage::{
        LoadedLog, LoggedUpdate, NewLineage, NewSnapshot, SavedText, SegmentFilter, StoreError,
        StoredSnapshot,
    },
};
use izanagi_shared::{
    crdt::{TextDoc, Validation},
    id::DocumentId,
};

/// Batch size for segments.
const BATCH: u32 = 100;

/// Most rows that one run quarantines in a document; after each, the document is rebuilt.
const MAX_QUARANTINES: usize = 1_000;

/// What a snapshot and the edits since give.
enum Rebuilt {
    /// The document.
    Document(Box<Lineage>),
    /// A row of the log is intact but cannot be applied, as in a room that loads the document.
    Invalid(u64),
    /// Something is damaged or missing.
    Unusable(String),
}

impl Fsck {
    /// Restores the editing state of a document if it cannot be loaded; returns what was done. With
    /// `may_lose` even from a stored text that lacks edits.
    pub(super) async fn restore(
        &self,
        document: DocumentId,
        may_lose: bool,
    ) -> Result<Vec<String>> {
        let mut done = Vec::new();
        for _ in 0..MAX_QUARANTINES {
            let log = match self.core.stores.relational.log.load(document).await {
                Ok(log) => log,
                Err(StoreError::Corrupt(what)) => {
                    let snapshots = self.core.stores.relational.log.snapshots(document).await?;
                    // Otherwise the log may be usable once its damaged row is repaired by hand.
                    if !snapshots.is_empty() {
                        return Err(StoreError::Corrupt(what).into());
                    }
                    done.extend(self.restart(document, &what, may_lose).await?);
                    return Ok(done);
                }
                Err(error) => return Err(error.into()),
            };
            if replay(document, &log).is_ok() {
                return Ok(done);
            }
            match self.rebuild_from_any(document, &log).await? {
                (seq, Rebuilt::Document(lineage)) => {
                    self.store(document, &log, &lineage).await?;
                    done.push(format!("rebuilt from snapshot {seq} and the edits since"));
                    return Ok(done);
                }
                (_, Rebuilt::Invalid(seq)) => {
                    let now = self.core.clock.now();
                    self.core.stores.relational.log.quarantine(document, seq, now).await?;
                    done.push(format!("quarantined update {seq}, which cannot be applied"));
                }
                (_, Rebuilt::Unusable(cause)) => {
                    done.extend(self.restart(document, &cause, may_lose).await?);
                    return Ok(done);
                }
            }
        }
        Err(Error::internal("too many updates cannot be applied"))
    }

    /// Tries the snapshots, newest first; returns the seq of the one that decided.
    async fn rebuild_from_any(
        &self,
        document: DocumentId,
        log: &LoadedLog,
    ) -> Result<(u64, Rebuilt)> {
        let mut causes = Vec::new();
        for snapshot in self.core.stores.relational.log.snapshots(document).await? {
            let seq = snapshot.seq;
            match self.rebuild(document, log, &snapshot).await? {
                Rebuilt::Unusable(cause) => causes.push(format!("snapshot {seq}: {cause}")),
                rebuilt => return Ok((seq, rebuilt)),
            }
        }
        Ok((0, Rebuilt::Unusable(causes.join("; "))))
    }

    /// Builds the document from one snapshot, the edits that later ones absorbed, and the log.
    async fn rebuild(
        &self,
        document: DocumentId,
        log: &LoadedLog,
        stored: &StoredSnapshot,
    ) -> Result<Rebuilt> {
        let unusable = |what: &str| Ok(Rebuilt::Unusable(what.to_owned()));
        let Some(snapshot) = Snapshot::decode(document, stored.seq, &stored.state) else {
            return unusable("it is damaged");
        };
        let Ok(mut lineage) = Lineage::load(random_client_id(&*self.core.ids), &snapshot.state)
        else {
            return unusable("it does not load");
        };
        let first = snapshot.waiting.iter().copied().min().unwrap_or(stored.seq + 1);
        let mut absorbed = match self.absorbed(document, first).await? {
            Ok(absorbed) => absorbed,
            Err(cause) => return Ok(Rebuilt::Unusable(cause)),
        };
        // Those that the snapshot contains need not be intact.
        absorbed.retain(|edit| edit.seq > stored.seq || snapshot.waiting.contains(&edit.seq));
        let tail = self.core.stores.relational.log.since(document, first - 1).await?;
        let mut updates = log.updates.clone();
        updates.extend(absorbed.iter().map(|edit| {
            let Edit { seq, actor, at, .. } = *edit;
            LoggedUpdate { seq, actor, delta: Vec::new(), at }
        }));
        let complete = LoadedLog {
            live_seq: log.live_seq,
            lineage: log.lineage,
            snapshot: stored.clone(),
            updates,
            quarantined: tail.quarantined,
            full: Vec::new(),
        };
        if let Some(missing) = missing_rows(&complete, &snapshot.waiting) {
            return Ok(Rebuilt::Unusable(missing));
        }
        // In the order in which they were absorbed: each edit comes after those it depends on.
        for Edit { seq, delta, .. } in absorbed {
            if delta.is_empty() || lineage.apply(seq, &delta, Validation::Replayed).is_err() {
                return Ok(Rebuilt::Unusable(format!("edit {seq} is damaged")));
            }
        }
        for LoggedUpdate { seq, delta, .. } in &log.updates {
            let Some(delta) = unseal(delta) else {
                return Ok(Rebuilt::Unusable(format!("update {seq} is damaged")));
            };
            if let Err(rejected) = lineage.apply(*seq, delta, Validation::Replayed) {
                return Ok(Rebuilt::Invalid(rejected.tag));
            }
        }
        Ok(match verify(&lineage) {
            Ok(()) => Rebuilt::Document(Box::new(lineage)),
            Err(cause) => Rebuilt::Unusable(cause),
        })
    }

    /// Returns the edits from `from_seq` on that snapshots have absorbed, in the order of absorption.
    async fn absorbed(
        &self,
        document_id: DocumentId,
        from_seq: u64,
    ) -> Result<std::result::Result<Vec<Edit>, String>> {
        let store = EditStore::of(&self.core);
        let (to_seq, from_number) = (u64::MAX, 0);
        let mut filter = SegmentFilter { document_id, from_seq, to_seq, from_number, limit: BATCH };
        let mut edits = Vec::new();
        loop {
            let rows = store.rows().list(&filter).await?;
            let Some(last) = rows.last() else { return Ok(Ok(edits)) };
            filter.from_number = last.number + 1;
            for row in rows {
                match store.read(&row).await {
                    Ok(segment) => {
                        edits.extend(segment.edits.into_iter().filter(|edit| edit.seq >= from_seq));
                    }
                    Err(Error::Internal(_)) => {
                        return Ok(Err(format!("segment {} is damaged", row.number)));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// Stores a rebuilt document as the newest snapshot. The rows of the log stay; the next snapshot
    /// absorbs them.
    async fn store(&self, document: DocumentId, log: &LoadedLog, lineage: &Lineage) -> Result<()> {
        let (seq, at) = (log.live_seq, self.core.clock.now());
        // Rows that depend on missing ones would be among them.
        let waiting: Vec<u64> = log.updates.iter().map(|update| update.seq).collect();
        let from_seq = waiting.first().copied().unwrap_or(seq + 1);
        let snapshot = Snapshot { waiting, ..Snapshot::complete(lineage.doc().encode()) };
        let state = snapshot.encode(document, seq);
        let snapshot = NewSnapshot {
            document_id: document,
            seq,
            state,
            from_seq,
            verified: 0,
            absorbed: Vec::new(),
            segments: Vec::new(),
            at,
        };
        self.core.stores.relational.log.snapshot(&snapshot).await?;
        let text = LiveText::new(lineage.doc().text(), seq);
        let content = text.content.to_string();
        let saved = SavedText { document_id: document, content, facts: text.facts };
        self.core.stores.relational.log.save_text(&saved).await?;
        Ok(())
    }

    /// Starts a new lineage from the stored text, the last resort. Edits that it does not contain are
    /// quarantined, and clients of the old lineage cannot write.
    async fn restart(
        &self,
        document_id: DocumentId,
        cause: &str,
        may_lose: bool,
    ) -> Result<Vec<String>> {
        let stores = &self.core.stores.relational;
        let saved = match stores.log.text(document_id).await {
            Ok(saved) if sha256(&saved.content) == saved.facts.hash => saved,
            Ok(_) | Err(StoreError::NotFound | StoreError::Corrupt(_)) => {
                let what = "its stored text is damaged too; restore a backup, or copy the text of \
                            its newest version into a new document";
                return Err(Error::internal(format!("{cause}; {what}")));
            }
            Err(error) => return Err(error.into()),
        };
        let live_seq = stores.catalog.get(document_id).await?.live_seq;
        let text_seq = saved.facts.seq;
        let lost = live_seq.saturating_sub(text_seq);
        if lost > 0 && !may_lose {
            let what = format!(
                "its stored text lacks the last {lost} edits; restore a backup, or run fsck with \
                 --repair --restart to continue without them"
            );
            return Err(Error::internal(format!("{cause}; {what}")));
        }
        let client_id = random_client_id(&*self.core.ids);
        let (_, state) = TextDoc::from_text(client_id, &saved.content);
        let mut lineage = [0; 16];
        self.core.ids.fill(&mut lineage);
        let facts = LiveText::new(saved.content.as_str(), live_seq).facts;
        let restart = NewLineage {
            text: SavedText { facts, ..saved },
            text_seq,
            lineage,
            state: Snapshot::first(state).encode(document_id, live_seq),
            client_id,
            at: self.core.clock.now(),
        };
        stores.log.restart(&restart).await?;
        tracing::error!(
            docId = %document_id, text_seq, lost, cause,
            "editing was restarted from the stored text"
        );
        Ok(vec![format!(
            "WARNING: its editing state is lost ({cause}). Editing starts anew from the text as of \
             edit {text_seq}; {lost} later edits are not in it and are quarantined"
        )])
    }
}
