//! Adversarial sources: nesting depth stays bounded and rendering time stays linear.

use std::time::{Duration, Instant};

use izanagi_shared::markdown::{RenderOptions, counts, plain_text, render};
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
    let signs = html.matches("&gt;").count() + html.matches("<blockquote>").count();
    assert_eq!(signs, 2_000);
}

fn repeated(piece: &'static str) -> impl Fn(usize) -> String {
    move |size| piece.repeat(size / piece.len())
}

/// Doubling the source may not take much more than twice the time; a quadratic step would take four
/// times as long.
fn assert_linear(name: &str, make: impl Fn(usize) -> String) {
    let measure = |size: usize| {
        let source = make(size);
        let run = || {
            let start = Instant::now();
            let length = html(&source).len();
            (start.elapsed(), length)
        };
        let (first, length) = run();
        (first.min(run().0), length)
    };
    let (small, small_length) = measure(50_000);
    let (large, large_length) = measure(100_000);
    // Allow for timing noise on a busy machine.
    let allowed = 3 * small + Duration::from_millis(250);
    assert!(large < allowed, "{name}: {small:?} for half the source, {large:?} for all of it");
    assert!(large_length < 3 * small_length + 1_000, "{name}: {small_length} and {large_length}");
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
fn repeated_markup_takes_linear_time(#[case] piece: &'static str) {
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
fn combined_markup_takes_linear_time(#[case] name: &str, #[case] make: fn(usize) -> String) {
    assert_linear(name, make);
}

#[test]
fn growing_code_spans_take_linear_time() {
    assert_linear("`` ` ``", |size| {
        let lengths = 1..((2 * size) as f64).sqrt() as usize;
        lengths.map(|length| format!("e{}", "`".repeat(length))).collect()
    });
}

#[test]
fn counts_ten_mebibytes_quickly() {
    for piece in
        ["The quick brown fox, e.g. don't 3.14. ", "日本語のテキストです。", "naïve café — "]
    {
        let text = piece.repeat((10 << 20) / piece.len());
        let start = Instant::now();
        assert!(counts(&text).words > 1_000_000);
        // Measured without optimisation on two busy cores; a release build takes a twentieth of the
        // time.
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}

#[test]
fn plain_text_of_deep_nesting_is_fast() {
    let text = plain_text(&("> ".repeat(50_000) + "a\n" + &"b\n".repeat(50_000)));
    assert!(text.ends_with("b\nb"));
}
