//! What one client of a document has written.

use super::{Index, NEVER};
use std::{collections::BTreeMap, ops::Range};

/// Clocks that arrived with one edit.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) clock: u32,
    pub(super) len: u32,
    pub(super) inserted: Index,
    pub(super) text: Text,
}

/// The text of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// One UTF-16 unit for each clock, from this unit of all the text on.
    At(usize),
    /// It has none: it arrived deleted, or is a format.
    None,
    /// Its edit is lost.
    Unknown,
}

impl Text {
    /// Returns the text from a clock of the piece on, counted from its first.
    pub(super) const fn from(self, offset: u32) -> Self {
        match self {
            Self::At(start) => Self::At(start + offset as usize),
            other => other,
        }
    }
}

impl Piece {
    pub(super) const fn end(&self) -> u32 {
        self.clock + self.len
    }
}

/// All clocks of a client: when they came, and when they went.
#[derive(Debug, Default)]
pub(super) struct Client {
    /// By clock, without gaps.
    pub(super) pieces: Vec<Piece>,
    /// Disjoint deleted ranges: their first clock, to the clock after the last and the edit.
    deleted: BTreeMap<u32, (u32, Index)>,
}

impl Client {
    /// The next clock.
    pub(super) fn end(&self) -> u32 {
        self.pieces.last().map_or(0, Piece::end)
    }

    /// How many pieces and deletions there are.
    pub(super) fn parts(&self) -> usize {
        self.pieces.len() + self.deleted.len()
    }

    /// Adds clocks at the end.
    pub(super) fn push(&mut self, len: u32, inserted: Index, text: Text) {
        let clock = self.end();
        if let Some(last) = self.pieces.last_mut()
            && last.inserted == inserted
            && last.text.from(last.len) == text
        {
            last.len += len;
            return;
        }
        self.pieces.push(Piece { clock, len, inserted, text });
    }

    /// Deletes clocks, those that are not deleted yet.
    pub(super) fn delete(&mut self, clocks: Range<u32>, index: Index) {
        let before = self.deleted.range(..=clocks.start).next_back();
        let mut at = before.map_or(clocks.start, |(_, (end, _))| clocks.start.max(*end));
        while at < clocks.end {
            let next = self.deleted.range(at..clocks.end).next();
            let next = next.map(|(start, (end, _))| (*start, *end));
            let stop = next.map_or(clocks.end, |(start, _)| start);
            if at < stop {
                self.note_deleted(at, stop, index);
            }
            at = next.map_or(clocks.end, |(_, end)| end);
        }
    }

    fn note_deleted(&mut self, start: u32, end: u32, index: Index) {
        if let Some((_, last)) = self.deleted.range_mut(..start).next_back()
            && *last == (start, index)
        {
            last.0 = end;
            return;
        }
        self.deleted.insert(start, (end, index));
    }

    /// Calls `visit` for each stretch of these clocks that came and went together: its clocks, the
    /// edit that inserted it, the one that deleted it, and its text.
    pub(super) fn visit(
        &self,
        clocks: Range<u32>,
        mut visit: impl FnMut(Range<u32>, Index, Index, Text),
    ) {
        let first = self.pieces.partition_point(|piece| piece.end() <= clocks.start);
        for piece in &self.pieces[first..] {
            if piece.clock >= clocks.end {
                return;
            }
            let end = piece.end().min(clocks.end);
            let mut at = piece.clock.max(clocks.start);
            while at < end {
                let (stop, deleted) = self.next_deletion(at, end);
                visit(at..stop, piece.inserted, deleted, piece.text.from(at - piece.clock));
                at = stop;
            }
        }
    }

    /// Returns the edit that deleted a clock, and up to which clock that is so.
    fn next_deletion(&self, at: u32, end: u32) -> (u32, Index) {
        if let Some((_, (last, index))) = self.deleted.range(..=at).next_back()
            && at < *last
        {
            return ((*last).min(end), *index);
        }
        let next = self.deleted.range(at..end).next();
        (next.map_or(end, |(start, _)| *start), NEVER)
    }

    /// Forgets the text of what is deleted, and moves the rest to `kept`. Nothing was inserted or
    /// deleted by an edit of the replay yet.
    pub(super) fn compact(&mut self, units: &[u16], kept: &mut Vec<u16>) {
        let mut compacted = Self::default();
        self.visit(0..self.end(), |clocks, inserted, deleted, text| {
            let len = clocks.end - clocks.start;
            let text = match text {
                Text::At(_) if deleted != NEVER => Text::None,
                Text::At(start) => {
                    let at = kept.len();
                    kept.extend(units.get(start..start + len as usize).unwrap_or_default());
                    Text::At(at)
                }
                other => other,
            };
            compacted.push(len, inserted, text);
        });
        // What keeps no text needs no deletion.
        let unknown = compacted.pieces.iter().filter(|piece| piece.text == Text::Unknown);
        let unknown: Vec<Range<u32>> = unknown.map(|piece| piece.clock..piece.end()).collect();
        for clocks in unknown {
            self.visit(clocks, |clocks, _, deleted, _| {
                if deleted != NEVER {
                    compacted.delete(clocks, deleted);
                }
            });
        }
        *self = compacted;
    }
}
