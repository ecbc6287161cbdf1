use super::*;
use ammonia::Builder;
use izanagi_shared::markdown::{RenderOptions, render, render_json, render_plain, toc_html};
use proptest::prelude::*;
use rstest::rstest;
use std::collections::{HashMap, HashSet};

/// A text with every construct the renderer supports.
const EVERYTHING: &str = "# One & *two*\n\n> quote\n\n- [x] done\n- [ ] open\n\n3. three\n\n\
    |a|b|\n|:-|-:|\n|1|`2`|\n\n~~del~~ **strong** ![alt](/i.png \"t\") \
    [out](https://example.org/?a=1&b=2) [in](#h-x) <b>raw</b>\n\n```rust\nfn main() {}\n```\n\n\
    ![far](https://b.example/c) [![far](https://b.example/c \"t\")](d) [bad](javascript:x)\n\n\
    note[^1]\n\n[^1]: the note\n\n<script>alert(1)</script>\n\n---\n\nline  \nbreak\u{a0}\0\n";

/// Cleans HTML with ammonia and the same lists.
fn clean(html: &str) -> String {
    let attributes: HashMap<_, HashSet<_>> =
        ELEMENTS.iter().map(|&(name, allowed)| (name, allowed.iter().copied().collect())).collect();
    Builder::empty()
        .tags(ELEMENTS.iter().map(|&(name, _)| name).collect())
        .tag_attributes(attributes)
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .link_rel(None)
        .clean(html)
        .to_string()
}

fn options(source_lines: bool, outside_images: bool) -> RenderOptions {
    RenderOptions { source_lines, outside_images, ..RenderOptions::default() }
}

#[rstest]
#[case(render(EVERYTHING, &options(true, false)).html, false)]
#[case(render(EVERYTHING, &options(false, true)).html, true)]
#[case(toc_html(&render(EVERYTHING, &options(false, false)).toc, "Contents"), false)]
#[case(render_plain("<a> & \u{a0}").html, false)]
#[case(render_json("{\"a\": [1, null]}").html, false)]
fn allows_what_the_renderer_writes(#[case] html: String, #[case] outside_images: bool) {
    assert!(is_allowed(&html, outside_images), "{html}");
}

#[rstest]
#[case("https://a.example/b")]
#[case("HTTP:b")]
#[case("//a.example/b")]
fn images_of_other_hosts_need_the_readers_consent(#[case] address: &str) {
    let html = format!("<img src=\"{address}\">");
    assert!(is_allowed(&html, true) && !is_allowed(&html, false));
    assert!(is_allowed("<img src=\"/a//b:c\">", false));
}

#[rstest]
#[case("<script>alert(1)</script>")]
#[case("<img src=x onerror=alert(1)>")]
#[case("<img src=\"x\" onerror=\"alert(1)\">")]
#[case("<a href=\"javascript:alert(1)\">x</a>")]
#[case("<a href=\"JavaScript:alert(1)\">x</a>")]
#[case("<a href=\"java\nscript:alert(1)\">x</a>")]
#[case("<a href=\"&#106;avascript:alert(1)\">x</a>")]
#[case("<a href=\"javascript&colon;alert(1)\">x</a>")]
#[case("<a href=\"\\\\evil.example\">x</a>")]
#[case("<img src=\"data:image/svg+xml,x\">")]
#[case("<img src=\"mailto:x\">")]
#[case("<input class=\"task\">")]
#[case("<input class=\"task\" disabled=\"\">")]
#[case("<input class=\"task\" type=\"checkbox\">")]
#[case("<input type=\"text\" disabled=\"\">")]
#[case("<p style=\"position:fixed\">x</p>")]
#[case("<p id=\"main\">x</p>")]
#[case("<h1 id=\"main\">x</h1>")]
#[case("<p class=\"card\">x</p>")]
#[case("<p class=\"raw-html\" class=\"raw-html\">x</p>")]
#[case("<p dir=\"auto\"onclick=\"x\">x</p>")]
#[case("<iframe src=\"https://example.org\"></iframe>")]
#[case("<svg></svg>")]
#[case("<P>x</P>")]
#[case("<p")]
#[case("<p>")]
#[case("</p>")]
#[case("<p><em></p></em>")]
#[case("<p/>")]
#[case("<a><em><a></a></em></a>")]
#[case("a > b")]
#[case("a & b")]
#[case("&#60;")]
#[case("\0")]
#[case("<!-- -->")]
#[case("<br></br>")]
fn refuses_anything_else(#[case] html: &str) {
    assert!(!is_allowed(html, true), "{html}");
}

#[test]
fn refuses_nesting_that_browsers_do_not_follow() {
    let nested = |depth: usize| "<em>".repeat(depth) + &"</em>".repeat(depth);
    let is_allowed = |depth| is_allowed(&nested(depth), false);
    assert!(is_allowed(MAX_DEPTH) && !is_allowed(MAX_DEPTH + 1));
}

/// Pieces of hostile Markdown and HTML.
fn source() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<",
        ">",
        "&",
        "\"",
        "'",
        "\\",
        "`",
        "*",
        "_",
        "~",
        "[",
        "](",
        "](x",
        ")",
        "![",
        "[^a]",
        ": ",
        "\n",
        "\n\n",
        "# ",
        "> ",
        "- ",
        "1. ",
        "- [ ] ",
        "|",
        "|-|\n",
        "```js\n",
        "    ",
        "a",
        "é",
        "\u{a0}",
        "\0",
        "ש",
        "javascript:",
        "https://a.example/",
        "//b",
        "data:",
        "&amp;",
        "&#60;",
        "<b>",
        "</p>",
        "<script>",
        "<!--",
        "-->",
        "\" onload=\"x",
        "#x",
        "mailto:",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn ammonia_finds_nothing_to_remove(source in source(), outside_images: bool) {
        let rendered = render(&source, &options(true, outside_images));
        let (html, toc) = (rendered.html, toc_html(&rendered.toc, &source));
        prop_assert!(is_allowed(&html, outside_images), "{}", html);
        prop_assert!(is_allowed(&toc, false), "{}", toc);
        // It parses paragraphs as a browser does, and writes the same text and elements.
        let plain = |html: &str| html.replace(['\n', ' ', '/'], "");
        prop_assert_eq!(plain(&clean(&html)), plain(&html));
    }
}
