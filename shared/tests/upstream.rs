//! The faults of yrs that docs/upstream.md lists, each with yrs alone. A test that fails after an
//! update of yrs says that the fault may be fixed there, and that our guard against it can go.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    process::Command,
    time::{Duration, Instant},
};
use yrs::{
    ClientID, Doc, GetString as _, OffsetKind, Options, ReadTxn as _, StateVector, Text as _,
    Transact as _, Update, updates::decoder::Decode as _,
};

/// A document of client `client` with this text.
fn doc(client: u64, text: &str) -> Doc {
    let client = ClientID::new(client);
    let options = Options { offset_kind: OffsetKind::Utf16, ..Options::with_client_id(client) };
    let doc = Doc::with_options(options);
    let content = doc.get_or_insert_text("content");
    if !text.is_empty() {
        content.insert(&mut doc.transact_mut(), 0, text);
    }
    doc
}

fn apply(doc: &Doc, update: &[u8]) {
    let update = Update::decode_v1(update).unwrap();
    doc.transact_mut().apply_update(update).unwrap();
}

fn state(doc: &Doc) -> Vec<u8> {
    doc.transact().encode_state_as_update_v1(&StateVector::default())
}

fn text(doc: &Doc) -> String {
    doc.get_or_insert_text("content").get_string(&doc.transact())
}

/// A document that has received these updates in this order.
fn received(updates: &[&[u8]]) -> Doc {
    let doc = doc(99, "");
    updates.iter().for_each(|update| apply(&doc, update));
    doc
}

/// An update of one client: one character at clock 0, between two others.
fn between(client: u8, left: (u8, u8), right: (u8, u8), character: u8) -> Vec<u8> {
    vec![1, 1, client, 0, 0xc4, left.0, left.1, right.0, right.1, 1, character, 0]
}

#[test]
fn a_struct_is_integrated_without_its_clients_earlier_ones() {
    // Client 55 inserts "LATER" at clock 3; clocks 0 to 2 are missing. Yjs shows nothing.
    let doc = received(&[b"\x01\x01\x37\x03\x04\x01\x07content\x05LATER\x00"]);
    assert_eq!(text(&doc), "LATER");
}

#[test]
fn neighbours_that_never_stood_side_by_side_make_replicas_differ() {
    let base = state(&doc(1, "abcdef"));
    // X between a and c, Y between b and d.
    let x = between(2, (1, 0), (1, 2), b'X');
    let y = between(3, (1, 1), (1, 3), b'Y');
    let (first, second) = (received(&[&base, &x, &y]), received(&[&base, &y, &x]));
    assert_ne!(text(&first), text(&second));
}

#[test]
fn a_character_is_cut_in_two() {
    let base = state(&doc(1, "a🦀b"));
    let doc = received(&[&base, &between(2, (1, 1), (1, 2), b'X')]);
    assert!(!text(&doc).contains('🦀'), "{}", text(&doc));
}

/// The time in which a document receives an item at its beginning from each of many clients.
fn time_of(clients: u32) -> Duration {
    let doc = doc(99_999, "");
    let start = Instant::now();
    for client in 1..=clients {
        let low = u8::try_from(client & 127).unwrap() | 128;
        let mut update = vec![1, 1, low, u8::try_from(client >> 7).unwrap(), 0];
        update.extend(b"\x04\x01\x07content\x01x\x00");
        apply(&doc, &update);
    }
    start.elapsed()
}

#[test]
fn items_at_one_place_take_quadratic_time() {
    // Four times as many take sixteen times as long; if time were linear, four.
    let is_quadratic = || time_of(4_000) > 7 * time_of(1_000);
    assert!((0..5).any(|_| is_quadratic()));
}

#[test]
fn nested_values_overflow_the_stack() {
    const CHILD: &str = "IZANAGI_UPSTREAM_CHILD";
    if std::env::var_os(CHILD).is_some() {
        // An item whose value is an array in an array, and so on.
        let mut update = b"\x01\x01\x01\x00\x08\x01\x07content\x01".to_vec();
        update.extend([117, 1].repeat(500_000));
        drop(Update::decode_v1(&update));
        return;
    }
    // An overflow aborts the process.
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["nested_values_overflow_the_stack", "--exact"]).env(CHILD, "1");
    assert!(!child.output().unwrap().status.success());
}
