//! For any input, the output contains only allowed elements, attributes and addresses.

use izanagi_shared::markdown::{
    RenderOptions, StandaloneOptions, render, render_json, render_plain, standalone_html, toc_html,
};
use proptest::prelude::*;
use rstest::rstest;

/// Allowed elements with their allowed attributes.
const ALLOWED: &[(&str, &str)] = &[
    ("a", "href title rel class role aria-label aria-hidden tabindex dir"),
    ("blockquote", "data-line dir"),
    ("br", ""),
    ("code", "class"),
    ("del", ""),
    ("div", "class role aria-label tabindex data-line"),
    ("em", ""),
    ("h1", "id data-line dir"),
    ("h2", "id data-line dir"),
    ("h3", "id data-line dir"),
    ("h4", "id data-line dir"),
    ("h5", "id data-line dir"),
    ("h6", "id data-line dir"),
    ("hr", "data-line"),
    ("img", "src alt title loading"),
    ("input", "class type disabled checked aria-label"),
    ("li", "id data-line"),
    ("nav", "class aria-label"),
    ("ol", "start data-line dir"),
    ("p", "class data-line dir"),
    ("pre", "class tabindex data-line dir"),
    ("section", "class role aria-label"),
    ("span", "class title dir"),
    ("strong", ""),
    ("sup", "class id"),
    ("table", "dir"),
    ("tbody", ""),
    ("td", "class"),
    ("th", "class scope"),
    ("thead", ""),
    ("tr", ""),
    ("ul", "data-line dir"),
];

const VOID: &[&str] = &["br", "hr", "img", "input"];

/// Strictly parses HTML in the form the renderer writes it and returns an error for anything that
/// is not allowed.
fn check(html: &str) -> Result<(), String> {
    let mut open = Vec::new();
    let mut ids = std::collections::HashSet::new();
    let mut parts = html.split('<');
    check_text(parts.next().unwrap_or_default())?;
    for part in parts {
        let (tag, text) = part.split_once('>').ok_or("unterminated tag")?;
        check_text(text)?;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> has no start tag"));
            }
            continue;
        }
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let allowed = ALLOWED.iter().find(|(known, _)| *known == name);
        let (_, allowed) = allowed.ok_or_else(|| format!("<{name}> is not allowed"))?;
        while !attributes.is_empty() {
            let (attribute, rest) =
                attributes.split_once("=\"").ok_or("attribute without a value")?;
            let (value, rest) = rest.split_once('"').ok_or("unterminated attribute value")?;
            if !allowed.split(' ').any(|known| known == attribute) {
                return Err(format!("<{name} {attribute}> is not allowed"));
            }
            check_value(attribute, value)?;
            if attribute == "id" && !ids.insert(value.to_owned()) {
                return Err(format!("id {value} is used twice"));
            }
            attributes = rest.strip_prefix(' ').unwrap_or(rest);
        }
        if name == "a" && open.contains(&"a") {
            return Err("link inside a link".to_owned());
        }
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} are not closed")) }
}

fn check_text(text: &str) -> Result<(), String> {
    if text.contains(['>', '\0']) {
        return Err(format!("{text:?} is not escaped"));
    }
    Ok(())
}

fn check_value(attribute: &str, value: &str) -> Result<(), String> {
    check_text(value)?;
    match attribute {
        "href" | "src" => {
            // As a lenient browser would: entities decoded, whitespace and control characters
            // dropped.
            let address: String = value
                .replace("&amp;", "&")
                .chars()
                .filter(|c| !c.is_control() && !c.is_whitespace())
                .flat_map(char::to_lowercase)
                .collect();
            let scheme = address.split(['/', '?', '#']).next().unwrap_or_default().split_once(':');
            let is_allowed = match scheme {
                None => true,
                Some((scheme, _)) => {
                    matches!(scheme, "http" | "https") || scheme == "mailto" && attribute == "href"
                }
            };
            if !is_allowed {
                return Err(format!("{value} is not allowed in {attribute}"));
            }
        }
        "id" if !["h-", "fn-", "fnref-"].iter().any(|prefix| value.starts_with(prefix)) => {
            return Err(format!("id {value} could clash with one of the page"));
        }
        _ => {}
    }
    Ok(())
}

