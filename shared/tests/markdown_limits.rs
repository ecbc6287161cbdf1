//! Adversarial sources: nesting depth and output stay bounded, and the work of rendering linear. Work is
//! counted rather than timed.

use izanagi_shared::markdown::{
    RenderOptions, Rendered, counts, plain_text, render, render_json, render_plain, toc_html,
};
use rstest::rstest;

/// Browsers stop nesting at 512 levels.
const DEEPEST: usize = 400;

fn html(source: &str) -> String {
    render(source, &RenderOptions::default()).html
}

/// Returns the maximum number of elements that are open at once.
fn measure_depth(html: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in html.split('<').skip(1) {
        if tag.starts_with('/') {
            depth -= 1;
        } else if !["br", "hr", "img", "input"].iter().any(|void| tag.starts_with(void)) {
            depth += 1;
            deepest = deepest.max(depth);
        }
    }
    assert_eq!(depth, 0, "unclosed elements");
    deepest
}

#[rstest]
#[case("> ")]
#[case(">")]
#[case("- ")]
#[case("1. ")]
#[case("> - ")]
#[case("+\t")]
#[case("[^a]: > ")]
#[case("*a **b ")]
#[case("*a ~~b ")]
#[case("***a ")]
#[case("![")]
#[case("[")]
fn nesting_stays_within_browser_limits(#[case] piece: &str) {
    for count in [2_000, 20_000] {
        let source = piece.repeat(count) + "x" + &" a** a~~ a* a]".repeat(count);
        let depth = measure_depth(&html(&source));
        assert!(depth <= DEEPEST, "{depth} levels");
    }
}

#[test]
fn limits_nesting_by_indentation_too() {
    let source: String = (0..500).map(|level| "  ".repeat(level) + "- x\n").collect();
    let depth = measure_depth(&html(&source));
    assert!((100..=DEEPEST).contains(&depth), "{depth} levels");
}

#[test]
fn keeps_text_that_is_nested_too_deep() {
    let html = html(&("> ".repeat(2_000) + "the end"));
    assert!(html.contains("the end"));
    // Every marker is either an element or visible text.
    let signs = html.matches("&gt;").count() + html.matches("<blockquote").count();
    assert_eq!(signs, 2_000);
}

fn repeated(piece: &'static str) -> impl Fn(usize) -> String {
    move |size| piece.repeat(size / piece.len())
}

/// Returns how many bytes rendering allocates, which includes each parser node, each copy of a text
/// and the HTML, and how long the HTML is.
fn work(source: &str) -> (u64, usize) {
    let mut length = 0;
    let allocations = allocation_counter::measure(|| {
        let rendered = render(source, &RenderOptions::default());
        length = rendered.html.len() + toc_html(&rendered.toc, "").len();
    });
    (allocations.bytes_total, length)
}

/// Twice the source may take twice the work, plus what doubling a buffer once more takes. A quadratic
/// step would take four times the work.
fn assert_linear(name: &str, make: impl Fn(usize) -> String) {
    let (small, small_length) = work(&make(50_000));
    let (large, large_length) = work(&make(100_000));
    assert!(2 * large < 5 * small + 200_000, "{name}: {small} bytes, then {large}");
    assert!(2 * large_length < 5 * small_length + 2_000, "{name}: {small_length}, {large_length}");
}

#[rstest]
#[case("[")]
#[case("]")]
#[case("![")]
#[case("[a](")]
#[case("[a](<b")]
#[case("[a][b]")]
#[case("[a]: b 'c\n")]
#[case("*")]
#[case("*a ")]
#[case("a* ")]
#[case("*a _b ~~c ")]
#[case("a**b c* ")]
#[case("_a__b___c")]
#[case("~~a ~b ")]
#[case("`a")]
#[case("<")]
#[case("a <!--")]
#[case("a <?")]
#[case("a <![CDATA[")]
#[case("x <a b='")]
#[case("&a")]
#[case("\\")]
#[case("> ")]
#[case("- ")]
#[case("> ```\n\n")]
#[case("a\n=\n")]
#[case("# a\n")]
#[case("# a-1\n# a\n")]
#[case("|")]
#[case("|a|\n|-|\n\n")]
#[case("- [ ] a\n")]
#[case("[^a]: b\n\n[^a] ")]
#[case("[^a")]
#[case("[a](#b) ")]
#[case("```rust\n\"\n```\n")]
#[case("\r")]
#[case("\0")]
#[case("&amp;")]
#[case("&")]
#[case("\u{a0}")]
#[case("£")]
#[case("<b>")]
#[case("<div>\n\n")]
#[case("<https://a.example/> ")]
#[case("![a](https://a.example/b) ")]
#[case("![a](/b) ")]
#[case("`a` ")]
#[case("    a\n\n")]
#[case("# a b c\n\n")]
#[case("1. a\n\n   b\n\n")]
#[case("a  \n")]
#[case("***\n")]
#[case("a~b~")]
#[case("a~b ")]
#[case("*a~b* ~")]
#[case("a~b~~c~~~")]
#[case("plain words ")]
#[case("ש")]
#[case("a\n\n")]
fn repeated_markup_takes_linear_work(#[case] piece: &'static str) {
    assert_linear(piece, repeated(piece));
}

