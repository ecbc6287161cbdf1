use super::{edit::delta_of, *};
use crate::crdt::{Change, inspect_update};
use proptest::prelude::*;

fn apply_changes(text: &str, changes: &[Change]) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let (mut out, mut at) = (Vec::new(), 0);
    for change in changes {
        out.extend_from_slice(&units[at..change.from as usize]);
        out.extend(change.insert.encode_utf16());
        at = change.to as usize;
    }
    out.extend_from_slice(&units[at..]);
    String::from_utf16(&out).unwrap()
}

#[test]
fn offsets_count_utf16_units() {
    let (mut doc, _) = TextDoc::from_text(1, "a🦀b");
    doc.edit(&[Change { from: 3, to: 4, insert: "c".to_owned() }]);
    assert_eq!(doc.text(), "a🦀c");
}

#[test]
fn several_changes_count_in_the_text_before_them() {
    let (mut doc, _) = TextDoc::from_text(1, "one two three");
    doc.edit(&[
        Change { from: 0, to: 3, insert: "1".to_owned() },
        Change { from: 4, to: 7, insert: "second".to_owned() },
    ]);
    assert_eq!(doc.text(), "1 second three");
}

#[test]
fn a_remote_update_tells_what_it_changed() {
    let (mut here, state) = TextDoc::from_text(1, "one two three");
    let mut there = TextDoc::load(2, &state).unwrap();
    let update = there.replace_with("one 2 three four").unwrap();
    let before = here.text();
    let changes = here.apply_and_tell(&update).unwrap();
    assert_eq!(apply_changes(&before, &changes), here.text());
    assert!(here.apply_and_tell(&update).unwrap().is_empty());
}

#[test]
fn an_update_whose_past_is_missing_is_not_covered() {
    let (mut there, first) = TextDoc::from_text(1, "a");
    let second = there.replace_with("ab").unwrap();
    let mut here = TextDoc::new(2);
    here.apply(&second).unwrap();
    let summary = inspect_update(&second).unwrap();
    assert!(!summary.is_within(|client| here.clock_of(client)));
    assert_eq!(here.text(), "");
    here.apply(&first).unwrap();
    assert!(summary.is_within(|client| here.clock_of(client)));
    assert_eq!(here.text(), "ab");
}

#[test]
fn the_encoded_state_leaves_out_what_is_pending() {
    let (mut there, _) = TextDoc::from_text(1, "a");
    let second = there.replace_with("ab").unwrap();
    let mut here = TextDoc::new(2);
    here.apply(&second).unwrap();
    assert_eq!(TextDoc::load(3, &here.encode()).unwrap().text(), "");
}

#[test]
fn bytes_that_are_no_update_change_nothing() {
    let (mut doc, _) = TextDoc::from_text(1, "kept");
    assert!(doc.apply(&[0xff, 0xff]).is_err());
    assert_eq!(doc.text(), "kept");
}