fn html(source: &str) -> String {
    render(source, &RenderOptions::default()).html
}

#[rstest]
#[case("<script>alert(1)</script>")]
#[case("<img src=x onerror=alert(1)>")]
#[case("a <b onmouseover=alert(1)>b</b>")]
#[case("<svg/onload=alert(1)>")]
#[case("<iframe srcdoc='<script>alert(1)</script>'>")]
#[case("<a href=\"javascript:alert(1)\">a</a>")]
#[case("<style>@import 'x'</style>")]
#[case("<!-- <img src=x onerror=alert(1)> -->")]
#[case("<?php x ?>")]
#[case("<![CDATA[<script>]]>")]
#[case("<form action=x><input name=location></form>")]
#[case("- <details>\n  <summary>a</summary>")]
fn shows_raw_html_as_visible_text(#[case] source: &str) {
    let html = html(source);
    assert_eq!(check(&html), Ok(()));
    // All of the source is still visible.
    let shown = html.replace("<span class=\"raw-html\">", "").replace("</span>", "");
    let shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    for line in source.lines() {
        assert!(shown.contains(line.trim_start_matches(['-', ' '])), "{line:?} is not in {shown}");
    }
}

#[rstest]
#[case("javascript:alert(1)")]
#[case("JaVaScRiPt:alert(1)")]
#[case("javascript&colon;alert(1)")]
#[case("javascript&#58;alert(1)")]
#[case("javascript&#x3a;alert(1)")]
#[case("&#106;avascript:alert(1)")]
#[case("java&Tab;script:alert(1)")]
#[case("java&NewLine;script:alert(1)")]
#[case("java&#10;script:alert(1)")]
#[case("&#1;javascript:alert(1)")]
#[case("&#0;javascript:alert(1)")]
#[case("&#32;javascript:alert(1)")]
#[case("&nbsp;javascript:alert(1)")]
#[case("\\javascript:alert(1)")]
#[case("java\\script:alert(1)")]
#[case("javascript\\:alert(1)")]
#[case("javascript://host/%0aalert(1)")]
#[case("javascript:alert(1)//http://host")]
#[case("data:text/html,x")]
#[case("data:image/svg+xml;base64,PHN2Zz4=")]
#[case("DATA:text/html,x")]
#[case("vbscript:msgbox(1)")]
#[case("livescript:x")]
#[case("file:///etc/passwd")]
#[case("blob:http://host/x")]
#[case("view-source:http://host")]
#[case("about:blank")]
#[case("tel:1")]
#[case("ws://host")]
fn leaves_out_a_dangerous_address(#[case] address: &str) {
    let sources = [
        format!("[text]({address})"),
        format!("[text](<{address}> \"title\")"),
        format!("[text][a]\n\n[a]: {address}"),
        format!("[a]\n\n[a]: <{address}>"),
        format!("![text]({address})"),
        format!("![text][a]\n\n[a]: {address}"),
        format!("<{address}>"),
    ];
    for source in sources {
        let html = html(&source);
        assert_eq!(check(&html), Ok(()), "{html}");
        assert!(!html.contains("href=") && !html.contains("src="), "{source} gives {html}");
    }
}

#[rstest]
#[case("[a](http://b.example)", "href=\"http://b.example\"", true)]
#[case("[a](HTTPS://b.example)", "href=\"HTTPS://b.example\"", true)]
#[case("[a](//b.example/c)", "href=\"//b.example/c\"", true)]
#[case("[a](mailto:b@c.example)", "href=\"mailto:b@c.example\"", false)]
#[case("[a](b/c.md?d=e:f)", "href=\"b/c.md?d=e:f\"", false)]
#[case("[a](../b)", "href=\"../b\"", false)]
#[case("[a](/\\\\b.example)", "href=\"/%5Cb.example\"", false)]
#[case("[a](\\\\\\\\b.example)", "href=\"%5C%5Cb.example\"", false)]
#[case("[a](&#x6A&#x61;vascript:b)", "href=\"&amp;#x6Aavascript:b\"", false)] // the path `&`, then a fragment
#[case("[a](</b\"onclick=\"c>)", "href=\"/b%22onclick=%22c\"", false)]
fn marks_links_to_external_hosts(#[case] source: &str, #[case] href: &str, #[case] outside: bool) {
    let html = html(source);
    assert_eq!(check(&html), Ok(()));
    assert!(html.contains(href), "{html}");
    assert_eq!(html.contains("rel=\"noopener noreferrer nofollow\""), outside, "{html}");
}

