//! Updates that wait for others. They count towards limits of their sender, never of the document,
//! and lapse after a while: a sender who never completes them must not keep others from editing.

use izanagi_shared::{crdt::UpdateSummary, id::ActorId, time::Timestamp};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Maximum number of waiting updates of one sender in a document.
pub(super) const MAX_OF_SENDER: usize = 200;
/// Maximum number of all senders together: each update is read at every load.
const MAX_OF_ALL: usize = 1_000;
/// Maximum size of the waiting updates of one sender in a document. What an update waits for is
/// remembered by its items.
const SPACE_OF_SENDER: Size = Size { update: 4 * 1024 * 1024, text: usize::MAX, items: 20_000 };
/// The same of all senders together.
const SPACE_OF_ALL: Size = Size { update: 16 * 1024 * 1024, text: usize::MAX, items: 80_000 };

/// Who sent an update, and when it was appended to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) by: ActorId,
    pub(super) at: Timestamp,
}

/// What an update may add to a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Bytes of the update.
    pub(super) update: usize,
    /// Bytes of text that it inserts.
    pub(super) text: usize,
    /// Items.
    pub(super) items: usize,
}

impl Size {
    pub(super) fn of(delta: &[u8], summary: &UpdateSummary) -> Self {
        let items = summary.items + summary.deletes.len();
        Self { update: delta.len(), text: summary.inserted_bytes, items }
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            update: self.update + other.update,
            text: self.text + other.text,
            items: self.items + other.items,
        }
    }

    /// The larger of both in each respect.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            update: self.update.max(other.update),
            text: self.text.max(other.text),
            items: self.items.max(other.items),
        }
    }

    const fn is_within(self, space: Self) -> bool {
        self.update <= space.update && self.text <= space.text && self.items <= space.items
    }
}

/// A log row that waits.
#[derive(Debug)]
struct Row {
    sent: Sent,
    size: Size,
    /// Set when it is first asked for, because the room knows the time and the replica does not.
    lapses_at: Option<Instant>,
}

/// The rows that wait, by seq.
#[derive(Debug, Default)]
pub(super) struct WaitingRows(BTreeMap<u64, Row>);

impl WaitingRows {
    pub(super) fn insert(&mut self, seq: u64, sent: Sent, size: Size) {
        self.0.insert(seq, Row { sent, size, lapses_at: None });
    }

    pub(super) fn remove(&mut self, seq: u64) {
        self.0.remove(&seq);
    }

    /// Keeps the rows that still wait.
    pub(super) fn retain(&mut self, still_waits: impl Fn(u64) -> bool) {
        self.0.retain(|seq, _| still_waits(*seq));
    }

    /// What all of them together may add to the document.
    pub(super) fn total(&self) -> Size {
        self.0.values().fold(Size::default(), |total, row| total.plus(row.size))
    }

    /// Whether another update may wait, in addition to `more` that are not in the log yet.
    pub(super) fn has_place(&self, by: ActorId, size: Size, more: &[(ActorId, Size)]) -> bool {
        let rows = self.0.values().map(|row| (row.sent.by, row.size));
        let (mut count, mut count_of_sender) = (1, 1);
        let (mut space, mut space_of_sender) = (size, size);
        for (of, size) in rows.chain(more.iter().copied()) {
            count += 1;
            space = space.plus(size);
            if of == by {
                count_of_sender += 1;
                space_of_sender = space_of_sender.plus(size);
            }
        }
        count <= MAX_OF_ALL
            && count_of_sender <= MAX_OF_SENDER
            && space.is_within(SPACE_OF_ALL)
            && space_of_sender.is_within(SPACE_OF_SENDER)
    }

    /// Returns when the first row lapses, if each may wait for `at_most`. `now` is the clock of the
    /// log; the result does not follow that clock when it is set.
    pub(super) fn first_lapse(&mut self, now: Timestamp, at_most: Duration) -> Option<Instant> {
        let started = Instant::now();
        let rows = self.0.values_mut();
        rows.map(|row| {
            let left = || started + at_most.saturating_sub(now.since(row.sent.at));
            *row.lapses_at.get_or_insert_with(left)
        })
        .min()
    }

    /// Returns the rows whose time is over.
    pub(super) fn overdue(&self) -> Vec<u64> {
        let now = Instant::now();
        let is_over = |row: &Row| row.lapses_at.is_some_and(|at| at <= now);
        self.0.iter().filter(|(_, row)| is_over(row)).map(|(seq, _)| *seq).collect()
    }

    /// Returns all rows.
    pub(super) fn seqs(&self) -> Vec<u64> {
        self.0.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ANN: ActorId = ActorId(Uuid::from_u128(2));
    const BEN: ActorId = ActorId(Uuid::from_u128(3));
    const AT_MOST: Duration = Duration::from_secs(600);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    const fn bytes(update: usize) -> Size {
        Size { update, text: 0, items: 1 }
    }

    fn rows(rows: &[(ActorId, Size)]) -> WaitingRows {
        let mut waiting = WaitingRows::default();
        for (seq, (by, size)) in rows.iter().enumerate() {
            waiting.insert(seq as u64 + 1, Sent { by: *by, at: at(0) }, *size);
        }
        waiting
    }

    #[test]
    fn a_sender_fills_only_the_senders_own_space() {
        let most = SPACE_OF_SENDER.update;
        let waiting = rows(&[(ANN, bytes(most - 1))]);
        assert!(waiting.has_place(ANN, bytes(1), &[]));
        assert!(!waiting.has_place(ANN, bytes(2), &[]));
        assert!(!waiting.has_place(ANN, bytes(1), &[(ANN, bytes(1))]));
        assert!(waiting.has_place(ANN, bytes(1), &[(BEN, bytes(1))]));
        assert!(waiting.has_place(BEN, bytes(most), &[]));
        let many = rows(&vec![(ANN, bytes(1)); MAX_OF_SENDER]);
        assert!(!many.has_place(ANN, bytes(1), &[]));
        assert!(many.has_place(BEN, bytes(1), &[]));
        let items = Size { items: SPACE_OF_SENDER.items, ..bytes(9) };
        assert!(!rows(&[(ANN, items)]).has_place(ANN, bytes(1), &[]));
    }

    #[test]
    fn all_senders_together_are_limited() {
        let senders: Vec<_> = (0..4).map(|n| ActorId(Uuid::from_u128(n + 10))).collect();
        let full: Vec<_> = senders.iter().map(|by| (*by, bytes(SPACE_OF_SENDER.update))).collect();
        assert!(!rows(&full).has_place(ANN, bytes(1), &[]));
        assert!(rows(&full[1..]).has_place(ANN, bytes(1), &[]));
    }

    #[tokio::test(start_paused = true)]
    async fn rows_lapse_in_their_turn_whatever_the_clock_says() {
        let mut waiting = WaitingRows::default();
        waiting.insert(1, Sent { by: ANN, at: at(0) }, Size::default());
        waiting.insert(2, Sent { by: ANN, at: at(400) }, Size::default());
        let first = waiting.first_lapse(at(500), AT_MOST).unwrap();
        assert_eq!(first - Instant::now(), Duration::from_secs(100));
        tokio::time::advance(Duration::from_secs(100)).await;
        // The clock was set back an hour.
        assert_eq!(waiting.first_lapse(at(-3_000), AT_MOST), Some(first));
        assert_eq!(waiting.overdue(), [1]);
        waiting.remove(1);
        tokio::time::advance(Duration::from_secs(400)).await;
        assert_eq!(waiting.overdue(), [2]);
    }
}
