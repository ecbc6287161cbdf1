//! Queue of updates for the server (PRODUCT S2, C7). Updates stay queued until they are acknowledged.
//! They are sent from the front, over HTTP in batches or over a socket in frames. Only one batch is
//! in flight, and it keeps its id and bytes when it is sent again, so that the server applies it
//! exactly once.

use std::{collections::VecDeque, time::Duration};

/// Maximum size of a batch in bytes. The server accepts 1 MiB.
const BATCH_BYTES: usize = 512 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    id: String,
    update: Vec<u8>,
    is_stored: bool,
    made: Duration,
}

/// Body of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// `opId` of the request.
    pub op_id: String,
    /// A Yjs update (v1).
    pub update: Vec<u8>,
}

/// Updates that the server has not acknowledged. Each has a number, the place at which it was queued.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: VecDeque<Waiting>,
    /// Number of the first update in the queue.
    first: u64,
    /// How many updates from the front are in frames on their way.
    framed: usize,
    /// The batch in flight, and the number after the last update in it.
    sent: Option<(Batch, u64)>,
}

impl Outbox {
    /// Appends an update. `id` names it on this device; `is_stored` says whether it is already
    /// stored there.
    pub fn push(&mut self, id: String, update: Vec<u8>, is_stored: bool) {
        self.push_made(id, update, is_stored, Duration::ZERO);
    }

    /// Appends an update that was made at this time.
    pub(super) fn push_made(
        &mut self,
        id: String,
        update: Vec<u8>,
        is_stored: bool,
        made: Duration,
    ) {
        self.waiting.push_back(Waiting { id, update, is_stored, made });
    }

    /// Prepends an update. Its contents must be part of the updates that follow, so it need not be
    /// stored on this device. Nothing may be in flight.
    pub fn push_first(&mut self, id: String, update: Vec<u8>) {
        let made = self.oldest().unwrap_or_default();
        self.waiting.push_front(Waiting { id, update, is_stored: true, made });
    }

    /// When the first update in the queue was made.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.waiting.front().map(|waiting| waiting.made)
    }

    /// The queued updates.
    pub(super) fn updates(&self) -> impl Iterator<Item = &[u8]> {
        self.waiting.iter().map(|waiting| waiting.update.as_slice())
    }

    /// The updates that are in no frame, at most `most` of them, as many as have `most_bytes` bytes
    /// but at least one.
    pub(super) fn unframed(&self, most: usize, most_bytes: usize) -> Vec<&[u8]> {
        self.fitting(self.framed, most, most_bytes)
    }

    /// How many updates are in no frame.
    pub(super) fn unframed_len(&self) -> usize {
        self.waiting.len() - self.framed
    }

    /// Notes that further updates are in a frame. Returns the number after the last of them.
    pub(super) fn frame(&mut self, count: usize) -> u64 {
        self.framed = (self.framed + count).min(self.waiting.len());
        self.first + self.framed as u64
    }

    /// Notes that all frames on their way are lost.
    pub(super) const fn unframe(&mut self) {
        self.framed = 0;
    }

    /// Removes the updates before this number, which the server has. Returns their ids.
    pub(super) fn acknowledged_before(&mut self, number: u64) -> Vec<String> {
        let count = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let count = count.min(self.waiting.len());
        self.first += count as u64;
        self.framed = self.framed.saturating_sub(count);
        if self.sent.as_ref().is_some_and(|(_, end)| *end <= self.first) {
            self.sent = None;
        }
        self.waiting.drain(..count).map(|waiting| waiting.id).collect()
    }

    /// The updates in the batch in flight.
    pub(super) fn batch_updates(&self) -> impl Iterator<Item = &[u8]> {
        let end = self.sent.as_ref().map_or(self.first, |(_, end)| *end);
        let count = usize::try_from(end.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.updates().take(count)
    }

    fn fitting(&self, skip: usize, most: usize, most_bytes: usize) -> Vec<&[u8]> {
        let mut bytes = 0;
        let mut fits = |index: usize, update: &[u8]| {
            bytes += update.len();
            index == 0 || bytes <= most_bytes
        };
        let updates = self.updates().skip(skip).take(most.max(1)).enumerate();
        updates.take_while(|(index, update)| fits(*index, update)).map(|(_, it)| it).collect()
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
        self.batch_of(usize::MAX, op_id, merge)
    }

    /// As [`Self::batch`], with at most `most` updates in a new batch.
    pub(super) fn batch_of(
        &mut self,
        most: usize,
        op_id: impl FnOnce() -> String,
        merge: impl FnOnce(&[&[u8]]) -> Option<Vec<u8>>,
    ) -> Option<Batch> {
        if self.sent.is_none() {
            let updates = self.fitting(0, most, BATCH_BYTES);
            let first = updates.first()?.to_vec();
            let merged = if updates.len() > 1 { merge(&updates) } else { None };
            let count = if merged.is_some() { updates.len() } else { 1 };
            let batch = Batch { op_id: op_id(), update: merged.unwrap_or(first) };
            self.sent = Some((batch, self.first + count as u64));
        }
        self.sent.as_ref().map(|(batch, _)| batch.clone())
    }

    /// Handles a rejected batch: its updates are queued again and sent with later ones, under a new
    /// id. Parts that were applied nevertheless are not applied twice. Returns how many updates it
    /// contained.
    pub fn take_back(&mut self) -> usize {
        let end = self.sent.take().map_or(self.first, |(_, end)| end);
        usize::try_from(end.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    /// Returns the ids of the queued updates, oldest first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.waiting.iter().map(|waiting| waiting.id.as_str())
    }

    /// Empties the queue. Returns the ids of its updates, to delete from this device.
    pub fn clear(&mut self) -> Vec<String> {
        self.sent = None;
        self.framed = 0;
        self.first += self.waiting.len() as u64;
        self.waiting.drain(..).map(|waiting| waiting.id).collect()
    }

    /// Handles an acknowledged batch. Returns the ids of its updates, to delete from this device.
    pub fn acknowledged(&mut self) -> Vec<String> {
        let end = self.sent.take().map_or(0, |(_, end)| end);
        self.acknowledged_before(end)
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
    fn what_frames_acknowledge_is_not_sent_in_a_batch_again() {
        let mut outbox = outbox(&[("a", b"1"), ("b", b"2"), ("c", b"3")]);
        outbox.batch_of(2, || "op-1".to_owned(), concat).unwrap();
        let first = outbox.frame(1);
        assert_eq!(outbox.unframed(9, 9), [b"2", b"3"]);
        assert_eq!(outbox.acknowledged_before(first), ["a"]);
        assert_eq!(outbox.unframed_len(), 2);
        let second = outbox.frame(1);
        assert_eq!(outbox.acknowledged_before(second), ["b"]);
        assert_eq!(outbox.batch(|| "op-2".to_owned(), concat).unwrap().update, b"3");
        assert_eq!(outbox.acknowledged_before(first), Vec::<String>::new());
    }

    #[test]
    fn a_batch_may_be_acknowledged_in_two_ways() {
        let mut outbox = outbox(&[("a", b"1"), ("b", b"2")]);
        outbox.batch(|| "op".to_owned(), concat).unwrap();
        let first = outbox.frame(1);
        outbox.acknowledged_before(first);
        assert_eq!(outbox.acknowledged(), ["b"]);
    }

    #[test]
    fn an_acknowledgement_without_a_batch_changes_nothing() {
        let mut outbox = outbox(&[("a", b"1")]);
        assert!(outbox.acknowledged().is_empty());
        assert_eq!(outbox.len(), 1);
    }
}
