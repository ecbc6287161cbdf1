//! Rendering of CommonMark and GFM constructs, with one table of cases per construct.

use izanagi_shared::markdown::{
    RenderOptions, Rendered, TocEntry, plain_text, render, render_json, render_plain,
};
use rstest::rstest;

/// Renders without heading links and text directions.
fn html(source: &str) -> String {
    let options = RenderOptions { heading_links: false, ..RenderOptions::default() };
    without_directions(&render(source, &options).html)
}

fn without_directions(html: &str) -> String {
    html.replace(" dir=\"auto\"", "").replace(" dir=\"ltr\"", "")
}

#[rstest]
#[case("", "")]
#[case("a\nb", "<p>a\nb</p>\n")]
#[case("a\r\nb\rc", "<p>a\nb\nc</p>\n")]
#[case("a  \nb\\\nc", "<p>a<br>\nb<br>\nc</p>\n")]
#[case("a\n\n***\n\nb", "<p>a</p>\n<hr>\n<p>b</p>\n")]
#[case(
    "> a\n> > b",
    "<blockquote>\n<p>a</p>\n<blockquote>\n<p>b</p>\n</blockquote>\n</blockquote>\n"
)]
#[case("\\*a\\* &copy; &amp; <", "<p>*a* © &amp; &lt;</p>\n")]
fn renders_block_level_elements(#[case] source: &str, #[case] expected: &str) {
    assert_eq!(html(source), expected);
}

#[rstest]
#[case("# A", "<h1 id=\"h-a\">A</h1>\n")]
#[case("###### A", "<h6 id=\"h-a\">A</h6>\n")]
#[case("####### A", "<p>####### A</p>\n")]
#[case("A\n===\n\nB\n---", "<h1 id=\"h-a\">A</h1>\n<h2 id=\"h-b\">B</h2>\n")]
#[case("## *A* `b` ##", "<h2 id=\"h-a-b\"><em>A</em> <code>b</code></h2>\n")]
#[case("# A {#b .c onclick=d}", "<h1 id=\"h-a-b-c-onclickd\">A {#b .c onclick=d}</h1>\n")]
fn renders_headings_with_their_ids(#[case] source: &str, #[case] expected: &str) {
    assert_eq!(html(source), expected);
}

#[rstest]
#[case("*a* _b_ **c** __d__", "<em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong>")]
#[case("***a***", "<em><strong>a</strong></em>")]
#[case("a_b_c 2*3*4", "a_b_c 2<em>3</em>4")]
#[case("~~a~~ ~b~", "<del>a</del> <del>b</del>")]
#[case("`a` `` b`c `` `<d>`", "<code>a</code> <code>b`c</code> <code>&lt;d&gt;</code>")]
#[case("[a](/b \"c\")", "<a href=\"/b\" title=\"c\">a</a>")]
#[case("[a](</b c>)", "<a href=\"/b%20c\">a</a>")]
#[case("[a*b*][c]\n\n[c]: d", "<a href=\"d\">a<em>b</em></a>")]
#[case("[a][missing]", "[a][missing]")]
#[case("<a@b.example>", "<a href=\"mailto:a@b.example\">a@b.example</a>")]
#[case(
    "<https://b.example/?c&d>",
    "<a href=\"https://b.example/?c&amp;d\" rel=\"noopener noreferrer nofollow\">https://b.example/?c&amp;d</a>"
)]
#[case("![a *b*](/c.png \"d\")", "<img src=\"/c.png\" alt=\"a b\" title=\"d\" loading=\"lazy\">")]
#[case("![](c.png)", "<img src=\"c.png\" alt=\"\" loading=\"lazy\">")]
#[case("[![a](b)](c)", "<a href=\"c\"><img src=\"b\" alt=\"a\" loading=\"lazy\"></a>")]
#[case("![a ![b](c) [d](e)](f)", "<img src=\"f\" alt=\"a b d\" loading=\"lazy\">")]
#[case("$a$ $$b$$", "$a$ $$b$$")]
// As cmark-gfm.
#[case("H~2~O ~a~ b~c~", "H<del>2</del>O <del>a</del> b<del>c</del>")]
#[case("a~*b*~c *d~e~f*", "a~<em>b</em>~c <em>d<del>e</del>f</em>")]
#[case("~ a \\~b~ ~~c~", "~ a ~b~ ~~c~")]
#[case("a~b*c*d~e", "a<del>b<em>c</em>d</del>e")]
#[case("a~*b~c* d~", "a~<em>b~c</em> d~")]
#[case(
    "`a~b~c` <https://a.example/~b~c>",
    "<code>a~b~c</code> <a href=\"https://a.example/~b~c\" rel=\"noopener noreferrer nofollow\">https://a.example/~b~c</a>"
)]
fn renders_inline_level_elements(#[case] source: &str, #[case] expected: &str) {
    assert_eq!(html(source), format!("<p>{expected}</p>\n"));
}

