//! Combining the updates of one replica into one, and splitting an update. Unlike Yjs and yrs, which
//! copy the structs as they are, text that was typed in one go becomes one struct again.

use super::{
    ClientRange, Refusal,
    cut::pieces,
    encode::encode,
    parse::{Content, Parsed, Struct, parse},
};
use std::cmp::Reverse;

/// Combines updates, without the structs that a replica has whose next clock of each client is
/// `clock_of`. Deletions are always kept. The combined update needs what the updates need, but none
/// of them. Returns `None` if the updates contain the same clocks in different pieces.
///
/// # Errors
/// One of them contains what the gate refuses.
pub fn combine_updates(
    updates: &[&[u8]],
    clock_of: impl Fn(u64) -> u32,
) -> Result<Option<Vec<u8>>, Refusal> {
    let parsed = updates.iter().map(|update| parse(update)).collect::<Result<Vec<_>, _>>()?;
    let all = parsed.iter().flat_map(|update| &update.structs);
    let mut sorted: Vec<&Struct<'_>> =
        all.filter(|item| item.end() > clock_of(item.client)).collect();
    sorted.sort_by_key(|item| (item.client, item.clock, Reverse(item.len)));
    let mut structs: Vec<Struct<'_>> = Vec::new();
    for item in sorted {
        if let Some(last) = structs.last_mut().filter(|last| last.client == item.client) {
            if item.end() <= last.end() {
                continue;
            }
            if item.clock < last.end() {
                return Ok(None);
            }
            if last.join(item) {
                continue;
            }
        }
        structs.push(item.clone());
    }
    let deletes = parsed.iter().flat_map(|update| update.deletes.iter().copied()).collect();
    Ok(Some(encode(&structs.iter().collect::<Vec<_>>(), &joined(deletes))))
}

/// Sorts deletions and joins those that overlap or follow each other.
fn joined(mut deletes: Vec<ClientRange>) -> Vec<ClientRange> {
    deletes.sort_unstable_by_key(|range| (range.client, range.start));
    deletes.dedup_by(|next, range| {
        let follows = next.client == range.client && next.start <= range.end;
        if follows {
            range.end = range.end.max(next.end);
        }
        follows
    });
    deletes
}

/// Splits an update into parts of at most about `most_bytes` with at most `most_items` structs and
/// deleted ranges each, in an order in which each part of an update of one client needs only those
/// before it. A long text is split too.
///
/// # Errors
/// It contains what the gate refuses.
pub fn split_update(
    update: &[u8],
    most_bytes: usize,
    most_items: usize,
) -> Result<Vec<Vec<u8>>, Refusal> {
    /// Bytes of a struct besides its text, and of a deleted range.
    const OVERHEAD: usize = 32;
    let Parsed { structs, deletes, .. } = parse(update)?;
    // A UTF-16 unit takes at most three bytes.
    let longest = (most_bytes / 4).max(1);
    let structs: Vec<Struct<'_>> = structs.iter().flat_map(|item| short(item, longest)).collect();
    let mut parts = Vec::new();
    let mut part: Vec<&Struct<'_>> = Vec::new();
    let mut bytes = 0;
    for item in &structs {
        let size = OVERHEAD + item.bytes_of_content();
        if !part.is_empty() && (bytes + size > most_bytes || part.len() >= most_items) {
            parts.push(encode(&part, &[]));
            part.clear();
            bytes = 0;
        }
        bytes += size;
        part.push(item);
    }
    // The last structs and the first deletions travel together if they fit.
    let most_deletes = ((most_bytes / OVERHEAD).min(most_items)).max(1);
    let fits = bytes + deletes.len() * OVERHEAD <= most_bytes
        && part.len().saturating_add(deletes.len()) <= most_items;
    if fits {
        parts.push(encode(&part, &deletes));
        return Ok(parts);
    }
    if !part.is_empty() {
        parts.push(encode(&part, &[]));
    }
    parts.extend(deletes.chunks(most_deletes).map(|deletes| encode(&[], deletes)));
    Ok(parts)
}

