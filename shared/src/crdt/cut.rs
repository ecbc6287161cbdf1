//! Cutting the items of an encoded state where an update will cut them.
//!
//! To cut an item, yrs counts and moves what is in it: a thousand cuts in an item of ten megabytes
//! move ten gigabytes. Cut beforehand, in one pass over the bytes, each item is made once.

use super::{
    ClientRange, ROOT,
    ready::encode_deletes,
    varint::write_uint,
    walk::{
        CONTENT_STRING, Content, HAS_ORIGIN, HAS_RIGHT_ORIGIN, Id, Struct, Walked, walk, walk_each,
    },
};
use crate::text::utf16::utf16_to_bytes;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// The update with its deletions in the order of their clocks and none twice, as Yjs writes them.
pub(super) fn sorted<'a>(update: &'a [u8], walked: &Walked) -> Cow<'a, [u8]> {
    if walked.is_sorted {
        return Cow::Borrowed(update);
    }
    let mut bytes = update[..walked.deletes_at].to_vec();
    encode_deletes(&mut bytes, &walked.deletes);
    Cow::Owned(bytes)
}

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
    let mut bytes = Vec::with_capacity(state.len() + state.len() / 4);
    write_uint(&mut bytes, walked.sections.len() as u64);
    for section in structs.chunk_by(|a, b| a.client == b.client) {
        let pieces: Vec<Struct<'_>> =
            section.iter().flat_map(|item| pieces(item, cuts(item))).collect();
        write_uint(&mut bytes, pieces.len() as u64);
        write_uint(&mut bytes, section[0].client);
        write_uint(&mut bytes, u64::from(section[0].clock));
        for piece in &pieces {
            encode(&mut bytes, piece);
        }
    }
    bytes.extend_from_slice(&state[walked.deletes_at..]);
    Some(bytes)
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

fn encode(bytes: &mut Vec<u8>, item: &Struct<'_>) {
    let Content::Text(text) = item.content else {
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
        write_text(bytes, ROOT);
    }
    write_text(bytes, text);
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    write_uint(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
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
        assert_eq!(*sorted(&update, &walked), [0, 2, 8, 1, 0, 2, 9, 1, 3, 3]);
        let fine = [0, 2, 9, 2, 3, 1, 4, 2, 8, 1, 0, 2];
        assert!(matches!(sorted(&fine, &walk(&fine).unwrap()), Cow::Borrowed(_)));
    }

    #[test]
    fn known_deletions_are_left_out() {
        // Of client 9: 0–10 and 20–30; known are 2–4, 8–22 and 40–50.
        let update = [0, 1, 9, 2, 0, 10, 20, 10];
        let known = [0, 1, 9, 3, 2, 2, 8, 14, 40, 10];
        let left = [0, 1, 9, 3, 0, 2, 4, 4, 22, 8];
        assert_eq!(without_deletes(&update, &known).unwrap(), left);
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