proptest! {
    /// As long as two of the short pieces and more.
    #[test]
    fn an_edit_in_pieces_is_the_same_edit(
        words in proptest::collection::vec("[ab🦀é]{1,3}", 400..900),
        places in proptest::collection::btree_map(0..700_u32, (0..3_u32, "[x🦀]{0,2}"), 1..40),
    ) {
        let (mut doc, _) = TextDoc::from_text(1, &words.concat());
        doc.replace_with(&words[..words.len() / 2].join("-"));
        let whole: Vec<char> = doc.text().chars().collect();
        // Offsets of whole characters.
        let mut starts = vec![0_u32];
        for character in &whole {
            starts.push(starts[starts.len() - 1] + u32::try_from(character.len_utf16()).unwrap());
        }
        let (mut changes, mut end) = (Vec::new(), 0);
        for (place, (deleted, insert)) in places {
            let from = (place as usize).clamp(end, whole.len());
            end = (from + deleted as usize).min(whole.len());
            changes.push(Change { from: starts[from], to: starts[end], insert });
        }
        let mut other = doc.fork(2).unwrap();
        let mut twin = doc.fork(2).unwrap();
        let update = other.edit(&changes);
        let in_pieces = twin.edit_in_pieces(&delta_of(&changes)).unwrap();
        prop_assert_eq!(twin.text(), other.text());
        // yrs joins items again when it reads them.
        let joined = |doc: &TextDoc| TextDoc::load(3, &doc.encode()).unwrap().encode();
        prop_assert_eq!(joined(&twin), joined(&other));
        prop_assert_eq!(inspect_update(&in_pieces).unwrap(), inspect_update(&update).unwrap());
        doc.apply(&in_pieces).unwrap();
        prop_assert_eq!(doc.text(), other.text());
    }

    #[test]
    fn replacing_gives_the_new_text(old in "\\PC{0,60}", new in "\\PC{0,60}") {
        let (mut doc, state) = TextDoc::from_text(1, &old);
        if let Some(update) = doc.replace_with(&new) {
            let mut other = TextDoc::load(2, &state).unwrap();
            other.apply(&update).unwrap();
            prop_assert_eq!(other.text(), new.clone());
        }
        prop_assert_eq!(doc.text(), new);
    }

    #[test]
    fn replicas_converge_in_any_order(
        base in "[a-c🦀\r\n]{0,12}",
        mine in "[a-c🦀\r\n]{0,12}",
        theirs in "[a-c🦀\r\n]{0,12}",
    ) {
        let (_, state) = TextDoc::from_text(1, &base);
        let mut a = TextDoc::load(2, &state).unwrap();
        let mut b = TextDoc::load(3, &state).unwrap();
        let from_a = a.replace_with(&mine);
        let from_b = b.replace_with(&theirs);
        if let Some(update) = &from_b { a.apply(update).unwrap(); }
        if let Some(update) = &from_a { b.apply(update).unwrap(); }
        prop_assert_eq!(a.text(), b.text());
        let mut c = TextDoc::load(4, &state).unwrap();
        for update in [&from_b, &from_a].into_iter().flatten() { c.apply(update).unwrap(); }
        prop_assert_eq!(c.text(), a.text());
    }
}

proptest! {
    /// Everyone who may read the text gets its encoded state.
    #[test]
    fn deleted_text_is_not_in_the_encoded_state(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>(), any::<bool>()), 1..30),
    ) {
        let (mut here, state) = TextDoc::from_text(1, "kept");
        let mut there = TextDoc::load(2, &state).unwrap();
        for (number, (place, is_deletion, is_mine)) in edits.into_iter().enumerate() {
            let (doc, other) = if is_mine { (&mut here, &mut there) } else { (&mut there, &mut here) };
            let text = doc.text();
            let word = format!("<secret {number}>");
            let changed = match text.match_indices('<').map(|(at, _)| at).collect::<Vec<_>>() {
                starts if is_deletion && !starts.is_empty() => {
                    let start = *place.get(&starts);
                    let end = start + text[start..].find('>').unwrap() + 1;
                    format!("{}{}", &text[..start], &text[end..])
                }
                _ if place.index(2) == 0 => word + &text,
                _ => text + &word,
            };
            if let Some(update) = doc.replace_with(&changed) {
                other.apply(&update).unwrap();
            }
        }
        prop_assert_eq!(here.text(), there.text());
        let text = here.text();
        let reloaded = TextDoc::load(3, &here.encode()).unwrap();
        for doc in [&here, &there, &reloaded] {
            let states = [doc.encode(), doc.missing_from(&[0]).unwrap()];
            for number in 0..30 {
                let word = format!("<secret {number}>");
                let found = |state: &Vec<u8>| state.windows(word.len()).any(|at| at == word.as_bytes());
                prop_assert!(text.contains(&word) || !states.iter().any(found), "{}", word);
            }
        }
    }
}
