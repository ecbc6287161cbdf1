//! The differences of a moment from the present text, as HTML.

use crate::words;
use izanagi_shared::{
    markdown::escape_text,
    text::diff::{DiffLine, DiffOptions, Hunk, LineKind, diff_lines},
};

/// About how much is shown at most. In bytes.
const MOST_BYTES: usize = 192 * 1024;
/// Overhead of a line in bytes.
const LINE_BYTES: usize = 64;
/// Longer lines are shortened. In bytes.
const LONG_LINE: usize = 8 * 1024;
/// Steps of a comparison, so that it takes a fraction of a second in a browser.
const BUDGET: u64 = 20_000_000;

/// Differences that are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// Lines added since.
    pub added: usize,
    /// Lines removed since.
    pub removed: usize,
    /// The changes as HTML.
    pub html: String,
    /// Whether some of them are left out.
    pub is_cut: bool,
}

/// Compares the text of a moment with the present one.
#[must_use]
pub fn differences(then: &str, now: &str) -> Shown {
    let options = DiffOptions { budget: BUDGET, ..DiffOptions::default() };
    let diff = diff_lines(then, now, &options);
    let mut shown = Shown {
        added: diff.added,
        removed: diff.removed,
        is_cut: diff.truncated,
        ..Shown::default()
    };
    for (number, hunk) in diff.hunks.iter().enumerate() {
        if shown.html.len() > MOST_BYTES {
            shown.is_cut = true;
            break;
        }
        shown.add(hunk, number + 1);
    }
    shown
}

impl Shown {
    fn add(&mut self, hunk: &Hunk, number: usize) {
        let title =
            words::timeline_change(&words::grouped(number as u64), &hunk.old_start.to_string());
        self.html.push_str(&format!(
            "<section class=\"hunk\" aria-labelledby=\"change-{number}\"><div class=\"hunk-head\">\
             <h2 id=\"change-{number}\">{}</h2></div>",
            escape_text(&title),
        ));
        for line in &hunk.lines {
            if self.html.len() > MOST_BYTES {
                self.is_cut = true;
                break;
            }
            self.add_line(line);
        }
        self.html.push_str("</section>");
    }

    fn add_line(&mut self, line: &DiffLine) {
        let (kind, spoken, tag) = match line.kind {
            LineKind::Equal => ("equal", String::new(), None),
            LineKind::Insert => ("insert", words::timeline_added(), Some("ins")),
            LineKind::Delete => ("delete", words::timeline_removed(), Some("del")),
        };
        let number = |name: &str, number: Option<usize>| {
            number.map_or_else(String::new, |number| format!(" data-{name}=\"{number}\""))
        };
        let (old, new) = (number("old", line.old), number("new", line.new));
        self.html.reserve(LINE_BYTES);
        self.html.push_str(&format!("<div class=\"diff-line\" data-kind=\"{kind}\"{old}{new}>"));
        if !spoken.is_empty() {
            self.html.push_str(&format!(
                "<span class=\"visually-hidden\">{}</span>",
                escape_text(&spoken)
            ));
        }
        self.html.push_str("<span class=\"diff-text\" dir=\"auto\">");
        // A line without a counterpart is marked as a whole.
        let is_whole = line.spans.len() == 1;
        let mut left = LONG_LINE;
        for span in &line.spans {
            let end = span.text.floor_char_boundary(left);
            let text = escape_text(&span.text[..end]);
            match tag.filter(|_| span.changed && !is_whole) {
                Some(tag) => self.html.push_str(&format!("<{tag}>{text}</{tag}>")),
                None => self.html.push_str(&text),
            }
            if end < span.text.len() {
                self.html.push('…');
                self.is_cut = true;
                break;
            }
            left -= end;
        }
        self.html.push_str("</span></div>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_words_are_marked_and_text_is_escaped() {
        let shown = words::in_english(|| differences("a <b> c\n", "a <i> c\nnew\n"));
        assert_eq!((shown.added, shown.removed, shown.is_cut), (2, 1, false));
        assert!(shown.html.contains("a &lt;<del>b</del>&gt; c"), "{}", shown.html);
        assert!(shown.html.contains("<ins>i</ins>"), "{}", shown.html);
        assert!(shown.html.contains("dir=\"auto\">new</span>"), "{}", shown.html);
        assert!(shown.html.contains("added: "), "{}", shown.html);
    }

    #[test]
    fn very_many_changes_are_cut() {
        let text =
            |word: &str| (0..20_000).map(|line| format!("{word} {line}\n")).collect::<String>();
        let shown = words::in_english(|| differences(&text("old"), &text("new")));
        assert!(shown.is_cut && shown.html.len() < 2 * MOST_BYTES);
        let long = words::in_english(|| differences("", &"x".repeat(1_000_000)));
        assert!(long.is_cut && long.html.len() < 2 * LONG_LINE);
        assert!(words::in_english(|| differences("same", "same")).html.is_empty());
    }
}
