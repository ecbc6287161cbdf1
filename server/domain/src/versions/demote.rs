//! Keeping old versions small (DESIGN §5, step 6): the newest is whole, an older one becomes the
//! way back from its successor. The whole text goes only after the delta has been read back and
//! has given it once more.

use super::{
    Versions,
    encode::{Patch, Reverse, Stored, Whole},
};
use crate::{
    error::{Error, Result},
    hash::sha256,
    storage::{Constraint, Record, RecordPath, StoreError, VersionRow},
};
use izanagi_shared::id::DocumentId;

/// Every 64th version stays whole, so that no read follows more than 64 deltas.
pub const KEYFRAME_EVERY: u64 = 64;

/// A delta larger than this share of the text, in percent, is not worth it.
const WORTH_PERCENT: usize = 70;

impl Versions {
    /// Turns version `number` into a delta, if it may and it pays. Repeatable.
    ///
    /// # Errors
    /// `CorruptVersion` when what is stored does not add up; then nothing was taken away.
    pub(super) async fn demote(&self, document: DocumentId, number: u64) -> Result<()> {
        let rows = self.stores.versions.range(document, number, number + 1).await?;
        let [row, next] = rows.as_slice() else { return Ok(()) };
        if must_stay_whole(row) {
            return Ok(());
        }
        let path = RecordPath::content(document, row.commit_id);
        let record = self.stores.records.get(&path).await?;
        let stored = Stored::parse(record.clone())?;
        let Some(whole) = stored.whole.clone() else {
            return Ok(self.stores.versions.set_stored(document, number, true).await?);
        };
        let chunks = if let Whole::Chunks(count) = whole { count } else { 0 };
        let older = self.whole_text(document, row.commit_id, whole).await?;
        if sha256(&older) != row.content_hash {
            return Err(corrupt(row, "its record has other bytes"));
        }
        let newer = self.content_from_store(next).await?;
        let kind =
            self.stores.catalog.get(document).await.map_err(Error::missing("document"))?.kind;
        let patch = Patch::between(kind, &newer, &older);
        if patch.stored_bytes() * 100 > older.len() * WORTH_PERCENT {
            return Ok(());
        }
        let reverse = Reverse { base: next.commit_id, base_hash: next.content_hash, patch };
        self.check(row, &reverse, &newer, &older)?;
        let both = Stored { reverse: Some(reverse), ..stored };
        let Some(written) = self.write_and_read_back(&record, &both).await? else {
            return Ok(());
        };
        let read_back = Stored::parse(written.clone())?;
        let reverse = read_back.reverse.ok_or_else(|| corrupt(row, "its delta was not stored"))?;
        self.check(row, &reverse, &newer, &older)?;
        let delta = Stored { whole: None, reverse: Some(reverse), hash: row.content_hash };
        if self.write_and_read_back(&written, &delta).await?.is_none() {
            return Ok(());
        }
        self.stores.versions.set_stored(document, number, true).await?;
        for index in 0..chunks {
            self.stores.records.purge(&RecordPath::chunk(document, row.commit_id, index)).await?;
        }
        Ok(())
    }

    fn check(&self, row: &VersionRow, reverse: &Reverse, newer: &str, older: &str) -> Result<()> {
        match reverse.patch.apply(newer) {
            Ok(rebuilt) if rebuilt == older && sha256(&rebuilt) == row.content_hash => Ok(()),
            _ => Err(corrupt(row, "its delta does not give its bytes")),
        }
    }

    /// Writes over exactly that record; `None` when somebody else has written it meanwhile.
    async fn write_and_read_back(
        &self,
        record: &Record,
        stored: &Stored,
    ) -> Result<Option<Record>> {
        let data = stored.to_data();
        let records = &self.stores.records;
        let now = self.clock.now();
        match records.update(&record.path, record.version, &data, now).await {
            Ok(_) | Err(StoreError::Unknown(_)) => {}
            Err(StoreError::Conflict(Constraint::RecordVersion)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let read = records.get(&record.path).await?;
        Ok((read.version == record.version + 1 && read.data == data).then_some(read))
    }

    /// Makes a version whole again, because it was named or restored from. Repeatable.
    pub(super) async fn make_whole(&self, document: DocumentId, number: u64) -> Result<()> {
        let row = match self.stores.versions.get(document, number).await {
            Ok(row) => row,
            Err(StoreError::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let path = RecordPath::content(document, row.commit_id);
        let record = self.stores.records.get(&path).await?;
        let stored = Stored::parse(record.clone())?;
        if stored.whole.is_none() {
            let text = self.content_from_store(&row).await?;
            let mut new = Stored::new_records(document, row.commit_id, &text, row.content_hash);
            let manifest = new.pop().ok_or_else(|| Error::internal("no record to write"))?;
            for chunk in &new {
                match self.stores.records.create(chunk, self.clock.now()).await {
                    Ok(()) | Err(StoreError::Conflict(Constraint::RecordExists)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            let at = self.clock.now();
            self.stores.records.update(&path, record.version, &manifest.data, at).await?;
            let read_back = Stored::parse(self.stores.records.get(&path).await?)?;
            if read_back.whole.is_none() {
                return Err(corrupt(&row, "it was not made whole"));
            }
        }
        Ok(self.stores.versions.set_stored(document, number, false).await?)
    }
}

fn must_stay_whole(row: &VersionRow) -> bool {
    row.number == 1 || row.number.is_multiple_of(KEYFRAME_EVERY) || row.keep_whole
}

fn corrupt(row: &VersionRow, what: &str) -> Error {
    let internal = crate::error::Internal::new(format!("version {}: {what}", row.number));
    Error::CorruptVersion { number: row.number, internal }
}
