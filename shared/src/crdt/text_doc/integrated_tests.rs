//! Tests of what a replica tells others of an update.

use super::*;
use crate::crdt::{ROOT, Refusal, Validation, varint::write_uint};
use proptest::prelude::*;

const SECRET: &str = "hunter2";

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// One text item of a client.
fn item(client: u64, clock: u32, origin: Option<(u64, u32)>, text: &str) -> Vec<u8> {
    let mut update = vec![1, 1];
    write_uint(&mut update, client);
    write_uint(&mut update, clock.into());
    match origin {
        Some((client, clock)) => {
            update.push(0x84);
            write_uint(&mut update, client);
            write_uint(&mut update, clock.into());
        }
        None => {
            update.extend([4, 1]);
            write_uint(&mut update, ROOT.len() as u64);
            update.extend(ROOT.bytes());
        }
    }
    write_uint(&mut update, text.len() as u64);
    update.extend(text.bytes());
    update.push(0);
    update
}

fn refused(doc: &mut TextDoc, update: &[u8]) -> Option<InvalidUpdate> {
    let checked = doc.check(update).err();
    let mut copy = doc.checker().clone();
    assert_eq!(copy.admit_next(update).err(), checked);
    checked
}

#[test]
fn what_an_update_inserts_and_deletes_is_not_told() {
    let (mut there, state) = TextDoc::from_text(1, "kept");
    let before = there.state_vector();
    there.replace_with(&format!("kept {SECRET}")).unwrap();
    let insertion = there.missing_from(&before).unwrap();
    let deletion = there.replace_with("kept").unwrap();
    let both = yrs::merge_updates_v1([&insertion, &deletion]).unwrap();
    assert!(holds(&both, SECRET));
    let mut here = TextDoc::load(2, &state).unwrap();
    let told = here.apply_and_encode(1, &both, Validation::Untrusted).unwrap();
    assert!(!holds(&told.update, SECRET) && !told.is_empty() && !told.has_released);
    let mut third = TextDoc::load(3, &state).unwrap();
    third.apply(&told.update).unwrap();
    assert_eq!(third.text(), "kept");
    assert_eq!(third.state_vector_map(), here.state_vector_map());
}

#[test]
fn what_was_deleted_before_it_came_is_not_told() {
    let (mut there, state) = TextDoc::from_text(1, "kept");
    let insertion = there.replace_with(&format!("kept {SECRET}")).unwrap();
    let deletion = there.replace_with("kept").unwrap();
    let mut here = TextDoc::load(2, &state).unwrap();
    assert!(here.apply_and_encode(1, &deletion, Validation::Untrusted).unwrap().is_empty());
    let told = here.apply_and_encode(2, &insertion, Validation::Untrusted).unwrap();
    assert!(told.has_released && !holds(&told.update, SECRET));
}

#[test]
fn what_waits_is_told_when_it_is_integrated() {
    let (mut there, state) = TextDoc::from_text(1, "a");
    let first = there.replace_with("ab").unwrap();
    let second = there.replace_with("abc").unwrap();
    let mut here = TextDoc::load(2, &state).unwrap();
    assert!(here.apply_and_encode(1, &second, Validation::Untrusted).unwrap().is_empty());
    let told = here.apply_and_encode(2, &first, Validation::Untrusted).unwrap();
    let mut third = TextDoc::load(3, &state).unwrap();
    third.apply(&told.update).unwrap();
    assert_eq!((third.text().as_str(), third.pending_updates()), ("abc", 0));
}