/// The pieces of a text that is longer than `longest` clocks; anything else as it is.
fn short<'a>(item: &'a Struct<'_>, longest: usize) -> Vec<Struct<'a>> {
    let cuts = (item.clock..item.end()).step_by(longest).skip(1);
    pieces(item, cuts.filter(|_| item.len as usize > longest))
}

impl Struct<'_> {
    fn bytes_of_content(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.len(),
            Content::Collected | Content::Deleted | Content::Format => self.bytes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{Change, TextDoc, inspect_update};
    use proptest::prelude::*;

    fn insert(doc: &mut TextDoc, at: u32, text: &str) -> Vec<u8> {
        doc.edit(&[Change { from: at, to: at, insert: text.to_owned() }])
    }

    fn combine(updates: &[Vec<u8>], clock_of: impl Fn(u64) -> u32) -> Vec<u8> {
        let updates: Vec<&[u8]> = updates.iter().map(Vec::as_slice).collect();
        combine_updates(&updates, clock_of).unwrap().unwrap()
    }

    #[test]
    fn a_thousand_keys_become_one_struct() {
        let mut doc = TextDoc::new(7);
        let updates: Vec<Vec<u8>> = (0..1_000).map(|at| insert(&mut doc, at, "x")).collect();
        let combined = combine(&updates, |_| 0);
        assert!(combined.len() < 1_050, "{}", combined.len());
        assert_eq!(TextDoc::load(8, &combined).unwrap().text(), doc.text());
        let rest = combine(&updates, |_| 990);
        assert!(rest.len() < 40, "{}", rest.len());
        assert_eq!(combine(&updates, |_| 1_000), [0, 0]);
    }

    #[test]
    fn a_combined_update_is_the_same_combined_again() {
        let mut doc = TextDoc::new(7);
        let updates = vec![insert(&mut doc, 0, "one"), insert(&mut doc, 1, "🦀")];
        let once = combine(&updates, |_| 0);
        assert_eq!(combine(&[once.clone(), updates[1].clone()], |_| 0), once);
    }

    #[test]
    fn pieces_that_overlap_are_not_combined() {
        let (_, whole) = TextDoc::from_text(7, "abcd");
        let longer = [1, 1, 7, 2, 0x84, 7, 1, 3, b'c', b'd', b'e', 0];
        assert_eq!(combine_updates(&[&whole, &longer], |_| 0), Ok(None));
    }

    #[test]
    fn a_long_text_is_split() {
        let (doc, update) = TextDoc::from_text(7, &"島🏝 long ".repeat(10_000));
        let parts = split_update(&update, 10_000, usize::MAX).unwrap();
        assert!(parts.len() >= update.len() / 10_000);
        let mut other = TextDoc::new(8);
        for part in &parts {
            assert!(part.len() <= 10_100, "{}", part.len());
            other.apply(part).unwrap();
            assert_eq!(other.pending_updates(), 0);
        }
        assert!(other.text() == doc.text());
    }

    proptest! {
        #[test]
        fn combined_and_split_updates_give_the_same_text(
            texts in proptest::collection::vec("[a-c🦀é]{0,12}", 1..8),
            most_bytes in 1_usize..200,
            most_items in 1_usize..4,
        ) {
            let (mut doc, state) = TextDoc::from_text(1, "abc");
            let mut writer = TextDoc::load(2, &state).unwrap();
            let updates: Vec<Vec<u8>> =
                texts.iter().filter_map(|text| writer.replace_with(text)).collect();
            let combined = combine(&updates, |client| doc.clock_of(client));
            let mut other = TextDoc::load(3, &state).unwrap();
            other.apply(&combined).unwrap();
            prop_assert_eq!(other.encode(), writer.encode());
            for part in split_update(&combined, most_bytes, most_items).unwrap() {
                let summary = inspect_update(&part).unwrap();
                prop_assert!(summary.deletes.len() <= most_items);
                doc.apply(&part).unwrap();
                prop_assert_eq!(doc.pending_updates(), 0);
            }
            prop_assert_eq!(doc.encode(), writer.encode());
        }
    }
}
