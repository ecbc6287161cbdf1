//! Comparing every record of two places, page by page.

use super::mirror::is_same;
use izanagi_domain::storage::{
    DocumentStore, Record, RecordIndex, RecordPath, StoreError, StoreResult,
};
use std::collections::{HashMap, HashSet, VecDeque};

/// Collections named at once.
const NAMES: u32 = 200;
/// Records read at once.
const PAGE: u32 = 100;

/// Returns the number of collections.
pub(super) async fn count(store: &dyn DocumentStore) -> StoreResult<u64> {
    let (mut total, mut after) = (0, None::<String>);
    loop {
        let names = store.collections(after.as_deref(), NAMES).await?;
        total += names.len() as u64;
        let Some(last) = names.into_iter().next_back() else { return Ok(total) };
        after = Some(last);
    }
}

/// Whether a store has no record at all.
pub(super) async fn is_empty(store: &dyn DocumentStore) -> StoreResult<bool> {
    let mut after = None::<String>;
    loop {
        let names = store.collections(after.as_deref(), NAMES).await?;
        for name in &names {
            if !store.paths(RecordIndex::CollectionId, name, None, 1, true).await?.is_empty() {
                return Ok(false);
            }
        }
        let Some(last) = names.into_iter().next_back() else { return Ok(true) };
        after = Some(last);
    }
}

/// A comparison under way: first all records of the first place, then what only the second has.
#[derive(Default)]
pub(super) struct Comparison {
    is_second: bool,
    /// Collections to come.
    names: VecDeque<String>,
    last_name: Option<String>,
    /// The collection under way, and the record after which it goes on.
    current: Option<(String, Option<String>)>,
    /// Collections that are done, in both places.
    pub(super) done: u64,
}

impl Comparison {
    /// Compares a page; returns the paths that differ, or `None` at the end.
    pub(super) async fn next(
        &mut self,
        first: &dyn DocumentStore,
        second: &dyn DocumentStore,
    ) -> StoreResult<Option<Vec<RecordPath>>> {
        let store = if self.is_second { second } else { first };
        let Some((name, after)) = self.current.take() else {
            if self.names.is_empty() {
                self.names = store.collections(self.last_name.as_deref(), NAMES).await?.into();
            }
            match self.names.pop_front() {
                Some(name) => {
                    self.last_name = Some(name.clone());
                    self.current = Some((name, None));
                }
                None if self.is_second => return Ok(None),
                None => (self.is_second, self.last_name) = (true, None),
            }
            return Ok(Some(Vec::new()));
        };
        let index = RecordIndex::CollectionId;
        let (differing, last) = if self.is_second {
            // What both have was compared before.
            let paths = store.paths(index, &name, after.as_deref(), PAGE, true).await?;
            let last = paths.last().map(|path| path.id().to_owned());
            (missing(paths, first).await?, last)
        } else {
            let records = store.query(index, &name, after.as_deref(), PAGE, true).await?;
            let last = records.last().map(|record| record.path.id().to_owned());
            (differing(&records, second).await?, last)
        };
        match last {
            Some(last) => self.current = Some((name, Some(last))),
            None => self.done += 1,
        }
        Ok(Some(differing))
    }
}

/// Returns the paths of records whose copies differ.
async fn differing(records: &[Record], store: &dyn DocumentStore) -> StoreResult<Vec<RecordPath>> {
    let paths: Vec<_> = records.iter().map(|record| record.path.clone()).collect();
    let copies = match store.get_stored(&paths).await {
        // One of them is damaged: each is looked at by itself.
        Err(StoreError::Corrupt(_)) => return Ok(paths),
        copies => copies?,
    };
    let copies: HashMap<_, _> = copies.iter().map(|copy| (&copy.path, copy)).collect();
    let is_copied =
        |record: &&Record| copies.get(&record.path).is_some_and(|copy| is_same(record, copy));
    Ok(records.iter().filter(|record| !is_copied(record)).map(|one| one.path.clone()).collect())
}

/// Returns the paths that a store does not have.
async fn missing(
    paths: Vec<RecordPath>,
    store: &dyn DocumentStore,
) -> StoreResult<Vec<RecordPath>> {
    let found = store.get_stored(&paths).await?;
    let found: HashSet<_> = found.iter().map(|record| &record.path).collect();
    Ok(paths.iter().filter(|path| !found.contains(path)).cloned().collect())
}