#[test]
fn a_clock_that_waits_is_not_said_to_be_something_else() {
    let (mut doc, _) = TextDoc::from_text(1, "kept");
    // After an item of client 9, who is not there.
    let waits = item(5, 0, Some((9, 0)), "abc");
    assert_eq!(doc.check(&waits), Ok(true));
    doc.apply_checked(1, &waits, Validation::Untrusted).unwrap();
    let contradicts = Some(InvalidUpdate::Contradicts);
    assert_eq!(refused(&mut doc, &waits), None);
    assert_eq!(refused(&mut doc, &item(5, 0, Some((9, 0)), "abd")), contradicts);
    assert_eq!(refused(&mut doc, &item(5, 0, Some((1, 0)), "abc")), contradicts);
    assert_eq!(refused(&mut doc, &item(5, 0, None, "abc")), contradicts);
    assert_eq!(refused(&mut doc, &item(5, 0, Some((8, 0)), "x")), contradicts);
    // As typed in one go with more behind it, and only its end.
    assert_eq!(refused(&mut doc, &item(5, 0, Some((9, 0)), "abcdef")), None);
    assert_eq!(refused(&mut doc, &item(5, 1, Some((5, 0)), "bcdef")), None);
    assert_eq!(refused(&mut doc, &item(5, 1, Some((5, 0)), "bd")), contradicts);
    // Another client may do as it likes.
    assert_eq!(refused(&mut doc, &item(6, 0, Some((9, 0)), "xyz")), None);
    // What has arrived no longer waits.
    doc.apply_checked(2, &item(9, 0, Some((1, 3)), "!"), Validation::Untrusted).unwrap();
    assert_eq!(doc.text(), "kept!abc");
    assert_eq!(refused(&mut doc, &item(5, 0, Some((9, 0)), "other")), None);
}

#[test]
fn deleted_text_contradicts_nothing() {
    let (mut doc, _) = TextDoc::from_text(1, "kept");
    doc.apply_checked(1, &item(5, 0, Some((9, 0)), "abc"), Validation::Untrusted).unwrap();
    let collected = [1, 1, 5, 0, 0, 3, 0];
    assert_eq!(refused(&mut doc, &collected), None);
    let told = doc.apply_and_encode(2, &collected, Validation::Untrusted).unwrap();
    let mut other = TextDoc::from_text(1, "kept").0;
    other.apply(&told.update).unwrap();
    assert_eq!((doc.text(), doc.clock_of(5)), (other.text(), other.clock_of(5)));
}

#[test]
fn a_text_cut_into_many_pieces_is_compared_in_one_pass() {
    let (mut doc, _) = TextDoc::from_text(1, "kept");
    let long = "é".repeat(200_000);
    doc.apply_checked(1, &item(5, 0, Some((9, 0)), &long), Validation::Untrusted).unwrap();
    // Every other clock is collected, so that the texts between are structs of their own.
    let mut update = vec![1];
    write_uint(&mut update, 200_000);
    update.extend([5, 0]);
    for clock in 0..200_000_u32 {
        if clock % 2 == 0 {
            update.extend([0, 1]);
        } else {
            update.extend([0x84, 5]);
            write_uint(&mut update, u64::from(clock) - 1);
            update.extend([2, 0xc3, 0xa9]);
        }
    }
    update.push(0);
    let started = std::time::Instant::now();
    // The texts stand behind nothing.
    assert_eq!(refused(&mut doc, &update), Some(InvalidUpdate::NoNeighbour));
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn refusals_have_words() {
    let refusal = InvalidUpdate::from(Refusal::Malformed).to_string();
    assert_ne!(refusal, InvalidUpdate::Contradicts.to_string());
}

proptest! {
    /// A replica that gets only what another tells stays equal to it.
    #[test]
    fn a_replica_that_is_told_has_the_same_text(
        texts in prop::collection::vec(("[a-c🦀]{0,8}", 0..3_usize, any::<prop::sample::Index>()), 1..20),
    ) {
        let (_, state) = TextDoc::from_text(1, "start");
        let mut writers: Vec<TextDoc> = (2..5).map(|id| TextDoc::load(id, &state).unwrap()).collect();
        let mut updates: Vec<Vec<u8>> = Vec::new();
        for (text, writer, known) in &texts {
            if !updates.is_empty() {
                writers[*writer].apply(&updates[known.index(updates.len())]).unwrap();
            }
            updates.extend(writers[*writer].replace_with(text));
        }
        let mut order: Vec<usize> = (0..updates.len()).collect();
        order.sort_by_key(|at| texts[*at % texts.len()].2.index(1_000));
        let (mut here, mut told) =
            (TextDoc::load(8, &state).unwrap(), TextDoc::load(9, &state).unwrap());
        for at in order {
            let change = here.apply_and_encode(at as u64, &updates[at], Validation::Replayed).unwrap();
            told.apply(&change.update).unwrap();
            prop_assert_eq!(told.pending_updates(), 0);
            prop_assert_eq!(told.text(), here.text());
            prop_assert_eq!(told.state_vector_map(), here.state_vector_map());
        }
    }
}
