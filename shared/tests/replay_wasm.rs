//! Replays in WebAssembly, as the timeline plays them. The texts must be the same as natively.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "Clippy does not recognise this test attribute"
)]

use izanagi_shared::{
    crdt::{
        Change, TextDoc,
        replay::{Ordered, ReplayBuilder},
    },
    replay::Replay,
    wire::{ReplayEdits, ReplayView},
};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn every_position_has_its_text() {
    let (mut doc, state) = TextDoc::from_text(7, "a 😀\r\n");
    let mut builder = ReplayBuilder::new(&state).unwrap();
    let mut texts = vec![doc.text()];
    for (from, to, insert) in [(2, 4, "é"), (0, 0, "👩‍👩‍👧"), (8, 10, ""), (5, 5, "長い")]
    {
        builder.add_edit(&doc.edit(&[Change { from, to, insert: insert.to_owned() }]));
        texts.push(doc.text());
    }
    let (items, state) = (doc.items_in_order(), doc.encode());
    let ordered = Ordered { items: &items, state: &state, is_at_end: true };
    let (text, parts) = builder.finish(ordered).unwrap().into();
    let edits = ReplayEdits {
        seqs: vec![1; 4],
        authors: vec![0; 4],
        times: vec![0; 4],
        ..ReplayEdits::default()
    };
    let view = ReplayView { text, parts, edits, ..ReplayView::default() };
    let replay = Replay::new(view).unwrap();
    for (position, text) in texts.iter().enumerate() {
        assert_eq!(&replay.text_at(position), text);
    }
}
