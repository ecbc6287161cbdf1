//! Queue of updates for the server (PRODUCT S2, C7). Updates stay queued until their batch is
//! acknowledged. Only one batch is in flight, and it keeps its id and bytes when it is sent again,
//! so that the server applies it exactly once.

use std::collections::VecDeque;

/// Maximum size of a batch in bytes. The server accepts 1 MiB.
const BATCH_BYTES: usize = 512 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    id: String,
    update: Vec<u8>,
    is_stored: bool,
}

/// Body of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// `opId` of the request.
    pub op_id: String,
    /// A Yjs update (v1).
    pub update: Vec<u8>,
}

/// Updates that the server has not acknowledged.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Waiting>,
    /// The batch in flight, and how many of the queued updates it contains.
    sent: Option<(Batch, usize)>,
}

impl Outbox {
    /// Appends an update. `id` names it on this device; `is_stored` says whether it is already
    /// stored there.
    pub fn push(&mut self, id: String, update: Vec<u8>, is_stored: bool) {
        self.waiting.push_back(Waiting { id, update, is_stored });
    }

    /// Prepends an update. Its contents must be part of the updates that follow, so it need not be
    /// stored on this device. No batch may be in flight.
    pub fn push_first(&mut self, id: String, update: Vec<u8>) {
        self.waiting.push_front(Waiting { id, update, is_stored: true });
    }

    /// Marks an update as stored on this device. Returns whether it is still queued.
    pub fn stored(&mut self, id: &str) -> bool {
        let found = self.waiting.iter_mut().find(|waiting| waiting.id == id);
        found.map(|waiting| waiting.is_stored = true).is_some()
    }

    /// Returns the number of queued updates, including those in flight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns whether the queue is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns whether closing the page now would lose an update that is neither on the server nor
    /// stored on this device.
    #[must_use]
    pub fn is_at_risk(&self) -> bool {
        self.waiting.iter().any(|waiting| !waiting.is_stored)
    }

    /// Returns the batch to send: the one in flight, or a new one with the id `op_id`. `merge`
    /// combines several updates into one; if it fails, they are sent one by one.
    pub fn batch(
        &mut self,
        op_id: impl FnOnce() -> String,
        merge: impl FnOnce(&[&[u8]]) -> Option<Vec<u8>>,
    ) -> Option<Batch> {
        if self.sent.is_none() {
            let first = self.waiting.front()?;
            let mut bytes = 0;
            let fits = |waiting: &&Waiting| {
                bytes += waiting.update.len();
                bytes <= BATCH_BYTES
            };
            let updates: Vec<&[u8]> = self
                .waiting
                .iter()
                .take_while(fits)
                .map(|waiting| waiting.update.as_slice())
                .collect();
            let merged = if updates.len() > 1 { merge(&updates) } else { None };
            let (update, count) = match merged {
                Some(update) => (update, updates.len()),
                None => (first.update.clone(), 1),
            };
            self.sent = Some((Batch { op_id: op_id(), update }, count));
        }
        self.sent.as_ref().map(|(batch, _)| batch.clone())
    }

    /// Handles a rejected batch: its updates are queued again and sent with later ones, under a new
    /// id. Parts that were applied nevertheless are not applied twice.
    pub fn take_back(&mut self) {
        self.sent = None;
    }

    /// Empties the queue. Returns the ids of its updates, to delete from this device.
    pub fn clear(&mut self) -> Vec<String> {
        self.sent = None;
        self.waiting.drain(..).map(|waiting| waiting.id).collect()
    }

    /// Handles an acknowledged batch. Returns the ids of its updates, to delete from this device.
    pub fn acknowledged(&mut self) -> Vec<String> {
        let count = self.sent.take().map_or(0, |(_, count)| count);
        self.waiting.drain(..count.min(self.waiting.len())).map(|waiting| waiting.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concat(updates: &[&[u8]]) -> Option<Vec<u8>> {
        Some(updates.concat())
    }

    fn outbox(updates: &[(&str, &[u8])]) -> Outbox {
        let mut outbox = Outbox::default();
        for (id, update) in updates {
            outbox.push((*id).to_owned(), update.to_vec(), false);
        }
        outbox
    }

    #[test]
    fn a_batch_keeps_its_id_and_bytes_until_it_is_acknowledged() {
        let mut outbox = outbox(&[("a", b"1"), ("b", b"2")]);
        let first = outbox.batch(|| "op-1".to_owned(), concat).unwrap();
        outbox.push("c".to_owned(), b"3".to_vec(), false);
        let again = outbox.batch(|| "op-2".to_owned(), concat).unwrap();
        assert_eq!(first, again);
        assert_eq!(first.update, b"12");
        assert_eq!(outbox.acknowledged(), ["a", "b"]);
        let next = outbox.batch(|| "op-2".to_owned(), concat).unwrap();
        assert_eq!((next.op_id.as_str(), next.update.as_slice()), ("op-2", b"3".as_slice()));
    }

    #[test]
    fn a_rejected_batch_is_resent_with_later_updates() {
        let mut outbox = outbox(&[("a", b"1")]);
        outbox.batch(|| "op-1".to_owned(), concat).unwrap();
        outbox.push("b".to_owned(), b"2".to_vec(), false);
        outbox.take_back();
        let next = outbox.batch(|| "op-2".to_owned(), concat).unwrap();
        assert_eq!((next.op_id.as_str(), next.update.as_slice()), ("op-2", b"12".as_slice()));
    }

    #[test]
    fn updates_that_cannot_be_merged_are_sent_one_by_one() {
        let mut outbox = outbox(&[("a", b"1"), ("b", b"2")]);
        assert_eq!(outbox.batch(|| "op".to_owned(), |_| None).unwrap().update, b"1");
        assert_eq!(outbox.acknowledged(), ["a"]);
        assert_eq!(outbox.len(), 1);
    }

    #[test]
    fn limits_the_size_of_a_batch_but_never_leaves_it_empty() {
        let large = vec![0; BATCH_BYTES + 1];
        let mut outbox = outbox(&[("a", &large), ("b", b"2")]);
        assert_eq!(outbox.batch(|| "op".to_owned(), concat).unwrap().update.len(), large.len());
        assert_eq!(outbox.acknowledged(), ["a"]);
    }

    #[test]
    fn an_update_is_at_risk_until_it_is_stored_or_acknowledged() {
        let mut outbox = outbox(&[("a", b"1")]);
        assert!(outbox.is_at_risk());
        assert!(outbox.stored("a"));
        assert!(!outbox.is_at_risk());
        outbox.push("b".to_owned(), b"2".to_vec(), false);
        outbox.batch(|| "op".to_owned(), concat);
        assert!(outbox.is_at_risk());
        outbox.acknowledged();
        assert!(outbox.is_empty() && !outbox.is_at_risk());
        assert!(!outbox.stored("b"));
    }

    #[test]
    fn an_acknowledgement_without_a_batch_changes_nothing() {
        let mut outbox = outbox(&[("a", b"1")]);
        assert!(outbox.acknowledged().is_empty());
        assert_eq!(outbox.len(), 1);
    }
}
