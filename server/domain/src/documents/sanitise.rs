//! Second check of rendered Markdown (DESIGN §7). `izanagi_shared::markdown` writes nothing
//! outside this allow-list, so sanitising changes nothing unless the renderer has a bug.

use ammonia::{Builder, UrlRelative};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// Allowed elements, each with its allowed attributes besides `data-line`.
const ELEMENTS: &[(&str, &[&str])] = &[
    ("a", &["href", "title", "rel", "class", "role", "aria-label", "aria-hidden", "tabindex"]),
    ("blockquote", &[]),
    ("br", &[]),
    ("code", &["class"]),
    ("del", &[]),
    ("div", &["class", "role", "aria-label", "tabindex"]),
    ("em", &[]),
    ("h1", &["id"]),
    ("h2", &["id"]),
    ("h3", &["id"]),
    ("h4", &["id"]),
    ("h5", &["id"]),
    ("h6", &["id"]),
    ("hr", &[]),
    ("img", &["src", "alt", "title"]),
    ("input", &["class", "aria-label"]),
    ("li", &["id"]),
    ("nav", &["class", "aria-label"]),
    ("ol", &["start"]),
    ("p", &["class"]),
    ("pre", &["class"]),
    ("section", &["class", "aria-label"]),
    ("span", &["class"]),
    ("strong", &[]),
    ("sup", &["class", "id"]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &["class"]),
    ("th", &["class"]),
    ("thead", &[]),
    ("tr", &[]),
    ("ul", &[]),
];

/// Attributes restricted to a single value.
const VALUES: &[(&str, &str, &str)] = &[
    ("img", "loading", "lazy"),
    ("input", "type", "checkbox"),
    ("input", "disabled", ""),
    ("input", "checked", ""),
    ("pre", "tabindex", "0"),
    ("section", "role", "doc-endnotes"),
    ("th", "scope", "col"),
];

const CLASSES: &[&str] = &[
    "align-center",
    "align-left",
    "align-right",
    "code-block",
    "footnote-back",
    "footnote-ref",
    "footnotes",
    "heading-link",
    "plain-text",
    "raw-html",
    "refused-image",
    "refused-link",
    "table-scroll",
    "task",
    "toc",
];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut values: HashMap<_, HashMap<_, HashSet<_>>> = HashMap::new();
    for &(element, attribute, value) in VALUES {
        values.entry(element).or_default().entry(attribute).or_default().insert(value);
    }
    let attributes =
        ELEMENTS.iter().map(|&(element, names)| (element, names.iter().copied().collect()));
    let mut builder = Builder::empty();
    builder
        .tags(ELEMENTS.iter().map(|&(element, _)| element).collect())
        .tag_attributes(attributes.collect())
        .tag_attribute_values(values)
        .generic_attributes(HashSet::from(["data-line"]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        // The renderer sets it only on links to other hosts.
        .link_rel(None)
        .clean_content_tags(HashSet::from(["script", "style"]))
        .attribute_filter(|_, name, value| {
            let allowed = match name {
                "id" => ["h-", "fn-", "fnref-"].iter().any(|prefix| value.starts_with(prefix)),
                "class" => {
                    CLASSES.contains(&value)
                        || value.starts_with("language-")
                        || value.starts_with("tok-")
                }
                _ => true,
            };
            allowed.then_some(Cow::Borrowed(value))
        });
    builder
});

/// Removes everything that is not on the allow-list.
pub(super) fn check(html: &str) -> String {
    SANITISER.clean(html).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::markdown::{RenderOptions, render, render_json, render_plain};

    /// A text with every construct the renderer supports.
    const EVERYTHING: &str = "# One & *two*\n\n> quote\n\n- [x] done\n- [ ] open\n\n3. three\n\n\
        |a|b|\n|:-|-:|\n|1|`2`|\n\n~~del~~ **strong** ![alt](/i.png \"t\") \
        [out](https://example.org/?a=1&b=2) [in](#h-x) <b>raw</b>\n\n```rust\nfn main() {}\n```\n\n\
        note[^1]\n\n[^1]: the note\n\n<script>alert(1)</script>\n\n---\n\nline  \nbreak\n";

    #[test]
    fn changes_nothing_that_the_writer_writes() {
        let options = RenderOptions { source_lines: true, ..RenderOptions::default() };
        for html in [
            render(EVERYTHING, &options).html,
            render_plain("<a>"),
            render_json("{\"a\": [1, null]}"),
        ] {
            assert_eq!(check(&html).replace(['/', ' '], ""), html.replace(['/', ' '], ""));
        }
    }

    #[test]
    fn removes_what_it_never_writes() {
        for html in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<a href=\"javascript:alert(1)\">x</a>",
            "<p style=\"position:fixed\">x</p>",
            "<p id=\"main\">x</p>",
            "<iframe src=\"https://example.org\"></iframe>",
        ] {
            let clean = check(html);
            for word in ["script", "onerror", "style", "id=", "iframe"] {
                assert!(!clean.contains(word), "{clean}");
            }
        }
    }
}
