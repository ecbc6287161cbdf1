//! Table of contents.

use serde::{Deserialize, Serialize};

use super::escape::{push_address, push_attribute, push_text};

/// A heading of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TocEntry {
    /// Level, 1 to 6.
    pub level: u8,
    /// Heading text without formatting, not HTML-escaped.
    pub text: String,
    /// Id of the heading including the `h-` prefix, not HTML-escaped.
    pub anchor: String,
}

/// Renders the headings as nested lists of links in `<nav class="toc">`, with `label` as its
/// accessible name. Returns an empty string if there are no headings.
///
/// A heading is nested under the nearest preceding one with a smaller level; skipped levels do not
/// produce empty lists.
#[must_use]
pub fn toc_html(toc: &[TocEntry], label: &str) -> String {
    if toc.is_empty() {
        return String::new();
    }
    let mut out = String::from("<nav class=\"toc\" aria-label=\"");
    push_attribute(&mut out, label);
    out.push_str("\">\n");
    // Levels of the open entries, outermost first; at most six.
    let mut open: Vec<u8> = Vec::new();
    for entry in toc {
        let mut is_sibling = false;
        while let Some(level) = open.pop() {
            if level < entry.level {
                open.push(level);
                break;
            }
            if is_sibling {
                out.push_str("</ul>\n");
            }
            out.push_str("</li>\n");
            is_sibling = true;
        }
        if !is_sibling {
            out.push_str("<ul>\n");
        }
        open.push(entry.level);
        push_entry(&mut out, entry);
    }
    out.push_str(&"</li>\n</ul>\n".repeat(open.len()));
    out.push_str("</nav>\n");
    out
}

/// Returns the length of an entry in HTML, about: its address, its text and the markup.
pub(super) fn entry_length(text: &str, anchor: &str) -> usize {
    3 * anchor.len() + text.len() + "<li><a href=\"#\"></a>\n</li>\n".len()
}

fn push_entry(out: &mut String, entry: &TocEntry) {
    out.push_str("<li><a href=\"#");
    push_address(out, &entry.anchor);
    out.push_str("\" dir=\"auto\">");
    push_text(out, &entry.text);
    out.push_str("</a>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn entries(levels: &[u8]) -> Vec<TocEntry> {
        let entry =
            |&level: &u8| TocEntry { level, text: level.to_string(), anchor: format!("h-{level}") };
        levels.iter().map(entry).collect()
    }

    /// Reduces HTML to `(` and `)` for list boundaries plus the text of each link.
    fn shape(html: &str) -> String {
        html.replace("<ul>", "(")
            .replace("</ul>", ")")
            .split(['<', '\n'])
            .filter_map(|part| part.rsplit('>').next())
            .collect()
    }

    #[rstest]
    #[case(&[], "")]
    #[case(&[1], "(1)")]
    #[case(&[1, 2, 2, 3, 1], "(1(22(3))1)")]
    #[case(&[1, 4, 2], "(1(42))")]
    #[case(&[3, 2, 1], "(321)")]
    #[case(&[1, 2, 3, 4, 5, 6, 1], "(1(2(3(4(5(6)))))1)")]
    fn nests_entries_by_heading_level(#[case] levels: &[u8], #[case] expected: &str) {
        let html = toc_html(&entries(levels), "Contents");
        assert_eq!(shape(&html), expected);
        for name in ["ul", "li", "nav", "a"] {
            let starts = html.matches(&format!("<{name}>")).count()
                + html.matches(&format!("<{name} ")).count();
            assert_eq!(starts, html.matches(&format!("</{name}>")).count(), "{html}");
        }
    }

    #[test]
    fn escapes_heading_text_and_label() {
        let entry = TocEntry { level: 1, text: "<b>".into(), anchor: "h-\"é".into() };
        assert_eq!(
            toc_html(&[entry], "\"x"),
            "<nav class=\"toc\" aria-label=\"&quot;x\">\n<ul>\n\
             <li><a href=\"#h-%22%C3%A9\" dir=\"auto\">&lt;b&gt;</a>\n</li>\n</ul>\n</nav>\n"
        );
    }
}
