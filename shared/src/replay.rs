//! Playing a replay: the text after any of its edits.

use crate::{
    crdt::replay::{NEVER, ReplayText},
    text::utf16::utf16_to_bytes,
    wire::{MissingEdits, Person, ReplayEdits, ReplayParts, ReplayView},
};
use std::ops::Range;

/// A replay that is ready to be played. Its positions count edits: at position n the text is as it
/// was after the n-th edit, and at 0 as it was before the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// See [`ReplayView::after_seq`].
    pub after_seq: u64,
    /// See [`ReplayView::next`].
    pub next: Option<u64>,
    /// See [`ReplayView::ends_lineage`].
    pub ends_lineage: bool,
    /// The authors.
    pub people: Vec<Person>,
    /// Edits that are damaged.
    pub missing: Vec<MissingEdits>,
    seqs: Vec<u64>,
    authors: Vec<u32>,
    /// Milliseconds since the Unix epoch.
    times: Vec<i64>,
    text: String,
    parts: Vec<Part>,
}

/// A part of the text that came and went together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    /// The byte after its last.
    end: u32,
    inserted: u32,
    deleted: u32,
}

/// Columns that do not belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the columns of a replay do not match")]
pub struct InvalidReplay;

/// What an edit changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// The text after it.
    pub text: String,
    /// Where it inserted or deleted something first, in bytes of the text; empty for a deletion.
    pub change: Option<Range<usize>>,
}

impl Replay {
    /// Reads a replay.
    ///
    /// # Errors
    /// Its columns do not match.
    pub fn new(view: ReplayView) -> Result<Self, InvalidReplay> {
        let ReplayView { edits, text, people, .. } = view;
        let ReplayEdits { start, seqs, authors, times } = edits;
        let is_known = |author: &u32| *author as usize <= people.len();
        if seqs.len() != authors.len() || seqs.len() != times.len() || !authors.iter().all(is_known)
        {
            return Err(InvalidReplay);
        }
        let parts = read_parts(&text, &view.parts)?;
        let mut seq = view.after_seq;
        let seqs = seqs.into_iter().map(|more| {
            seq = seq.saturating_add(more);
            seq
        });
        let mut at = start.as_micros().div_euclid(1_000);
        let times = times.into_iter().map(|more| {
            at = at.saturating_add_unsigned(more);
            at
        });
        Ok(Self {
            after_seq: view.after_seq,
            next: view.next,
            ends_lineage: view.ends_lineage,
            missing: view.missing,
            seqs: seqs.collect(),
            times: times.collect(),
            people,
            authors,
            text,
            parts,
        })
    }

    /// The number of edits.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.seqs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.seqs.is_empty()
    }

    /// Approximate size in memory.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.text.len() + self.parts.len() * size_of::<Part>() + self.seqs.len() * 20
    }

    /// The sequence number at a position.
    #[must_use]
    pub fn seq(&self, position: usize) -> u64 {
        position.checked_sub(1).and_then(|at| self.seqs.get(at)).copied().unwrap_or(self.after_seq)
    }

    /// The last sequence number.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.seq(self.len())
    }

    /// The position of the last edit up to this one.
    #[must_use]
    pub fn position_of(&self, seq: u64) -> usize {
        self.seqs.partition_point(|it| *it <= seq)
    }

    /// When the edit at a position was accepted, in milliseconds since the Unix epoch; for 0, as the
    /// first one.
    #[must_use]
    pub fn time(&self, position: usize) -> Option<i64> {
        self.times.get(position.saturating_sub(1)).copied()
    }

    /// The author of the edit at a position, by position in [`Self::people`].
    #[must_use]
    pub fn author(&self, position: usize) -> Option<usize> {
        let author = self.authors.get(position.checked_sub(1)?)?;
        (*author as usize).checked_sub(1)
    }

    /// The text at a position.
    #[must_use]
    pub fn text_at(&self, position: usize) -> String {
        self.step(position).text
    }

    /// The text at a position, and what its edit changed.
    #[must_use]
    pub fn step(&self, position: usize) -> Step {
        let position = u32::try_from(position).unwrap_or(NEVER - 1);
        let mut step = Step { text: String::with_capacity(self.text.len()), change: None };
        // Neighbouring parts are copied together.
        let (mut copied, mut start) = (0, 0);
        for part in &self.parts {
            let end = part.end as usize;
            let is_visible = part.inserted <= position && position < part.deleted;
            let is_change = position > 0 && (part.inserted == position || part.deleted == position);
            if is_change {
                step.text.push_str(self.text.get(copied..start).unwrap_or_default());
                copied = start;
                let at = step.text.len();
                let len = if is_visible { end - start } else { 0 };
                match &mut step.change {
                    Some(change) if change.end == at => change.end += len,
                    Some(_) => {}
                    None => step.change = Some(at..at + len),
                }
            }
            if !is_visible {
                step.text.push_str(self.text.get(copied..start).unwrap_or_default());
                copied = end;
            }
            start = end;
        }
        step.text.push_str(self.text.get(copied..start).unwrap_or_default());
        step
    }
}

