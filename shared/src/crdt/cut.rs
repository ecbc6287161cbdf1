//! Splitting the items of an encoded state where an update will split them.
//!
//! To split an item, yrs counts and moves what is in it: a thousand splits of an item of ten megabytes
//! move ten gigabytes. Split beforehand, in one pass over the bytes, each item is made once.

use super::{
    encode::encode,
    parse::{Content, Id, Parsed, Struct, parse},
};
use crate::text::utf16::utf16_to_bytes;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};
use yrs::updates::{decoder::Decode as _, encoder::Encode as _};

/// The update without those deletions that `known`, another update, holds as well; `None` if one of
/// them is no update.
pub(super) fn without_deletes(update: &[u8], known: &[u8]) -> Option<Vec<u8>> {
    let of = |update| yrs::Update::decode_v1(update).ok().map(|update| update.delete_set().clone());
    let new = of(update)?.diff(&of(known)?);
    // Without deletions, an update ends with their number.
    let mut bytes = encode(&parse(update).ok()?.structs.iter().collect::<Vec<_>>(), &[]);
    bytes.pop();
    bytes.extend(new.encode_v1());
    Some(bytes)
}

/// The state, encoded as an update, with its texts split where `update` will split them; `None` if
/// one of them is no update.
pub(super) fn cut_for(state: &[u8], update: &[u8]) -> Option<Vec<u8>> {
    let Parsed { structs, deletes, .. } = parse(update).ok()?;
    // Clocks before which there will be a split, by client.
    let mut cuts: BTreeMap<u64, BTreeSet<u32>> = BTreeMap::new();
    let of_origins = structs.iter().filter_map(|item| item.origin);
    let of_origins = of_origins.map(|id| (id.client, id.clock + 1));
    let of_rights = structs.iter().filter_map(|item| item.right_origin);
    let of_rights = of_rights.map(|id| (id.client, id.clock));
    let of_deletes = deletes.iter().flat_map(|it| [(it.client, it.start), (it.client, it.end)]);
    for (client, clock) in of_origins.chain(of_rights).chain(of_deletes) {
        cuts.entry(client).or_default().insert(clock);
    }
    let none = BTreeSet::new();
    cut(state, |item| {
        let inside = item.clock + 1..item.end();
        cuts.get(&item.client).unwrap_or(&none).range(inside).copied()
    })
}

/// The state, encoded as an update, with its texts split into short ones; `None` if it is no update.
pub(super) fn cut_evenly(state: &[u8]) -> Option<Vec<u8>> {
    const SHORT: usize = 1_024;
    cut(state, |item| (item.clock..item.end()).step_by(SHORT).skip(1))
}

/// The state with its texts split before the clocks that `cuts` returns for each, ascending.
fn cut<C: Iterator<Item = u32>>(state: &[u8], cuts: impl Fn(&Struct<'_>) -> C) -> Option<Vec<u8>> {
    let Parsed { structs, deletes, .. } = parse(state).ok()?;
    let pieces: Vec<Struct<'_>> =
        structs.iter().flat_map(|item| pieces(item, cuts(item))).collect();
    Some(encode(&pieces.iter().collect::<Vec<_>>(), &deletes))
}

/// The pieces of a text; anything else as it is.
pub(super) fn pieces<'a>(item: &'a Struct<'_>, cuts: impl Iterator<Item = u32>) -> Vec<Struct<'a>> {
    let Content::Text(text) = &item.content else { return vec![item.clone()] };
    let (mut text, mut pieces) = (&**text, Vec::new());
    let (mut clock, mut origin) = (item.clock, item.origin);
    let mut push = |text: &'a str, clock, end, origin| {
        let (len, content) = (end - clock, Content::Text(Cow::Borrowed(text)));
        pieces.push(Struct { clock, len, content, origin, ..*item });
    };
    for cut in cuts {
        let offset = utf16_to_bytes(text, [(cut - clock) as usize]).ok();
        // Inside a character there is no split.
        let Some(offset) = offset.and_then(|offsets| offsets.first().copied()) else { continue };
        let (left, right) = text.split_at(offset);
        push(left, clock, cut, origin);
        (text, clock) = (right, cut);
        origin = Some(Id { client: item.client, clock: cut - 1 });
    }
    push(text, clock, item.end(), origin);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{TextDoc, inspect_update, parse::STRUCT_SKIP, varint::write_uint};
    use proptest::prelude::*;

    #[test]
    fn an_item_is_cut_where_the_update_will_cut_it() {
        let (doc, state) = TextDoc::from_text(1, "a🦀bcd");
        let mut other = TextDoc::load(2, &state).unwrap();
        let update = other.replace_with("a🦀Xd").unwrap();
        let cut = cut_for(&state, &update).unwrap();
        // Parsing joins them again.
        let texts = |bytes: &[u8]| parse(bytes).map(|parsed| (parsed.joins, parsed.structs.len()));
        assert_eq!((texts(&state), texts(&cut)), (Ok((0, 1)), Ok((2, 1))));
        for text in ["a🦀", "bc", "d"] {
            let bytes = [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
            assert!(cut.windows(bytes.len()).any(|window| window == bytes), "{text}");
        }
        assert_eq!(TextDoc::load(3, &cut).unwrap().text(), doc.text());
    }

    #[test]
    fn deletions_are_sorted() {
        // Of client 9: 5–6, 3–5 and 3–4; of client 8: 0–2.
        let update = [0, 2, 9, 3, 5, 1, 3, 2, 3, 1, 8, 1, 0, 2];
        let parsed = parse(&update).unwrap();
        assert!(!parsed.is_tidy());
        assert_eq!(encode(&[], &parsed.deletes), [0, 2, 8, 1, 0, 2, 9, 1, 3, 3]);
        let fine = [0, 2, 9, 2, 3, 1, 4, 2, 8, 1, 0, 2];
        assert!(parse(&fine).unwrap().is_tidy());
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
        let parsed = parse(&update).unwrap();
        assert!(!parsed.is_tidy());
        let tidy = encode(&parsed.structs.iter().collect::<Vec<_>>(), &parsed.deletes);
        let again = parse(&tidy).unwrap();
        assert!(again.is_tidy());
        let seen: Vec<_> = again.structs.iter().map(|item| (item.clock, item.len)).collect();
        assert_eq!((again.joins, seen), (0, vec![(0, 200), (201, 99)]));
        assert_eq!(inspect_update(&tidy).unwrap(), inspect_update(&update).unwrap());
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
