//! Deltas, comparisons and merges in WebAssembly. The results must be the same as natively.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "Clippy does not recognise this test attribute"
)]

use izanagi_shared::text::delta::TextDelta;
use izanagi_shared::text::diff::{DiffOptions, count_lines, diff_lines};
use izanagi_shared::text::merge::{Merge, merge};
use izanagi_shared::text::restore::restore_hunks;
use izanagi_shared::text::unified::unified;
use izanagi_shared::text::utf16::{bytes_to_utf16, utf16_to_bytes};
use wasm_bindgen_test::wasm_bindgen_test;

/// Pairs of texts with edge cases.
const PAIRS: [(&str, &str); 7] = [
    ("", "a\n"),
    ("a\r\nb\r\n", "a\nb\r\n"),
    ("a\rb", "a\r\nb\n"),
    ("x 👨‍👩‍👧 y\n", "x 👨‍👩‍👦 y"),
    ("𝒳 and e\u{301}\n", "𝒴 and é\n"),
    ("我们写文章\n\n", "我们改文章\n"),
    ("\u{feff}one\ntwo\nthree", "one\ntwo!\nthree\n"),
];

#[wasm_bindgen_test]
fn deltas_apply_in_both_directions() {
    for (old, new) in PAIRS {
        let delta = TextDelta::between(old, new);
        assert_eq!(delta.apply(old).unwrap(), new);
        assert_eq!(delta.invert(old).unwrap().apply(new).unwrap(), old);
        let json = serde_json::to_string(&delta).unwrap();
        assert_eq!(serde_json::from_str::<TextDelta>(&json).unwrap(), delta);
    }
}

#[wasm_bindgen_test]
fn rejects_a_delta_that_is_too_long() {
    assert!(serde_json::from_str::<TextDelta>("[4294967296]").is_err());
}

#[wasm_bindgen_test]
fn restoring_hunks_gives_the_old_text() {
    for (old, new) in PAIRS {
        let diff = diff_lines(old, new, &DiffOptions::default());
        let ids: Vec<_> = diff.hunks.into_iter().map(|hunk| hunk.id).collect();
        assert_eq!(restore_hunks(old, new, &ids).unwrap().apply(new).unwrap(), old);
    }
}

/// The native tests expect the same id.
#[wasm_bindgen_test]
fn hunks_have_the_same_ids_as_in_the_server() {
    let diff = diff_lines("a\nb\nc\n", "a\nx y\nc", &DiffOptions::default());
    assert_eq!(diff.hunks[0].id.to_string(), "1-2-1-2-27d3fcb1803fffd3");
}

#[wasm_bindgen_test]
fn unified_text_is_the_same() {
    let text = unified("a", "b", "1\n2", "1\n3\n", &DiffOptions::default());
    let expected = "--- a\n+++ b\n@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+3\n";
    assert_eq!(text, expected);
}

#[wasm_bindgen_test]
fn changes_of_different_words_merge() {
    let Merge::Clean(merged) = merge("one two 三四\n", "1 two 三四\n", "one two 三五\n")
    else {
        panic!("a conflict");
    };
    assert_eq!(merged.text, "1 two 三五\n");
    assert_eq!(merged.from_theirs.apply("one two 三五\n").unwrap(), merged.text);
    assert!(matches!(merge("a", "b", "c"), Merge::Conflicted(_)));
}

#[wasm_bindgen_test]
fn offsets_convert_both_ways() {
    let (bytes, units) = ([0, 1, 5, 7], [0, 1, 3, 4]);
    assert_eq!(bytes_to_utf16("a😀é", bytes).unwrap(), units);
    assert_eq!(utf16_to_bytes("a😀é", units).unwrap(), bytes);
}

#[wasm_bindgen_test]
fn compares_long_texts_with_little_in_common() {
    let lines =
        |word: &str| (0..20_000).map(|n| format!("{word} {}\n", n * 7919 % 5_003)).collect();
    let (old, new): (String, String) = (lines("old"), lines("new"));
    let count = count_lines(&old, &new);
    assert_eq!((count.added, count.removed), (20_000, 20_000));
    assert_eq!(TextDelta::between(&old, &new).apply(&old).unwrap(), new);
}
