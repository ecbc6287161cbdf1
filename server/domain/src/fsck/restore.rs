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

/// Why a snapshot and its edits do not give the document.
type Unusable = String;

impl Fsck {
    /// Restores the editing state of a document if it cannot be loaded; returns what was done.
    pub(super) async fn restore(&self, document: DocumentId) -> Result<Vec<String>> {
        let log = match self.core.stores.relational.log.load(document).await {
            Ok(log) => log,
            // The newest snapshot is missing, and there is no older one.
            Err(StoreError::Corrupt(what)) => return self.restart(document, &what).await,
            Err(error) => return Err(error.into()),
        };
        if replay(document, &log).is_ok() {
            return Ok(Vec::new());
        }
        let mut causes = Vec::new();
        for snapshot in self.core.stores.relational.log.snapshots(document).await? {
            let seq = snapshot.seq;
            match self.rebuild(document, &log, &snapshot).await? {
                Ok(lineage) => {
                    self.store(document, &log, &lineage).await?;
                    return Ok(vec![format!("rebuilt from snapshot {seq} and the edits since")]);
                }
                Err(cause) => causes.push(format!("snapshot {seq}: {cause}")),
            }
        }
        self.restart(document, &causes.join("; ")).await
    }

    /// Builds the document from one snapshot, the edits that later ones absorbed, and the log.
    async fn rebuild(
        &self,
        document: DocumentId,
        log: &LoadedLog,
        stored: &StoredSnapshot,
    ) -> Result<std::result::Result<Lineage, Unusable>> {
        let Some(snapshot) = Snapshot::decode(document, stored.seq, &stored.state) else {
            return Ok(Err("it is damaged".to_owned()));
        };
        let Ok(mut lineage) = Lineage::load(random_client_id(&*self.core.ids), &snapshot.state)
        else {
            return Ok(Err("it does not load".to_owned()));
        };
        let first = snapshot.waiting.iter().copied().min().unwrap_or(stored.seq + 1);
        let absorbed = match self.absorbed(document, first).await? {
            Ok(absorbed) => absorbed,
            Err(cause) => return Ok(Err(cause)),
        };
        let tail = self.core.stores.relational.log.since(document, first - 1).await?;
        let mut updates = log.updates.clone();
        updates.extend(absorbed.iter().map(|edit| {
            let Edit { seq, actor, at, .. } = *edit;
            LoggedUpdate { seq, actor, delta: Vec::new(), at }
        }));
        let complete = LoadedLog {
            live_seq: log.live_seq,
            snapshot: stored.clone(),
            updates,
            quarantined: tail.quarantined,
            full: Vec::new(),
        };
        if let Some(missing) = missing_rows(&complete, &snapshot.waiting) {
            return Ok(Err(missing));
        }
        // In the order in which they were absorbed: each edit comes after those it depends on.
        for Edit { seq, delta, .. } in absorbed {
            if delta.is_empty() || lineage.apply(seq, &delta, Validation::Replayed).is_err() {
                return Ok(Err(format!("edit {seq} is damaged")));
            }
        }
        for LoggedUpdate { seq, delta, .. } in &log.updates {
            let applied = unseal(delta)
                .is_some_and(|delta| lineage.apply(*seq, delta, Validation::Replayed).is_ok());
            if !applied {
                return Ok(Err(format!("update {seq} is damaged")));
            }
        }
        Ok(verify(&lineage).map(|()| lineage))
    }

    /// Returns the edits from `from_seq` on that snapshots have absorbed, in the order of absorption.
    async fn absorbed(
        &self,
        document_id: DocumentId,
        from_seq: u64,
    ) -> Result<std::result::Result<Vec<Edit>, Unusable>> {
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
    async fn restart(&self, document_id: DocumentId, cause: &str) -> Result<Vec<String>> {
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
        let client_id = random_client_id(&*self.core.ids);
        let (_, state) = TextDoc::from_text(client_id, &saved.content);
        let mut lineage = [0; 16];
        self.core.ids.fill(&mut lineage);
        let restart = NewLineage {
            text: SavedText {
                facts: LiveText::new(saved.content.as_str(), live_seq).facts,
                ..saved
            },
            lineage,
            state: Snapshot::first(state).encode(document_id, live_seq),
            client_id,
            at: self.core.clock.now(),
        };
        stores.log.restart(&restart).await?;
        let seq = saved.facts.seq;
        tracing::error!(docId = %document_id, seq, cause, "restarted a document from its stored text");
        let lost = live_seq.saturating_sub(seq);
        Ok(vec![format!(
            "WARNING: its editing state is lost ({cause}). Editing starts anew from the text as of \
             edit {seq}; {lost} later edits are not in it and are quarantined. Open editors are told to \
             reload"
        )])
    }
}
