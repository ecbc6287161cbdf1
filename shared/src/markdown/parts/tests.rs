use super::*;
use crate::crdt::Change;
use crate::markdown::render;
use crate::text::utf16::utf16_len;
use proptest::prelude::*;
use rstest::rstest;

fn parts(text: &str) -> Parts {
    Parts::new(DocumentKind::Markdown, text, RenderOptions::default())
}

fn all_html(parts: &Parts) -> String {
    let wanted = parts.list().map(|place| place.id).collect();
    parts.html(&wanted).into_iter().map(|(_, html)| html).collect()
}

fn whole(text: &str) -> String {
    render(text, &RenderOptions::default()).html
}

/// Ensures that a part between two boundaries is long enough to stand alone.
fn long() -> String {
    "plain words ".repeat(LONG_WORDS) + "\n\n"
}
const LONG_WORDS: usize = 200;

#[rstest]
#[case("")]
#[case("\u{feff}# a")]
#[case("# a\n\n{}# a\n\n{}[b](#a-1)\n\n# b")]
#[case("[a]\n\n{}[a]: /x 'y \"z\" &amp; \\\\'\n\n{}[a]: /z\n[a] [A]\n")]
#[case("[a]: /x\n\n{}[a]: /z\n\n[a]\n")]
#[case("x[^a]\n\n{}y[^b] z[^a]\n\n[^b]: one\n\n{}[^a]: two[^b]\n\n    three\n\n{}    four")]
#[case("[^a]: alone\n\n{}    code\n")]
#[case("|a|\n|-|\n\n{}|b|\n|-|\n")]
#[case("```\n\n{}plain\n\n```\n\n{}after\n")]
#[case("<!--\n\n{}plain\n\n-->\n\n{}after\n")]
#[case("<div>\n\n{}plain\n\n</div>\n")]
#[case("- a\n\n{}- b\n\n  ```\n\n{}c")]
#[case("> a\n\n{}> b\nc\n\n{}")]
#[case("1. a\n\n{}2. b\n- c\n- d\n\n{}")]
#[case("a\r\n\r\n{}b\r\rc\r\n \r\nd")]
#[case("> [x]: /a\n\n{}[x] ![x]\n\n> [x\n> y]: /b\n\n[x y]")]
#[case("![^a]\n\n{}[^a]: b")]
#[case("~~~ \n\n{}a~b~\n\n~~~~\n\n{}c ~d~")]
fn all_parts_are_the_whole(#[case] pattern: &str) {
    let text = pattern.replace("{}", &long());
    let divided = parts(&text);
    assert_eq!(all_html(&divided), whole(&text));
    if pattern.matches("{}").count() > 1 && !pattern.contains("```\n\n{}") {
        assert!(divided.list().count() > 1, "{:?}", divided.list().collect::<Vec<_>>());
    }
}

#[test]
fn an_edit_writes_few_parts_again() {
    let text = long().repeat(100);
    let mut divided = parts(&text);
    let ids = |divided: &Parts| divided.list().map(|place| place.id).collect::<Vec<_>>();
    let before = ids(&divided);
    assert_eq!(before.len(), 100);
    let allocations = allocation_counter::measure(|| {
        assert!(divided.edit(&[Change { from: 100_000, to: 100_001, insert: "xy".to_owned() }]));
    });
    assert!(allocations.bytes_total < 100_000, "{allocations:?}");
    assert_eq!(ids(&divided), before);
}

#[test]
fn counts_the_whole_text() {
    let text = "# One *two*\n\n".to_owned() + &long() + "島の本\n\nend";
    assert_eq!(parts(&text).counts(), crate::markdown::counts(&text));
}

#[test]
fn refuses_changes_outside_the_text() {
    let mut divided = parts("a🏝b");
    for (from, to) in [(5, 5), (2, 3), (3, 9)] {
        assert!(!divided.edit(&[Change { from, to, insert: "x".to_owned() }]), "{from}");
    }
    assert_eq!(all_html(&divided), whole("a🏝b"));
}

#[test]
fn divides_json_at_lines() {
    let text = "{\n".to_owned() + &"  \"key\": [1, true, \"x\"],\n".repeat(1_000) + "}";
    let mut divided = Parts::new(DocumentKind::Json, &text, RenderOptions::default());
    assert!(divided.list().count() > 10);
    assert!(divided.edit(&[Change { from: 3, to: 3, insert: "\n\n".to_owned() }]));
    assert!(all_html(&divided).contains("language-json"));
}

/// Pieces of Markdown that affect what is far from them.
fn piece() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "\n",
        "\n\n",
        "# a\n",
        "# a-1\n\n",
        "[a]",
        "[b][A]",
        "[a]: /x\n",
        "[A]: /y 't'\n\n",
        "[^a]",
        "[^n]: note\n",
        "[^n]: x\n\n    more\n\n",
        "[^N] ",
        "```\n",
        "~~~ rust\n",
        "<!-- ",
        "-->\n",
        "<div>\n\n",
        "<pre>\n\n",
        "</pre>\n",
        "- ",
        "  ",
        "    ",
        "1. ",
        "> ",
        "|a|b|\n|-|-|\n",
        "|c|d|\n",
        "*",
        "**",
        "~",
        "`",
        "[x](#a)",
        "[x](#a-1)\n",
        "![i](https://h/p)",
        "word ",
        "é🏝 ",
        "\r\n",
        "\r",
        "\t",
        "\\",
        "===\n",
        "---\n",
        "***\n",
        "- [ ] t\n",
        "+ x\n\n",
        "<b>",
        "&amp;",
        "?",
        "[",
        "]",
        ": ",
    ];
    prop_oneof![
        8 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => Just("plain words, which make a part long enough. ".repeat(50) + "\n\nnext "),
        1 => Just("\n\nplain ".to_owned()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn edited_parts_are_the_whole(
        start in text(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..400_usize, text()), 1..6),
    ) {
        let mut text = start;
        let mut divided = parts(&text);
        prop_assert_eq!(all_html(&divided), whole(&text));
        for (at, deleted, insert) in edits {
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text.floor_char_boundary((at + deleted).min(text.len())).max(at);
            let from = u32::try_from(utf16_len(&text[..at])).unwrap();
            let to = from + u32::try_from(utf16_len(&text[at..end])).unwrap();
            text.replace_range(at..end, &insert);
            let change = Change { from, to, insert };
            prop_assert!(divided.edit(&[change]));
            prop_assert_eq!(all_html(&divided), whole(&text), "{:?}", text);
        }
    }

    #[test]
    fn many_changes_at_once_are_the_whole(
        start in text(),
        inserts in proptest::collection::vec((any::<prop::sample::Index>(), text()), 1..8),
    ) {
        let mut text = start;
        let mut divided = parts(&text);
        let mut places: Vec<_> = inserts
            .into_iter()
            .map(|(at, insert)| (text.floor_char_boundary(at.index(text.len() + 1)), insert))
            .collect();
        places.sort_by_key(|(at, _)| *at);
        places.dedup_by_key(|(at, _)| *at);
        let changes: Vec<Change> = places
            .iter()
            .map(|(at, insert)| {
                let from = u32::try_from(utf16_len(&text[..*at])).unwrap();
                Change { from, to: from, insert: insert.clone() }
            })
            .collect();
        for (at, insert) in places.iter().rev() {
            text.insert_str(*at, insert);
        }
        prop_assert!(divided.edit(&changes));
        prop_assert_eq!(all_html(&divided), whole(&text), "{:?}", text);
    }
}
