//! The loaded parts of a history.

use izanagi_shared::replay::Replay;

/// Edits of a part that is fetched at once, the most that the server sends.
pub const SPAN_EDITS: u64 = 131_072;
/// Bytes that loaded parts may take together, besides the newest one.
const MOST_BYTES: usize = 48 * 1024 * 1024;

/// Loaded replays of one document, in the order of their edits.
#[derive(Debug, Default)]
pub struct Spans(Vec<Replay>);

impl Spans {
    /// Adds a replay. It replaces those that it covers; those farthest from it are dropped when they
    /// take too much memory.
    pub fn add(&mut self, replay: Replay) {
        let (after, last) = (replay.after_seq, replay.last_seq());
        self.0.retain(|it| it.last_seq() <= after || it.after_seq >= last.max(after + 1));
        let at = self.0.partition_point(|it| it.after_seq < after);
        self.0.insert(at, replay);
        let mut kept = at;
        while self.0.len() > 1 && self.0.iter().map(Replay::bytes).sum::<usize>() > MOST_BYTES {
            if kept >= self.0.len() - kept - 1 {
                self.0.remove(0);
                kept -= 1;
            } else {
                self.0.pop();
            }
        }
    }

    /// Returns the replay that has the text after this edit, and the position in it.
    #[must_use]
    pub fn find(&self, seq: u64) -> Option<(&Replay, usize)> {
        let mut reaching = self.0.iter().filter(|it| it.next.is_none_or(|next| seq < next));
        // A part begins with the text after the last edit of the one before.
        let replay = reaching
            .clone()
            .rfind(|it| it.after_seq < seq)
            .or_else(|| reaching.find(|it| it.after_seq == seq))?;
        Some((replay, replay.position_of(seq)))
    }

    /// Returns every loaded replay.
    pub fn iter(&self) -> impl Iterator<Item = &Replay> {
        self.0.iter()
    }

    /// Returns the newest one.
    #[must_use]
    pub fn newest(&self) -> Option<&Replay> {
        self.0.last()
    }

    /// Returns the first edit to fetch, so that this one is loaded: the parts of a history begin at
    /// fixed numbers, or where the one before ended early.
    #[must_use]
    pub fn wanted(&self, first: u64, seq: u64) -> u64 {
        let steps = seq.max(first).saturating_sub(first) / SPAN_EDITS;
        let fixed = first + steps * SPAN_EDITS;
        let nexts = self.0.iter().filter_map(|it| it.next).filter(|next| *next <= seq.max(first));
        nexts.max().unwrap_or(fixed).max(fixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::wire::{ReplayEdits, ReplayView};

    fn replay(after_seq: u64, edits: usize, next: Option<u64>) -> Replay {
        let edits = ReplayEdits {
            seqs: vec![1; edits],
            authors: vec![0; edits],
            times: vec![0; edits],
            ..ReplayEdits::default()
        };
        Replay::new(ReplayView { after_seq, edits, next, ..ReplayView::default() }).unwrap()
    }

    #[test]
    fn finds_the_part_with_an_edit() {
        let mut spans = Spans::default();
        spans.add(replay(10, 10, None));
        spans.add(replay(0, 5, Some(6)));
        let found = |seq| spans.find(seq).map(|(replay, position)| (replay.after_seq, position));
        assert_eq!(found(0), Some((0, 0)));
        assert_eq!(found(5), Some((0, 5)));
        assert_eq!(found(7), None);
        assert_eq!(found(10), Some((10, 0)));
        assert_eq!(found(11), Some((10, 1)));
        assert_eq!(found(20), Some((10, 10)));
    }

    #[test]
    fn a_longer_part_replaces_a_shorter_one() {
        let mut spans = Spans::default();
        spans.add(replay(0, 5, None));
        spans.add(replay(5, 1, None));
        spans.add(replay(5, 3, None));
        assert_eq!(spans.iter().map(Replay::len).collect::<Vec<_>>(), [5, 3]);
    }

    #[test]
    fn parts_begin_at_fixed_numbers_or_where_the_last_one_ended() {
        let mut spans = Spans::default();
        assert_eq!(spans.wanted(1, 5), 1);
        assert_eq!(spans.wanted(1, 0), 1);
        assert_eq!(spans.wanted(7, SPAN_EDITS + 7), SPAN_EDITS + 7);
        spans.add(replay(0, 5, Some(6)));
        assert_eq!(spans.wanted(1, 5), 1);
        assert_eq!(spans.wanted(1, 100), 6);
    }
}