#[rstest]
#[case("![\" onerror=\"alert(1)](a)")]
#[case("![a](b \"\\\" onerror=\\\"alert(1)\")")]
#[case("![a](<b\" onerror=\"alert(1)>)")]
#[case("[a](b '\"><script>alert(1)</script>')")]
#[case("```\"><script>alert(1)</script>\na\n```")]
#[case("```a\"onclick=\"x\na\n```")]
#[case("# \"><script>alert(1)</script>")]
#[case("[^\"><script>]\n\n[^\"><script>]: a")]
#[case("|a|\n|-|\n|<script>|")]
#[case("a\0b `\0` [\0](\0) ![\0](\0 \"\0\")\n\n# \0\n\n```\0\n\0\n```\n\n<b\0>")]
#[case("# location\n\n# document\n\n# __proto__\n\n# fn-1\n\n[^1]\n\n[^1]: a\n\n# location")]
fn nothing_escapes_from_an_attribute(#[case] source: &str) {
    let rendered = render(source, &RenderOptions::default());
    assert_eq!(check(&rendered.html), Ok(()), "{}", rendered.html);
    assert_eq!(check(&toc_html(&rendered.toc, "Contents")), Ok(()));
}

#[test]
fn checker_rejects_unsafe_html() {
    for html in [
        "<script>",
        "<p onclick=\"x\">",
        "<p",
        "<p>",
        "</p>",
        "a>b",
        "<a href=\"javascript:x\"></a>",
        "<a href=\" &amp;JAVA\tscript:x\"></a>",
        "<img src=\"mailto:x\">",
        "<li id=\"main\"></li>",
        "<p><em></p></em>",
        "<a><em><a></a></em></a>",
        "<li id=\"h-a\"></li><li id=\"h-a\"></li>",
    ] {
        assert!(check(html).is_err(), "{html}");
    }
}

/// Generates all kinds of valid and invalid markup between all kinds of letters.
fn source() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            "# ", "\n", "\n\n", "- ", "1. ", "> ", "```rust\n", "```\n", "    ", "\t", "*", "**", "_", "~~", "`",
            "[", "](", ")", "]", "][", "]: ", "![", "(/u \"t\")", "[^1]", "[^1]: ", "[a]: javascript:x\n", "[a]", "- [ ] ",
            "- [x] ", "| a | b |\n|:-:|--|\n", "|", "<b>", "<a href=\"x\" onclick='y'>", "</b>", "<div>\n", "<!--", "-->",
            "<script>", "</script>", "<http://a>", "<javascript:x>", "javascript:", "&colon;", "&#0;", "&#13;", "&lt;",
            "&quot;", "\\", "\"", "'", "<", ">", "&", "\0", "\r", "  \n", "---\n", "===\n", "//x", "#",
        ])
        .prop_map(str::to_owned),
        1 => "\\PC{0,5}",
        1 => "[a-z \n]{0,8}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn output_contains_only_allowed_html(source in source(), heading_links: bool, source_lines: bool) {
        let options = RenderOptions { heading_links, source_lines, ..RenderOptions::default() };
        let rendered = render(&source, &options);
        let parts = [
            rendered.html.clone(),
            toc_html(&rendered.toc, &source),
            render_plain(&source).html,
            render_json(&source).html,
        ];
        for html in parts {
            prop_assert_eq!(check(&html), Ok(()), "{}", html);
        }
        let whole = standalone_html(&source, &rendered, &StandaloneOptions::default());
        prop_assert!(whole.ends_with("</main>\n</body>\n</html>\n"));
        prop_assert_eq!(whole.matches("<title>").count(), 1);
    }

    #[test]
    fn every_contents_entry_has_a_heading(source in source()) {
        let rendered = render(&source, &RenderOptions::default());
        for entry in rendered.toc {
            let start = format!("<h{} id=\"{}\"", entry.level, entry.anchor);
            prop_assert_eq!(rendered.html.matches(&start).count(), 1, "{}", start);
        }
    }
}
