//! Groups of blocks, so that a browser need not lay out those of a long page that are not visible.

/// A shorter text has no groups.
const SHORT: usize = 64 * 1024;
/// Shortest group. In bytes of HTML, as all lengths here.
const LEAST: usize = 8 * 1024;

/// Elements without an end tag.
const VOID: [&str; 4] = ["br", "hr", "img", "input"];

/// Puts runs of blocks of a long rendered text into `<div class="part">` each. A heading stays with
/// what follows it. The HTML is that of [`render`](super::render), where every other element is
/// closed and no text has a `<`.
#[must_use]
pub fn grouped(html: String) -> String {
    if html.len() < SHORT {
        return html;
    }
    const START: &str = "<div class=\"part\">\n";
    let mut out = String::with_capacity(html.len() + html.len() / LEAST * 32 + 64);
    out.push_str(START);
    let (mut depth, mut done) = (0_usize, 0);
    for (at, _) in html.match_indices('<') {
        let tag = &html[at + 1..];
        if tag.starts_with('/') {
            depth = depth.saturating_sub(1);
            continue;
        }
        let name = tag.split([' ', '>']).next().unwrap_or_default();
        if depth == 0 && at - done >= LEAST && !follows_heading(&html[done..at]) {
            out.push_str(&html[done..at]);
            out.push_str("</div>\n");
            out.push_str(START);
            done = at;
        }
        if !VOID.contains(&name) {
            depth += 1;
        }
    }
    out.push_str(&html[done..]);
    out.push_str("</div>\n");
    out
}

/// Returns whether HTML ends with a heading or a rule, which have spaces of their own after them.
fn follows_heading(before: &str) -> bool {
    let before = before.trim_end();
    let is_level = |level: u8| before.ends_with(&format!("</h{level}>"));
    (1..=6).any(is_level) || before.ends_with("<hr>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::{RenderOptions, render};

    #[test]
    fn a_short_text_has_no_groups() {
        let html = render("# a\n\nb", &RenderOptions::default()).html;
        assert_eq!(grouped(html.clone()), html);
    }

    #[test]
    fn groups_are_whole_blocks() {
        let source = "# Title\n\n> A *quote*\n> ![x](y) ![z](y)\n\n- [ ] one\n- two\n\n***\n\n"
            .repeat(2_000);
        let html = render(&source, &RenderOptions::default()).html;
        let groups = grouped(html.clone());
        let parts: Vec<&str> = groups.split("<div class=\"part\">\n").skip(1).collect();
        assert!(parts.len() > 20, "{}", parts.len());
        let contents: Vec<&str> =
            parts.iter().map(|it| it.strip_suffix("</div>\n").unwrap()).collect();
        assert_eq!(contents.concat(), html);
        for part in &contents {
            for name in ["blockquote", "ul", "li", "p", "h1"] {
                let starts = part.matches(&format!("<{name} ")).count()
                    + part.matches(&format!("<{name}>")).count();
                assert_eq!(starts, part.matches(&format!("</{name}>")).count(), "{name}");
            }
        }
        assert!(contents.iter().rev().skip(1).all(|part| !part.trim_end().ends_with("</h1>")));
    }
}