#[rstest]
#[case("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n")]
#[case("1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n")]
#[case("7) a", "<ol start=\"7\">\n<li>a</li>\n</ol>\n")]
#[case("- a\n\n- b", "<ul>\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ul>\n")]
#[case("- a\n  - b", "<ul>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>\n")]
fn renders_ordered_and_bullet_lists(#[case] source: &str, #[case] expected: &str) {
    assert_eq!(html(source), expected);
}

#[test]
fn labels_and_disables_task_checkboxes() {
    assert_eq!(
        html("- [ ] a\n- [x] b"),
        "<ul>\n\
         <li><input class=\"task\" type=\"checkbox\" disabled=\"\" aria-label=\"To do\"> a</li>\n\
         <li><input class=\"task\" type=\"checkbox\" disabled=\"\" checked=\"\" aria-label=\"Done\"> b</li>\n\
         </ul>\n"
    );
}

#[test]
fn the_checkbox_of_a_heading_belongs_to_the_item() {
    assert_eq!(
        html("- [ ] a\n  -\n- [x] b\n  ==="),
        "<ul>\n\
         <li>\n<input class=\"task\" type=\"checkbox\" disabled=\"\" aria-label=\"To do\"> \
         <h2 id=\"h-a\">a</h2>\n</li>\n\
         <li>\n<input class=\"task\" type=\"checkbox\" disabled=\"\" checked=\"\" aria-label=\"Done\"> \
         <h1 id=\"h-b\">b</h1>\n</li>\n\
         </ul>\n"
    );
}

#[rstest]
#[case::paragraphs("a\n\nb", "p p")]
#[case::heading("# a", "h1")]
#[case::tight_list("- a\n- b\n\nc", "ul p")]
#[case::loose_list("- a\n\n  b\n\n- c", "ul p p")]
#[case::nested_list("- a\n  - b\n  - c\n\n    d", "ul ul p p")]
#[case::list_in_a_list("- - a\n  - b", "ul")]
#[case::quote("> a\n>\n> b\n\nc", "blockquote p p")]
#[case::heading_in_a_quote("> # a\n> b", "blockquote p")]
#[case::table("|a|\n|-|\n|b|", "table")]
#[case::raw_html("<div>", "p")]
#[case::note("a[^1]\n\n[^1]: b", "p p")]
#[case::empty_list("-\n\na", "ul p")]
fn blocks_have_the_direction_of_their_text(#[case] source: &str, #[case] expected: &str) {
    let html = render(source, &RenderOptions::default()).html;
    let tags = html.split('<').filter(|tag| tag.contains("dir=\"auto\""));
    let names = tags.filter_map(|tag| tag.split(' ').next()).collect::<Vec<_>>();
    assert_eq!(names.join(" "), expected, "{html}");
}

#[test]
fn code_runs_from_left_to_right() {
    let html = render("    a\n\n`b`", &RenderOptions::default()).html;
    assert!(html.contains("<pre class=\"code-block\" dir=\"ltr\""), "{html}");
    assert!(render_plain("a").html.contains("<pre class=\"plain-text\" dir=\"auto\">"));
}