fn read_parts(text: &str, columns: &ReplayParts) -> Result<Vec<Part>, InvalidReplay> {
    let ReplayParts { lengths, inserted, deleted } = columns;
    if lengths.len() != inserted.len() || lengths.len() != deleted.len() {
        return Err(InvalidReplay);
    }
    let mut units = 0_usize;
    let ends = lengths.iter().map(|length| {
        units += *length as usize;
        units
    });
    let ends = utf16_to_bytes(text, ends).map_err(|_| InvalidReplay)?;
    let mut number = 0_i64;
    let parts = ends.into_iter().zip(inserted).zip(deleted).map(|((end, more), later)| {
        number = number.saturating_add(*more);
        let inserted = u32::try_from(number).map_err(|_| InvalidReplay)?;
        let deleted = if *later == 0 { NEVER } else { inserted.saturating_add(*later) };
        let end = u32::try_from(end).map_err(|_| InvalidReplay)?;
        Ok(Part { end, inserted, deleted })
    });
    parts.collect()
}

impl From<ReplayText> for (String, ReplayParts) {
    fn from(ReplayText { text, parts }: ReplayText) -> Self {
        let mut columns = ReplayParts::default();
        let mut before = 0;
        for (length, inserted, deleted) in parts {
            columns.lengths.push(length);
            columns.inserted.push(i64::from(inserted) - before);
            before = i64::from(inserted);
            columns.deleted.push(if deleted == NEVER { 0 } else { deleted - inserted });
        }
        (text, columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn view() -> ReplayView {
        // Before: “a😀c”; 1 inserts “b”, 2 deletes the emoji, 3 replaces “c” by “d”.
        let parts = vec![(1, 0, NEVER), (1, 1, NEVER), (2, 0, 2), (1, 3, NEVER), (1, 0, 3)];
        let (text, parts) = ReplayText { text: "ab😀dc".to_owned(), parts }.into();
        let edits = ReplayEdits {
            start: Timestamp::from_micros(5_000_000),
            seqs: vec![1, 1, 3],
            authors: vec![1, 0, 1],
            times: vec![0, 10, 100],
        };
        let people = vec![Person::without_account(crate::id::ActorId::SERVER)];
        ReplayView { after_seq: 6, text, parts, edits, people, ..ReplayView::default() }
    }

    #[test]
    fn reads_the_text_at_every_position() {
        let replay = Replay::new(view()).unwrap();
        let texts: Vec<String> = (0..=3).map(|position| replay.text_at(position)).collect();
        assert_eq!(texts, ["a😀c", "ab😀c", "abc", "abd"]);
        let changes: Vec<_> = (0..=3).map(|position| replay.step(position).change).collect();
        assert_eq!(changes, [None, Some(1..2), Some(2..2), Some(2..3)]);
        assert_eq!(replay.text_at(9), "abd");
    }

    #[test]
    fn knows_number_author_and_time_of_each_position() {
        let replay = Replay::new(view()).unwrap();
        assert_eq!((0..=3).map(|at| replay.seq(at)).collect::<Vec<_>>(), [6, 7, 8, 11]);
        assert_eq!(
            [6, 7, 8, 9, 10, 11, 12].map(|seq| replay.position_of(seq)),
            [0, 1, 2, 2, 2, 3, 3]
        );
        assert_eq!(
            (0..=3).map(|at| replay.author(at)).collect::<Vec<_>>(),
            [None, Some(0), None, Some(0)]
        );
        assert_eq!(
            (0..=4).map(|at| replay.time(at)).collect::<Vec<_>>(),
            [Some(5_000), Some(5_000), Some(5_010), Some(5_110), None]
        );
        assert_eq!((replay.len(), replay.last_seq()), (3, 11));
    }

    #[test]
    fn refuses_columns_that_do_not_match() {
        let edited = |edit: fn(&mut ReplayView)| {
            let mut view = view();
            edit(&mut view);
            Replay::new(view).is_err()
        };
        assert!(edited(|view| view.parts.lengths.push(1)));
        assert!(edited(|view| view.edits.times.clear()));
        assert!(edited(|view| view.edits.authors[0] = 2));
        assert!(edited(|view| view.parts.lengths[2] = 1));
        assert!(edited(|view| view.parts.inserted[0] = -1));
    }
}
