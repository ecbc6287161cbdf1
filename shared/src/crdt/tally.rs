//! Counts the text that updates insert and delete.

use super::{
    gate::ClientRange,
    parse::{Content, Parsed, Struct, parse},
};
use crate::rules::MAX_CONTENT_BYTES;
use std::collections::BTreeMap;

/// The most ranges a [`Ranges`] holds, about 5 MB.
const MAX_RANGES: usize = 100_000;

/// Counts UTF-16 units of text over consecutive updates. Updates may also bring text that is deleted
/// already, of any length they claim, or repeat what is known: neither counts.
#[derive(Debug)]
pub struct Tally {
    known: Ranges,
    gone: Ranges,
    /// Upper bound of the text that can be deleted.
    present: u64,
}

impl Default for Tally {
    fn default() -> Self {
        // Of what came before the first update, only the limit is known.
        let present = MAX_CONTENT_BYTES as u64;
        Self { known: Ranges::default(), gone: Ranges::default(), present }
    }
}

impl Tally {
    /// Counts the next update: the units it inserts and those it deletes. An unreadable update counts
    /// as empty.
    pub fn add(&mut self, update: &[u8]) -> (u64, u64) {
        let Ok(Parsed { structs, deletes, .. }) = parse(update) else { return (0, 0) };
        let added: u64 = structs.iter().map(|item| self.insert(item)).sum();
        let removed: u64 = deletes.iter().map(|range| self.gone.insert(*range)).sum();
        self.present += added;
        // An update may delete what does not exist yet.
        let removed = removed.min(self.present);
        self.present -= removed;
        (added, removed)
    }

    fn insert(&mut self, item: &Struct<'_>) -> u64 {
        let range = ClientRange { client: item.client, start: item.clock, end: item.end() };
        let new = self.known.insert(range);
        if matches!(item.content, Content::Text(_)) {
            return new;
        }
        self.gone.insert(range);
        0
    }
}

/// A set of clocks, as disjoint ranges that do not touch: client and first clock, to the end.
#[derive(Debug, Default)]
struct Ranges(BTreeMap<(u64, u32), u32>);

impl Ranges {
    /// Adds a range; returns how many clocks of it were missing. A full set counts new ranges without
    /// remembering them.
    fn insert(&mut self, ClientRange { client, start, end }: ClientRange) -> u64 {
        let up_to_end = self.0.range((client, 0)..=(client, end)).rev();
        let touching: Vec<(u32, u32)> = up_to_end
            .map(|(&(_, first), &last)| (first, last))
            .take_while(|&(_, last)| last >= start)
            .collect();
        let mut missing = u64::from(end - start);
        let (mut from, mut to) = (start, end);
        for (first, last) in touching {
            missing -= u64::from(last.min(end).saturating_sub(first.max(start)));
            (from, to) = (from.min(first), to.max(last));
            self.0.remove(&(client, first));
        }
        if self.0.len() < MAX_RANGES {
            self.0.insert((client, from), to);
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{
        Change, ROOT, TextDoc,
        parse::{CONTENT_DELETED, STRUCT_GC},
        varint::write_uint,
    };
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn change(from: u32, to: u32, insert: &str) -> Change {
        Change { from, to, insert: insert.to_owned() }
    }

    /// Returns an update with one struct: its kind, and the length it claims.
    fn claim(kind: u8, len: u64) -> Vec<u8> {
        let mut update = vec![1, 1];
        write_uint(&mut update, 99);
        update.extend([0, kind]);
        if kind != STRUCT_GC {
            update.push(1);
            write_uint(&mut update, ROOT.len() as u64);
            update.extend(ROOT.bytes());
        }
        write_uint(&mut update, len);
        update.push(0);
        update
    }

    /// Returns an update that deletes clocks of client 99.
    fn deletion(start: u64, len: u64) -> Vec<u8> {
        let mut update = vec![0, 1, 99, 1];
        write_uint(&mut update, start);
        write_uint(&mut update, len);
        update
    }

    #[test]
    fn counts_inserted_and_deleted_text() {
        let (mut tally, mut doc) = (Tally::default(), TextDoc::new(7));
        let typed = doc.edit(&[change(0, 0, "a 𝄞 island")]);
        assert_eq!(tally.add(&typed), (11, 0));
        let replaced = doc.edit(&[change(0, 4, "the")]);
        assert_eq!(tally.add(&replaced), (3, 4));
        // Sent again, as after a lost acknowledgement, and by a replica that sends all it has.
        assert_eq!(tally.add(&replaced), (0, 0));
        assert_eq!(tally.add(&doc.encode()), (0, 0));
    }

    #[test]
    fn claimed_lengths_do_not_count() {
        for kind in [CONTENT_DELETED, STRUCT_GC] {
            let mut tally = Tally::default();
            assert_eq!(tally.add(&claim(kind, 2_000_000_000)), (0, 0));
            assert_eq!(tally.add(&deletion(0, 2_000_000_000)), (0, 0));
        }
    }

    #[test]
    fn no_more_than_a_text_can_hold_is_deleted() {
        let mut tally = Tally::default();
        assert_eq!(tally.add(&deletion(0, 2_000_000_000)), (0, MAX_CONTENT_BYTES as u64));
        assert_eq!(tally.add(b"not an update"), (0, 0));
    }

    proptest! {
        #[test]
        fn ranges_count_like_a_set(inserts in prop::collection::vec((0..2_u64, 0..40_u32, 1..12_u32), 1..40)) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for (client, start, len) in inserts {
                let end = start + len;
                let new = (start..end).filter(|clock| set.insert((client, *clock))).count();
                prop_assert_eq!(ranges.insert(ClientRange { client, start, end }), new as u64);
            }
            let all: Vec<_> = ranges.0.iter().collect();
            let apart = all.windows(2).all(|two| two[0].0.0 != two[1].0.0 || *two[0].1 < two[1].0.1);
            prop_assert!(apart, "{:?}", all);
        }
    }
}