#[rstest]
#[case(
    "![a b](https://c.example/d.png \"t\")",
    "<a class=\"outside-image\" href=\"https://c.example/d.png\" title=\"t\" rel=\"noopener noreferrer nofollow\">a b <span class=\"outside-host\">c.example</span></a>"
)]
#[case(
    "![](//c.example/d)",
    "<a class=\"outside-image\" href=\"//c.example/d\" rel=\"noopener noreferrer nofollow\"><span class=\"outside-host\">c.example</span></a>"
)]
#[case(
    "[![a](http://c.example/d)](e)",
    "<a href=\"e\"><span class=\"outside-image\">a <span class=\"outside-host\">c.example</span></span></a>"
)]
#[case(
    "![](https:///c.example/d)",
    "<a class=\"outside-image\" href=\"https:///c.example/d\" rel=\"noopener noreferrer nofollow\"><span class=\"outside-host\">c.example</span></a>"
)]
fn images_of_other_hosts_are_not_loaded(#[case] source: &str, #[case] expected: &str) {
    let with = |outside_images| RenderOptions { outside_images, ..RenderOptions::default() };
    let rendered = render(source, &with(false));
    assert_eq!(without_directions(&rendered.html), format!("<p>{expected}</p>\n"));
    assert!(rendered.has_outside_images);
    let rendered = render(source, &with(true));
    assert!(rendered.html.contains("<img src=\"") && !rendered.has_outside_images);
    assert!(!render("![a](/b)", &with(false)).has_outside_images);
}

#[rstest]
#[case("![a](https://good.example\\\\@evil.example/a.png)")]
#[case("![a](https://good.example@evil.example/a.png)")]
#[case("![a](//good.example%2F@evil.example/a.png)")]
fn refuses_an_image_whose_host_could_be_mistaken(
    #[case] source: &str,
    #[values(true, false)] outside_images: bool,
) {
    let rendered = render(source, &RenderOptions { outside_images, ..RenderOptions::default() });
    let expected = "<p><span class=\"refused-image\">a</span></p>\n";
    assert_eq!(without_directions(&rendered.html), expected);
}

#[rstest]
#[case("    a\n\tb", "<code>a\nb</code>")]
#[case("```\n<a>\r\n\r\nb\n```", "<code>&lt;a&gt;\n\nb\n</code>")]
#[case("~~~ Text stuff\na", "<code class=\"language-text\">a</code>")]
#[case("```mermaid\na --> b\n```", "<code class=\"language-mermaid\">a --&gt; b\n</code>")]
#[case("```\" onclick=\"x\na\n```", "<code>a\n</code>")]
#[case(
    "```rust\nlet a;\n```",
    "<code class=\"language-rust\"><span class=\"tok-keyword\">let</span> a;\n</code>"
)]
fn renders_and_highlights_code_blocks(#[case] source: &str, #[case] expected: &str) {
    let expected = format!("<pre class=\"code-block\" tabindex=\"0\">{expected}</pre>\n");
    assert_eq!(html(source), expected);
}

#[test]
fn wraps_tables_in_a_focusable_region() {
    assert_eq!(
        html("| a | | c |\n|:--|:-:|--:|\n| *d* |"),
        "<div class=\"table-scroll\" role=\"region\" aria-label=\"Table 1\" tabindex=\"0\">\n\
         <table>\n<thead>\n<tr>\n\
         <th scope=\"col\" class=\"align-left\">a</th>\n\
         <td class=\"align-center\"></td>\n\
         <th scope=\"col\" class=\"align-right\">c</th>\n\
         </tr>\n</thead>\n<tbody>\n<tr>\n\
         <td class=\"align-left\"><em>d</em></td>\n\
         <td class=\"align-center\"></td>\n\
         <td class=\"align-right\"></td>\n\
         </tr>\n</tbody>\n</table>\n</div>\n"
    );
}

#[test]
fn numbers_tables_and_allows_empty_ones() {
    let html = html("|a|\n|-|\n\n|b|\n|-|");
    assert!(html.contains("\"Table 1\"") && html.contains("\"Table 2\""));
    assert!(!html.contains("tbody"));
}

#[test]
fn numbers_footnotes_by_first_reference() {
    assert_eq!(
        html("a[^x] b[^y] c[^X]\n\n[^y]: *why*\n\n[^x]: ex\n\n    - two"),
        "<p>a<sup class=\"footnote-ref\" id=\"fnref-1\"><a href=\"#fn-1\" role=\"doc-noteref\">1</a></sup> \
         b<sup class=\"footnote-ref\" id=\"fnref-2\"><a href=\"#fn-2\" role=\"doc-noteref\">2</a></sup> \
         c<sup class=\"footnote-ref\" id=\"fnref-1-2\"><a href=\"#fn-1\" role=\"doc-noteref\">1</a></sup></p>\n\
         <section class=\"footnotes\" role=\"doc-endnotes\" aria-label=\"Footnotes\">\n<ol>\n\
         <li id=\"fn-1\">\n<p>ex</p>\n<ul>\n<li>two</li>\n</ul>\n \
         <a class=\"footnote-back\" role=\"doc-backlink\" href=\"#fnref-1\" aria-label=\"Back to reference 1\">↩</a> \
         <a class=\"footnote-back\" role=\"doc-backlink\" href=\"#fnref-1-2\" aria-label=\"Back to reference 1-2\">↩</a>\n\
         </li>\n\
         <li id=\"fn-2\">\n<p><em>why</em> \
         <a class=\"footnote-back\" role=\"doc-backlink\" href=\"#fnref-2\" aria-label=\"Back to reference 2\">↩</a></p>\n\
         </li>\n</ol>\n</section>\n"
    );
}

