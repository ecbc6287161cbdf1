//! What has to wait, and when it no longer does.

use crate::crdt::{TextDoc, inspect_update, varint::write_uint};
use proptest::prelude::*;
use rstest::rstest;

fn would_wait(update: &[u8], doc: &mut TextDoc) -> bool {
    doc.check(update).unwrap()
}

/// What the document shows is all that its encoded state holds.
fn assert_whole(doc: &TextDoc) {
    let again = TextDoc::load(99, &doc.encode()).unwrap();
    assert_eq!(again.text(), doc.text());
    assert_eq!(again.state_vector_map(), doc.state_vector_map());
}

// An item is: info, parent named (1), its name, the text.
const LATER: &[u8] = b"\x01\x01\x37\x03\x04\x01\x07content\x05LATER\x00";
const AFTER_A_SKIP: &[u8] = b"\x01\x02\x37\x00\x0a\x03\x04\x01\x07content\x05LATER\x00";
const EARLIER: &[u8] = b"\x01\x01\x37\x00\x04\x01\x07content\x03abc\x00";

#[rstest]
#[case::a_clock_beyond_the_next(LATER)]
#[case::an_item_after_a_skip(AFTER_A_SKIP)]
fn a_client_is_taken_in_the_order_of_its_clocks(#[case] later: &[u8]) {
    let (mut doc, _) = TextDoc::from_text(7, "kept");
    let summary = inspect_update(later).unwrap();
    assert!(would_wait(later, &mut doc));
    assert!(!would_wait(EARLIER, &mut doc));
    doc.apply(later).unwrap();
    assert_eq!((doc.text().as_str(), doc.pending_updates()), ("kept", 1));
    assert!(!summary.is_within(|client| doc.clock_of(client)));
    assert_whole(&doc);
    // It waits once, however often it comes.
    doc.apply(later).unwrap();
    assert_eq!(doc.pending_updates(), 1);
    doc.apply(EARLIER).unwrap();
    assert_eq!(doc.pending_updates(), 0);
    assert!(doc.text().contains("LATER") && doc.text().contains("abc"));
    assert!(summary.is_within(|client| doc.clock_of(client)));
    assert_whole(&doc);
}

#[test]
fn what_is_ready_of_an_update_does_not_wait_for_the_rest() {
    let (mut ann, first) = TextDoc::from_text(1, "a");
    let second = ann.replace_with("ab").unwrap();
    let third = ann.replace_with("abc").unwrap();
    let (_, of_ben) = TextDoc::from_text(2, "B");
    let merged = yrs::merge_updates_v1([&*third, &*of_ben]).unwrap();
    let mut doc = TextDoc::new(3);
    doc.apply(&first).unwrap();
    doc.apply(&merged).unwrap();
    assert_eq!(doc.text().replace('B', ""), "a");
    assert!(doc.text().contains('B'));
    doc.apply(&second).unwrap();
    assert_eq!(doc.text().replace('B', ""), "abc");
    assert_whole(&doc);
}

#[test]
fn what_waits_for_an_edit_made_here_is_taken_in_after_it() {
    let (mut here, state) = TextDoc::from_text(1, "a");
    let twin = TextDoc::load(1, &state).unwrap();
    let mut ahead = TextDoc::load(1, &twin.encode()).unwrap();
    ahead.replace_with("ab").unwrap();
    let mut there = TextDoc::load(2, &ahead.encode()).unwrap();
    let update = there.replace_with("abc").unwrap();
    here.apply(&update).unwrap();
    assert_eq!((here.text().as_str(), here.pending_updates()), ("a", 1));
    here.replace_with("ab").unwrap();
    assert_eq!((here.text().as_str(), here.pending_updates()), ("ab", 1));
    here.apply_released().unwrap();
    assert_eq!((here.text().as_str(), here.pending_updates()), ("abc", 0));
}

#[test]
fn deletions_of_what_is_not_there_wait() {
    let (mut there, state) = TextDoc::from_text(1, "abc");
    let deletion = there.replace_with("a").unwrap();
    assert!(would_wait(&deletion, &mut TextDoc::new(2)));
    assert!(!would_wait(&deletion, &mut TextDoc::load(2, &state).unwrap()));
    let whole = there.encode();
    assert!(!would_wait(&whole, &mut TextDoc::new(2)));
}

#[test]
fn a_deletion_waits_for_what_it_deletes() {
    let (mut there, state) = TextDoc::from_text(1, "abc");
    let more = there.replace_with("abcdef").unwrap();
    let deletion = there.replace_with("abf").unwrap();
    let mut here = TextDoc::load(2, &state).unwrap();
    here.apply(&deletion).unwrap();
    // Of "cde" it has "c".
    assert_eq!((here.text().as_str(), here.pending_updates()), ("ab", 1));
    assert_whole(&here);
    here.apply(&more).unwrap();
    assert_eq!((here.text().as_str(), here.pending_updates()), ("abf", 0));
    assert_whole(&here);
}

