//! Cutting the items of an encoded state where an update will cut them.
//!
//! To cut an item, yrs counts and moves what is in it: a thousand cuts in an item of ten megabytes
//! move ten gigabytes. Cut beforehand, in one pass over the bytes, each item is made once.

use super::{
    ClientRange, ROOT,
    divide::encode_deletes,
    varint::write_uint,
    walk::{
        CONTENT_STRING, Content, HAS_ORIGIN, HAS_RIGHT_ORIGIN, Id, STRUCT_SKIP, Struct, Walked,
        walk, walk_each,
    },
};
use crate::text::utf16::utf16_to_bytes;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// The update without those deletions that `known`, another update, holds as well; `None` when one
/// of them is no update. In both they stand in the order of their clocks, and none twice.
pub(super) fn without_deletes(update: &[u8], known: &[u8]) -> Option<Vec<u8>> {
    let (update_walked, known) = (walk(update).ok()?, walk(known).ok()?.deletes);
    let mut bytes = update[..update_walked.deletes_at].to_vec();
    let mut of_client: HashMap<u64, Vec<ClientRange>> = HashMap::new();
    for range in known {
        of_client.entry(range.client).or_default().push(range);
    }
    let mut new = Vec::new();
    for ClientRange { client, start, end } in update_walked.deletes {
        let known = of_client.get(&client).map_or(&[][..], Vec::as_slice);
        let first = known.partition_point(|range| range.end <= start);
        let mut from = start;
        for range in known[first..].iter().take_while(|range| range.start < end) {
            if from < range.start {
                new.push(ClientRange { client, start: from, end: range.start });
            }
            from = range.end;
        }
        if from < end {
            new.push(ClientRange { client, start: from, end });
        }
    }
    encode_deletes(&mut bytes, &new);
    Some(bytes)
}

/// Clocks before which there will be a cut, by client.
type Cuts = BTreeMap<u64, BTreeSet<u32>>;

/// The state, encoded as an update, with its texts cut where `update` will cut them; `None` when one
/// of them is no update.
pub(super) fn cut_for(state: &[u8], update: &[u8]) -> Option<Vec<u8>> {
    let (cuts, none) = (cuts_of(update)?, BTreeSet::new());
    cut(state, |item| {
        let inside = item.clock + 1..item.clock + item.len;
        cuts.get(&item.client).unwrap_or(&none).range(inside).copied()
    })
}

/// The state, encoded as an update, with its texts cut into short ones; `None` when it is no update.
pub(super) fn cut_evenly(state: &[u8]) -> Option<Vec<u8>> {
    const SHORT: usize = 1_024;
    cut(state, |item| (item.clock..item.clock + item.len).step_by(SHORT).skip(1))
}

/// The state with its texts cut before the clocks that `cuts` gives of each, ascending.
fn cut<'a, C: Iterator<Item = u32>>(
    state: &'a [u8],
    cuts: impl Fn(&Struct<'a>) -> C,
) -> Option<Vec<u8>> {
    let mut structs: Vec<Struct<'_>> = Vec::new();
    let walked = walk_each(state, |item| structs.push(item)).ok()?;
    let pieces: Vec<Struct<'_>> =
        structs.iter().flat_map(|item| pieces(item, cuts(item))).collect();
    let mut bytes = encode_structs(&pieces, |_, _| false);
    bytes.extend_from_slice(&state[walked.deletes_at..]);
    Some(bytes)
}

/// The update as Yjs would write it: with its deletions in the order of their clocks and none twice,
/// and with what was typed in one go in one item. yrs joins such items only afterwards, and copies
/// what they hold each time.
pub(super) fn tidied<'a>(update: &'a [u8], walked: &Walked) -> Cow<'a, [u8]> {
    const FEW_JOINS: usize = 64;
    if walked.is_sorted && walked.joins <= FEW_JOINS {
        return Cow::Borrowed(update);
    }
    let mut structs: Vec<Struct<'_>> = Vec::new();
    // It was walked over already.
    let _ = walk_each(update, |item| structs.push(item));
    let mut bytes = encode_structs(&structs, |before, item| item.continues(before));
    encode_deletes(&mut bytes, &walked.deletes);
    Cow::Owned(bytes)
}

