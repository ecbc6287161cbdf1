//! The faults of yrs that docs/upstream.md lists, each with yrs alone. A test that fails after an
//! update of yrs says that the fault may be fixed there, and that our guard against it can go.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    process::Command,
    time::{Duration, Instant},
};
use yrs::{
    Doc, GetString as _, OffsetKind, Options, ReadTxn as _, StateVector, Text as _, Transact as _,
    Update, updates::decoder::Decode as _,
};

/// A document of client `client` with this text.
fn doc(client: u64, text: &str) -> Doc {
    let options = Options { offset_kind: OffsetKind::Utf16, ..Options::with_client_id(client) };
    let doc = Doc::with_options(options);
    let content = doc.get_or_insert_text("content");
    content.insert(&mut doc.transact_mut(), 0, text);
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
    // Client 55 inserts "LATER" at clock 3; clocks 0 to 2 are missing.
    let doc = received(&[b"\x01\x01\x37\x03\x04\x01\x07content\x05LATER\x00"]);
    println!("missing: {:?}", text(&doc));
    println!("again: {:?}", std::panic::catch_unwind(|| text(&received(&[&state(&doc)]))));
    // Yjs shows nothing until they arrive.
    println!("earlier {:?}", {
        apply(&doc, b"\x01\x01\x37\x00\x04\x01\x07content\x03abc\x00");
        text(&doc)
    });
}

#[test]
fn neighbours_that_never_stood_side_by_side_make_replicas_differ() {
    let base = state(&doc(1, "abcdef"));
    let mut n = 0;
    for a in 0..6_u8 {
        for b in 0..6 {
            for c in 0..6 {
                for d in 0..6 {
                    if a == b || c == d {
                        continue;
                    }
                    let x = between(2, (1, a), (1, b), b'X');
                    let y = between(3, (1, c), (1, d), b'Y');
                    let (first, second) = (received(&[&base, &x, &y]), received(&[&base, &y, &x]));
                    let (first, second) = (text(&first), text(&second));
                    if first != second && n < 6 {
                        n += 1;
                        println!("{a}{b} {c}{d} {first} {second}");
                    }
                    let whole = received(&[&base, &x, &y]);
                    let again = text(&received(&[&state(&whole)]));
                    if again != text(&whole) && n < 12 {
                        n += 1;
                        println!("load {a}{b} {c}{d} {} {again}", text(&whole));
                    }
                }
            }
        }
    }
}

#[test]
fn a_character_is_cut_in_two() {
    let base = state(&doc(1, "a🦀b"));
    let doc = received(&[&base, &between(2, (1, 1), (1, 2), b'X')]);
    println!("cut: {:?}", text(&doc));
    let again = std::panic::catch_unwind(|| text(&received(&[&state(&doc)])));
    println!("cut again: {again:?}");
}

fn time_of_many(clients: u32) -> Duration {
    let doc = doc(99, "");
    let start = Instant::now();
    for client in 1..=clients {
        let mut update = vec![1, 1];
        let mut id = client;
        while id > 127 {
            update.push(id as u8 & 127 | 128);
            id >>= 7;
        }
        update.push(id as u8);
        update.extend(b"\x00\x04\x01\x07content\x01x\x00");
        apply(&doc, &update);
    }
    start.elapsed()
}

#[test]
fn items_at_one_place_take_quadratic_time() {
    println!("{:?} {:?} {:?}", time_of_many(500), time_of_many(2_000), time_of_many(8_000));
}

#[test]
fn hostile() {
    for (name, bytes) in [
        ("origin itself", &[1, 1, 100, 0, 0x84, 100, 0, 1, b'A', 0][..]),
        ("right origin itself", &[1, 1, 100, 0, 0x44, 100, 0, 1, b'A', 0]),
        ("origin later", &[1, 1, 100, 0, 0x84, 100, 5, 1, b'A', 0]),
        ("gc len max", &[1, 1, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]),
        ("gc beyond", &[1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 2, 0]),
        ("gc zero", &[1, 1, 1, 0, 0, 0, 0]),
        ("deleted zero", &[1, 1, 1, 0, 1, 1, 7, b'c', b'o', b'n', b't', b'e', b'n', b't', 0, 0]),
        ("string empty", &[1, 1, 1, 0, 4, 1, 7, b'c', b'o', b'n', b't', b'e', b'n', b't', 0, 0]),
        ("delete beyond", &[0, 1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 5]),
        ("twice", &[2, 1, 1, 0, 0, 3, 1, 1, 0, 0, 3, 0]),
        ("between itself", &[1, 1, 2, 0, 0xc4, 1, 2, 1, 2, 1, b'X', 0]),
        ("skip zero", &[1, 1, 1, 0, 10, 0, 0]),
        ("info 5 bad", &[1, 1, 1, 0, 5, 1, 7, b'c', b'o', b'n', b't', b'e', b'n', b't', 1, 200, 0]),
    ] {
        let outcome = std::panic::catch_unwind(|| {
            let doc = doc(7, "abc");
            let base = state(&self::doc(1, "abcdef"));
            apply(&doc, &base);
            let update = Update::decode_v1(bytes).map_err(|e| e.to_string())?;
            doc.transact_mut().apply_update(update).map_err(|e| e.to_string())?;
            let s = state(&doc);
            let d2 = self::doc(8, "");
            apply(&d2, &s);
            Ok::<_, String>((text(&doc), text(&d2)))
        });
        println!(
            "{name}: {:?}",
            outcome.map_err(|p| p
                .downcast_ref::<String>()
                .cloned()
                .or(p.downcast_ref::<&str>().map(|s| s.to_string())))
        );
    }
}

#[test]
fn nested_values_overflow_the_stack() {
    const CHILD: &str = "IZANAGI_UPSTREAM_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let mut update = b"\x01\x01\x01\x00\x08\x01\x07content\x01".to_vec();
        update.extend([117, 1].repeat(200_000));
        drop(Update::decode_v1(&update));
        return;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["nested_values_overflow_the_stack", "--exact"]).env(CHILD, "1");
    let output = child.output().unwrap();
    println!("child {:?} {}", output.status, String::from_utf8_lossy(&output.stderr));
}