#[rstest]
#[case("a[^missing]", "<p>a[^missing]</p>\n")]
#[case("[^1]: nobody asked", "<li id=\"fn-1\">\n<p>nobody asked</p>\n</li>\n")]
#[case("a[^1]\n\n[^1]: b\n\n[^1]: said twice", "<li id=\"fn-2\">\n<p>said twice</p>\n</li>\n")]
fn keeps_unused_and_duplicate_footnotes(#[case] source: &str, #[case] part: &str) {
    let html = html(source);
    assert!(html.contains(part), "{html}");
}

#[test]
fn does_not_nest_links_inside_links() {
    assert_eq!(
        html("[a <https://b.example> c](d) [[e](f)](g)"),
        "<p><a href=\"d\">a https://b.example c</a> [<a href=\"f\">e</a>](g)</p>\n"
    );
}

#[test]
fn lists_all_headings_in_the_contents() {
    let Rendered { toc, .. } = render(
        "# A & <b>\n\n### [C](d) ![e](f)\n\n> ## A  &\n> ***\n\nC\n*e*\n---",
        &RenderOptions::default(),
    );
    let entry = |level, text: &str, anchor: &str| TocEntry {
        level,
        text: text.to_owned(),
        anchor: anchor.to_owned(),
    };
    let expected = [
        entry(1, "A & <b>", "h-a--b"),
        entry(3, "C e", "h-c-e"),
        entry(2, "A &", "h-a-"),
        entry(2, "C e", "h-c-e-1"),
    ];
    assert_eq!(toc, expected);
}

#[test]
fn hides_heading_links_from_the_keyboard() {
    assert_eq!(
        without_directions(&render("# Ö", &RenderOptions::default()).html),
        "<h1 id=\"h-ö\">Ö<a class=\"heading-link\" href=\"#h-%C3%B6\" aria-hidden=\"true\" tabindex=\"-1\"></a></h1>\n"
    );
}

#[test]
fn resolves_links_to_later_headings() {
    assert_eq!(
        html("[a](#later) [b](#h-later) [c](#main) [d](#) [^1]\n\n# Later\n\n[^1]: [e](#later)")
            .matches("href=\"#h-later\"")
            .count(),
        3
    );
    assert!(html("[c](#main)").contains("href=\"#h-main\""));
    assert!(html("[d](#)").contains("href=\"#\""));
}

#[test]
fn reports_the_source_line_of_each_block() {
    let options =
        RenderOptions { source_lines: true, heading_links: false, ..RenderOptions::default() };
    let html = render("a\n\n- b\n- c\n\n      d\n\n# e\n\n|f|\n|-|\n\n---", &options).html;
    assert_eq!(
        html.split("data-line=\"")
            .skip(1)
            .filter_map(|part| part.split('"').next())
            .collect::<Vec<_>>(),
        ["1", "3", "4", "6", "8", "10", "13"]
    );
    assert!(html.contains("<h1 id=\"h-e\" data-line=\"8\" dir=\"auto\">"));
}

#[test]
fn a_byte_order_mark_is_not_shown() {
    let mark = "\u{feff}";
    let html = |source: &str| render(source, &RenderOptions::default()).html;
    assert_eq!(html(&format!("{mark}# One\n")), html("# One\n"));
    assert_eq!(render_plain(&format!("{mark}a")), render_plain("a"));
    assert_eq!(render_json(&format!("{mark}[1]")), render_json("[1]"));
    assert_eq!(plain_text(&format!("{mark}# One")), plain_text("# One"));
    let lines = RenderOptions { source_lines: true, ..RenderOptions::default() };
    assert_eq!(render(&format!("{mark}a\n\nb"), &lines), render("a\n\nb", &lines));
    assert!(html(&format!("a{mark}b")).contains(mark), "elsewhere it is kept");
}
