//! Smoke tests of the renderer compiled to WebAssembly, as the page runs it.
#![cfg(target_arch = "wasm32")]

use izanagi_shared::markdown::{Counts, RenderOptions, counts, plain_text, render, toc_html};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn renders_a_document_with_contents() {
    let rendered = render("# Ä *b*\n\n- [x] `c`\n\n```rs\nlet x;\n```", &RenderOptions::default());
    let heading = "<h1 id=\"h-ä-b\" dir=\"auto\">Ä <em>b</em>";
    assert!(rendered.html.starts_with(heading), "{}", rendered.html);
    assert!(rendered.html.contains("<span class=\"tok-keyword\">let</span> x;"));
    assert!(
        toc_html(&rendered.toc, "Contents")
            .contains("<a href=\"#h-%C3%A4-b\" dir=\"auto\">Ä b</a>")
    );
}

#[wasm_bindgen_test]
fn does_not_render_any_scripts() {
    let html = render("<script>x</script> [a](javascript:x)", &RenderOptions::default()).html;
    assert!(!html.contains("<script") && !html.contains("href"));
}

#[wasm_bindgen_test]
fn survives_deep_nesting_on_small_stack() {
    for piece in ["> ", "- ", "[", "*a **b "] {
        assert!(!render(&piece.repeat(100_000), &RenderOptions::default()).html.is_empty());
    }
}

#[wasm_bindgen_test]
fn extracts_and_counts_plain_text() {
    assert_eq!(plain_text("**a** [b](c)"), "a b");
    assert_eq!(counts("a 日本"), Counts { words: 3, characters: 4 });
}
