//! Rendering takes no more memory than a server reserves for it.

use izanagi_shared::markdown::{
    RenderOptions, StandaloneOptions, peak_bytes, render, render_json, render_plain,
    standalone_html,
};
use izanagi_shared::rules::DocumentKind;
use rstest::rstest;

/// Returns the peak memory of rendering a text and writing a page of it.
fn measure(kind: DocumentKind, text: &str) -> usize {
    let options = StandaloneOptions { toc: Some("Contents"), ..StandaloneOptions::default() };
    let allocations = allocation_counter::measure(|| {
        let rendered = match kind {
            DocumentKind::Markdown => render(text, &RenderOptions::default()),
            DocumentKind::Text => render_plain(text),
            DocumentKind::Json => render_json(text),
        };
        drop(standalone_html("", &rendered, &options));
    });
    usize::try_from(allocations.bytes_max).unwrap_or(usize::MAX)
}

// The texts that take the most of what a byte, a character of markup, a heading, a note and a byte
// of code can take.
#[rstest]
#[case(DocumentKind::Markdown, "a~b~")]
#[case(DocumentKind::Markdown, "a~b~ ")]
#[case(DocumentKind::Markdown, "*a*")]
#[case(DocumentKind::Markdown, "a\n")]
#[case(DocumentKind::Markdown, "`a")]
#[case(DocumentKind::Markdown, "# a\n")]
#[case(DocumentKind::Markdown, "[^a]: b\n\n[^a] ")]
#[case(DocumentKind::Markdown, "[a](#b) ")]
#[case(DocumentKind::Markdown, "|a|\n|-|\n\n")]
#[case(DocumentKind::Markdown, "```json\n1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1\n```\n")]
#[case(DocumentKind::Markdown, "# A long heading, which the table of contents has once more\n")]
#[case(DocumentKind::Markdown, "\u{a0}")]
#[case(DocumentKind::Markdown, "plain words ")]
#[case(DocumentKind::Text, "&")]
#[case(DocumentKind::Text, "plain words ")]
#[case(DocumentKind::Json, "1,")]
#[case(DocumentKind::Json, "\"")]
#[case(DocumentKind::Json, "&")]
fn takes_no_more_than_is_reserved(#[case] kind: DocumentKind, #[case] piece: &str) {
    for size in [1_000, 20_000, 90_000, 500_000, 1_700_000] {
        let text = piece.repeat(size / piece.len());
        let (peak, reserved) = (measure(kind, &text), peak_bytes(kind, &text));
        assert!(peak <= reserved, "{piece:?}, {size} bytes: {peak}, but {reserved} reserved");
    }
}

#[test]
fn takes_no_more_for_one_long_block_of_code() {
    for size in [90_000, 500_000, 1_700_000] {
        let text = format!("```json\n{}\n```\n", "1,".repeat(size / 2));
        let (peak, reserved) =
            (measure(DocumentKind::Markdown, &text), peak_bytes(DocumentKind::Markdown, &text));
        assert!(peak <= reserved, "{size} bytes: {peak}, but {reserved} reserved");
    }
}

#[test]
fn ordinary_texts_do_not_reserve_as_if_they_were_hostile() {
    let line = "An ordinary line of a text with *some* emphasis, and about eighty letters long.\n";
    let text = line.repeat(10_000);
    assert!(peak_bytes(DocumentKind::Markdown, &text) < 50 * text.len());
}