/// Where integrating an update cuts items.
fn cuts_of(update: &[u8]) -> Option<Cuts> {
    let mut cuts = Cuts::new();
    let mut cut = |client: u64, clock: u32| cuts.entry(client).or_default().insert(clock);
    let walked = walk_each(update, |item| {
        if let Some(id) = item.origin {
            cut(id.client, id.clock + 1);
        }
        if let Some(id) = item.right_origin {
            cut(id.client, id.clock);
        }
    })
    .ok()?;
    for range in walked.deletes {
        cut(range.client, range.start);
        cut(range.client, range.end);
    }
    Some(cuts)
}

/// A text in pieces; anything else in one.
fn pieces<'a>(item: &Struct<'a>, cuts: impl Iterator<Item = u32>) -> Vec<Struct<'a>> {
    let Content::Text(mut text) = item.content else { return vec![*item] };
    let mut pieces = Vec::new();
    let mut rest = *item;
    for cut in cuts {
        let units = cut - rest.clock;
        // Inside a character nothing is cut.
        let offset = utf16_to_bytes(text, [units as usize]).ok().and_then(|at| at.first().copied());
        let Some((left, right)) = offset.map(|at| text.split_at(at)) else { continue };
        pieces.push(Struct { len: units, content: Content::Text(left), ..rest });
        rest = Struct {
            clock: cut,
            len: rest.len - units,
            origin: Some(Id { client: item.client, clock: cut - 1 }),
            ..rest
        };
        text = right;
    }
    pieces.push(Struct { content: Content::Text(text), ..rest });
    pieces
}

/// Writes the structs, which stand together by client; those that `join` in one.
fn encode_structs<'a>(
    structs: &[Struct<'a>],
    join: impl Fn(&Struct<'a>, &Struct<'a>) -> bool,
) -> Vec<u8> {
    let sections = || structs.chunk_by(|a, b| a.client == b.client);
    let mut bytes = Vec::new();
    write_uint(&mut bytes, sections().count() as u64);
    for section in sections() {
        let (mut count, mut encoded) = (0, Vec::new());
        let mut clock = section[0].clock;
        for group in section.chunk_by(&join) {
            if clock < group[0].clock {
                encoded.push(STRUCT_SKIP);
                write_uint(&mut encoded, u64::from(group[0].clock - clock));
                count += 1;
            }
            encode(&mut encoded, group);
            count += 1;
            clock = group.last().map_or(clock, |item| item.clock + item.len);
        }
        write_uint(&mut bytes, count);
        write_uint(&mut bytes, section[0].client);
        write_uint(&mut bytes, u64::from(section[0].clock));
        bytes.append(&mut encoded);
    }
    bytes
}