#[test]
fn what_waits_goes_on_when_another_brings_the_same_clocks() {
    let (mut here, state) = TextDoc::from_text(1, "kept");
    // Two items: the first stands after one of client 3, who is not here; the second after
    // one of client 1, who is.
    let waits = [1, 2, 2, 0, 0x84, 3, 0, 2, b'a', b'b', 0x84, 1, 3, 1, b'c', 0];
    here.apply(&waits).unwrap();
    assert_eq!((here.text().as_str(), here.pending_updates()), ("kept", 1));
    // The same clocks in other words, which need nobody.
    let ready = [1, 1, 2, 0, 0x84, 1, 3, 2, b'A', b'B', 0];
    here.apply(&ready).unwrap();
    assert_eq!((here.text().as_str(), here.pending_updates()), ("keptcAB", 0));
    let mut again = TextDoc::load(9, &state).unwrap();
    again.apply(&ready).unwrap();
    again.apply(&waits).unwrap();
    assert_eq!(again.text(), here.text());
}

#[test]
fn very_many_deletions_of_nothing_cost_no_more_than_their_bytes() {
    let mut doc = TextDoc::from_text(1, "kept").0;
    for client in 90..94 {
        let mut update = vec![0, 1, client];
        write_uint(&mut update, 250_000);
        for clock in 0..250_000 {
            write_uint(&mut update, clock * 2);
            update.push(1);
        }
        doc.apply(&update).unwrap();
    }
    assert_eq!(doc.pending_updates(), 4);
    let missing = doc.missing_from(&TextDoc::new(2).state_vector()).unwrap();
    assert!(missing.len() < 100, "{}", missing.len());
}

#[test]
fn two_that_wait_for_each_other_wait() {
    // Item 0 of client 1 stands after item 0 of client 2, and the other way round.
    let update = [2, 1, 1, 0, 0x84, 2, 0, 1, b'A', 1, 2, 0, 0x84, 1, 0, 1, b'B', 0];
    let mut doc = TextDoc::new(3);
    doc.apply(&update).unwrap();
    assert_eq!((doc.text().as_str(), doc.pending_updates()), ("", 1));
    assert_whole(&doc);
}

#[test]
fn the_integrated_part_of_an_update_excludes_what_waits() {
    let (mut ann, first) = TextDoc::from_text(1, "a");
    ann.replace_with("ab").unwrap();
    let third = ann.replace_with("abc").unwrap();
    let (_, of_ben) = TextDoc::from_text(2, "B");
    let merged = yrs::merge_updates_v1([&*third, &*of_ben]).unwrap();
    let mut doc = TextDoc::new(3);
    doc.apply(&first).unwrap();
    assert_eq!(doc.integrated_part(&merged).unwrap(), [0, 0]);
    let whole = inspect_update(&ann.encode()).unwrap();
    assert!(!doc.would_release(&whole));
    doc.apply(&merged).unwrap();
    assert!(doc.would_release(&whole) && !doc.would_release(&inspect_update(&of_ben).unwrap()));
    let part = doc.integrated_part(&merged).unwrap();
    let mut again = TextDoc::new(4);
    again.apply(&first).unwrap();
    again.apply(&part).unwrap();
    assert_eq!((again.text(), again.pending_updates()), (doc.text(), 0));
    let without = doc.fork_without_pending(5).unwrap();
    assert_eq!((without.text(), without.pending_updates()), (doc.text(), 0));
}

#[test]
fn the_integrated_part_of_a_deletion_is_what_it_deleted() {
    let (mut there, state) = TextDoc::from_text(1, "abc");
    there.replace_with("abcdef").unwrap();
    let deletion = there.replace_with("abf").unwrap();
    let mut here = TextDoc::load(2, &state).unwrap();
    here.apply(&deletion).unwrap();
    let part = here.integrated_part(&deletion).unwrap();
    let mut again = TextDoc::load(3, &state).unwrap();
    again.apply(&part).unwrap();
    assert_eq!((again.text().as_str(), again.pending_updates()), ("ab", 0));
}

fn an_order(len: usize) -> impl Strategy<Value = Vec<usize>> {
    Just((0..len).collect::<Vec<_>>()).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Three write and hear of each other now and then; a fourth gets it all in any order, some
    /// of it merged, some of it twice.
    #[test]
    fn updates_in_any_order_come_to_the_same(
        edits in proptest::collection::vec((0..3_usize, "[a-d🦀]{0,6}", any::<bool>()), 1..24),
        order in an_order(24),
        merged in proptest::collection::vec(any::<bool>(), 24),
    ) {
        let mut writers: Vec<TextDoc> = (1..=3).map(TextDoc::new).collect();
        let mut updates: Vec<Vec<u8>> = Vec::new();
        for (writer, text, hears) in edits {
            if hears {
                for update in &updates { writers[writer].apply(update).unwrap(); }
            }
            updates.extend(writers[writer].replace_with(&text));
        }
        let mut all = TextDoc::new(8);
        for update in &updates { all.apply(update).unwrap(); }
        prop_assert_eq!(all.pending_updates(), 0);

        let mut doc = TextDoc::new(9);
        let mut before: Option<&Vec<u8>> = None;
        for at in order.into_iter().filter(|at| *at < updates.len()) {
            let update = &updates[at];
            match before.take().filter(|_| merged[at]) {
                Some(other) => doc.apply(&yrs::merge_updates_v1([other, update]).unwrap()).unwrap(),
                None => doc.apply(update).unwrap(),
            }
            assert_whole(&doc);
            before = Some(update);
        }
        prop_assert_eq!(doc.pending_updates(), 0);
        prop_assert_eq!(doc.text(), all.text());
    }
}