#[rstest]
#[case("lazy lines in quotes", |n| "> ".repeat(n / 4) + "a\n" + &"b\n".repeat(n / 4))]
#[case("shallow quotes after deep ones", |n| "> ".repeat(n / 4) + "a\n" + &">a\n".repeat(n / 6))]
#[case("lazy lines in lists", |n| "- ".repeat(n / 4) + "a\n" + &"b\n".repeat(n / 4))]
#[case("blank lines in lists", |n| "- ".repeat(n / 4) + "a\n" + &"\n".repeat(n / 2))]
#[case("lists and quotes", |n| "- > ".repeat(n / 8) + "a\n" + &"b\n".repeat(n / 4))]
#[case("emphasis that closes", |n| "*a **a ".repeat(n / 14) + "b" + &" a** a*".repeat(n / 14))]
#[case("brackets that close", |n| "[".repeat(n / 2) + &"]".repeat(n / 2))]
#[case("images in images", |n| "![".repeat(n / 6) + "a" + &"](x)".repeat(n / 6))]
#[case("one long address often", |n| format!("[a]: /{}\n\n", "x".repeat(n / 2)) + &"[a]".repeat(n / 6))]
#[case("one note often", |n| "[^a]: x\n\n".to_owned() + &"[^a]".repeat(n / 4))]
#[case("a wide table", |n| "|a".repeat(n / 6) + "|\n" + &"|-".repeat(n / 6) + "|\n" + &"|\n".repeat(n / 6))]
fn combined_markup_takes_linear_work(#[case] name: &str, #[case] make: fn(usize) -> String) {
    assert_linear(name, make);
}

#[test]
fn growing_code_spans_take_linear_work() {
    assert_linear("`` ` ``", |size| {
        let lengths = 1..((2 * size) as f64).sqrt() as usize;
        lengths.map(|length| format!("e{}", "`".repeat(length))).collect()
    });
}

/// Length limit of the HTML, and how far one element may exceed it.
const LONGEST: usize = (24 << 20) + (1 << 20);

#[rstest]
#[case::notes("[^a]")]
#[case::headings("#\n")]
#[case::tasks("- [ ] \n")]
#[case::raw_html("<b>")]
#[case::table_cells("|")]
#[case::contents("# a b c d e f g h i j k l m n o p\n")]
fn too_much_html_is_cut(#[case] piece: &'static str) {
    let source =
        "|a|b|c|d|\n|:-|:-|:-|:-|\n".to_owned() + &repeated(piece)(1 << 20) + "\n\n[^a]: b\n";
    let Rendered { html, toc, .. } = render(&source, &RenderOptions::default());
    measure_depth(&html);
    assert!(html.len() + toc_html(&toc, "").len() < LONGEST, "{}", html.len());
}

#[test]
fn the_rest_of_a_text_with_too_much_markup_is_left_out() {
    let source = "*a* b\n".repeat(600_000);
    let rendered = render(&source, &RenderOptions::default());
    assert!(rendered.truncated);
    let lines = rendered.html.matches("<em>a</em> b").count();
    assert!((200_000..=300_000).contains(&lines), "{lines}");
    // A download keeps it.
    assert_eq!(plain_text(&source).lines().count(), 600_000);
    let prose = "Plain words, with a comma (and brackets). ".repeat(200_000);
    assert!(!render(&prose, &RenderOptions::default()).truncated);
}

#[test]
fn too_much_plain_text_is_cut() {
    let source = "&".repeat(8 << 20);
    for rendered in [render_plain(&source), render_json(&source)] {
        assert!(rendered.truncated && rendered.html.len() < LONGEST);
        measure_depth(&rendered.html);
    }
    assert!(!render_plain(&"a".repeat(10 << 20)).truncated);
}

#[test]
fn counting_words_allocates_nothing() {
    for piece in
        ["The quick brown fox, e.g. don't 3.14. ", "日本語のテキストです。", "naïve café — "]
    {
        let text = piece.repeat((1 << 20) / piece.len());
        let mut words = 0;
        let allocations = allocation_counter::measure(|| words = counts(&text).words);
        assert!(words > 100_000 && allocations.count_total == 0, "{allocations:?}");
    }
}

#[test]
fn plain_text_of_deep_nesting_is_complete() {
    let text = plain_text(&("> ".repeat(50_000) + "a\n" + &"b\n".repeat(50_000)));
    assert!(text.ends_with("b\nb"));
}