/// Writes one struct, or several texts as one.
fn encode(bytes: &mut Vec<u8>, group: &[Struct<'_>]) {
    let item = &group[0];
    let Content::Text(_) = item.content else {
        bytes.extend_from_slice(item.bytes);
        return;
    };
    let ids = [(item.origin, HAS_ORIGIN), (item.right_origin, HAS_RIGHT_ORIGIN)];
    let flags = ids.iter().filter(|(id, _)| id.is_some()).map(|(_, flag)| flag);
    bytes.push(flags.fold(CONTENT_STRING, |info, flag| info | flag));
    for (id, _) in ids {
        if let Some(Id { client, clock }) = id {
            write_uint(bytes, client);
            write_uint(bytes, u64::from(clock));
        }
    }
    if item.origin.is_none() && item.right_origin.is_none() {
        write_uint(bytes, 1);
        write_uint(bytes, ROOT.len() as u64);
        bytes.extend_from_slice(ROOT.as_bytes());
    }
    let texts =
        || group.iter().map(|item| if let Content::Text(text) = item.content { text } else { "" });
    write_uint(bytes, texts().map(str::len).sum::<usize>() as u64);
    texts().for_each(|text| bytes.extend_from_slice(text.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::TextDoc;
    use proptest::prelude::*;

    #[test]
    fn an_item_is_cut_where_the_update_will_cut_it() {
        let (doc, state) = TextDoc::from_text(1, "a🦀bcd");
        let mut other = TextDoc::load(2, &state).unwrap();
        let update = other.replace_with("a🦀Xd").unwrap();
        let cut = cut_for(&state, &update).unwrap();
        let mut texts = Vec::new();
        walk_each(&cut, |item| texts.push(item.content)).unwrap();
        assert_eq!(texts, ["a🦀", "bc", "d"].map(Content::Text));
        assert_eq!(TextDoc::load(3, &cut).unwrap().text(), doc.text());
    }

    #[test]
    fn deletions_are_sorted() {
        // Of client 9: 5–6, 3–5 and 3–4; of client 8: 0–2.
        let update = [0, 2, 9, 3, 5, 1, 3, 2, 3, 1, 8, 1, 0, 2];
        let walked = walk(&update).unwrap();
        assert_eq!(*tidied(&update, &walked), [0, 2, 8, 1, 0, 2, 9, 1, 3, 3]);
        let fine = [0, 2, 9, 2, 3, 1, 4, 2, 8, 1, 0, 2];
        assert!(matches!(tidied(&fine, &walk(&fine).unwrap()), Cow::Borrowed(_)));
    }

    #[test]
    fn known_deletions_are_left_out() {
        // Of client 9: 0–10 and 20–30; known are 2–4, 8–22 and 40–50.
        let update = [0, 1, 9, 2, 0, 10, 20, 10];
        let known = [0, 1, 9, 3, 2, 2, 8, 14, 40, 10];
        let left = [0, 1, 9, 3, 0, 2, 4, 4, 22, 8];
        assert_eq!(without_deletes(&update, &known).unwrap(), left);
    }

    /// An update of one client that types letter by letter, each in a struct of its own, with a gap.
    fn letters(count: u32, gap_at: u32) -> Vec<u8> {
        let mut update = vec![1];
        write_uint(&mut update, u64::from(count));
        update.extend([2, 0]);
        for clock in 0..count {
            match clock {
                0 => update.extend(b"\x04\x01\x07content"),
                _ if clock == gap_at => {
                    update.push(STRUCT_SKIP);
                    update.push(1);
                    continue;
                }
                _ => {
                    update.extend([0x84, 2]);
                    write_uint(&mut update, u64::from(clock - 1));
                }
            }
            update.extend([1, b'a']);
        }
        update.push(0);
        update
    }

    #[test]
    fn what_was_typed_in_one_go_is_one_item() {
        let update = letters(300, 200);
        let walked = walk(&update).unwrap();
        let tidy = tidied(&update, &walked);
        let mut seen = Vec::new();
        let again = walk_each(&tidy, |item| seen.push((item.clock, item.len))).unwrap();
        assert_eq!(seen, [(0, 200), (201, 99)]);
        assert_eq!(again.sections[0].ranges, walked.sections[0].ranges);
        assert_eq!(again.inserted_bytes, walked.inserted_bytes);
    }

    proptest! {
        #[test]
        fn a_cut_state_is_the_same_state(
            texts in proptest::collection::vec("[a-c🦀é]{0,12}", 1..6),
            last in "[a-c🦀é]{0,12}",
        ) {
            let mut doc = TextDoc::new(1);
            for text in &texts { doc.replace_with(text); }
            let mut other = TextDoc::load(2, &doc.encode()).unwrap();
            if let Some(update) = other.replace_with(&last) {
                let cut = cut_for(&doc.encode(), &update).unwrap();
                let mut again = TextDoc::load(3, &cut).unwrap();
                prop_assert_eq!(again.encode(), doc.encode());
                again.apply(&update).unwrap();
                prop_assert_eq!(again.text(), last);
            }
        }
    }
}
