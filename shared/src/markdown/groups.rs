//! Groups of blocks, so that a browser need not lay out those of a long page that are not visible.
//!
//! A very long list, quote, table or code block is divided too: a browser takes quadratic time to
//! parse it, because it determines its direction again with each item.

/// A shorter text has no groups. In bytes of HTML, as all lengths here.
const SHORT: usize = 64 * 1024;
/// Shortest group of whole blocks.
const LEAST: usize = 8 * 1024;
/// Shortest piece of a block.
const LEAST_PIECE: usize = 32 * 1024;
/// Shortest piece of a table: the columns of another one may have other widths.
const LEAST_ROWS: usize = 256 * 1024;

/// Elements without an end tag.
const VOID: [&str; 4] = ["br", "hr", "img", "input"];
/// Elements that can be divided between two of their children.
const DIVISIBLE: [&str; 6] = ["ul", "ol", "blockquote", "div", "table", "tbody"];

/// Puts runs of blocks of a long rendered text into `<div class="part">` each. A heading stays with
/// what follows it. `data-goes-on` marks a part that goes on with a block.
#[must_use]
pub fn grouped(html: String) -> String {
    if html.len() < SHORT {
        return html;
    }
    let mut out = String::with_capacity(html.len() + html.len() / LEAST * 32 + 64);
    for piece in divided(&html, LEAST) {
        let goes_on = if piece.goes_on { " data-goes-on=\"\"" } else { "" };
        out.push_str(&format!("<div class=\"part\"{goes_on}>\n"));
        out.push_str(&piece.html);
        out.push_str("</div>\n");
    }
    out
}

/// A balanced piece of HTML.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    /// The HTML.
    pub html: String,
    /// Whether it starts within a block.
    pub goes_on: bool,
}

/// Divides the HTML of [`render`](super::render), where every element but a few is closed and no text
/// has a `<`: between blocks, each piece at least `least` bytes long, and within very long blocks
/// between items, rows and lines of code. Elements that go on are closed and opened again.
#[must_use]
pub fn divided(html: &str, least: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut open: Vec<Element<'_>> = Vec::new();
    let mut piece = Piece::default();
    let (mut done, mut at) = (0, 0);
    while let Some(found) = html[at..].find(['<', '\n']) {
        at += found;
        let rest = &html[at..];
        if rest.starts_with('\n') {
            at += 1;
            let is_code = matches!(&*open, [pre, code] if pre.name == "pre" && code.name == "code");
            if is_code && at - done >= LEAST_PIECE {
                cut(&mut piece, &html[done..at], &open, &mut pieces);
                done = at;
            }
            continue;
        }
        let Some(end) = rest.find('>') else { break };
        let tag = &rest[..=end];
        if tag.starts_with("</") {
            open.pop();
        } else {
            let long = match open.last() {
                None => least,
                Some(_) if open.iter().any(|it| it.name == "table") => LEAST_ROWS,
                Some(_) => LEAST_PIECE,
            };
            let may_cut = open.iter().all(|it| DIVISIBLE.contains(&it.name));
            if may_cut && at - done >= long && !keeps_next(&html[done..at]) {
                cut(&mut piece, &html[done..at], &open, &mut pieces);
                done = at;
            }
            let name = tag[1..].split([' ', '>']).next().unwrap_or_default();
            if let Some(parent) = open.last_mut().filter(|_| name == "li") {
                parent.items += 1;
            }
            if !VOID.contains(&name) {
                open.push(Element { name, tag, items: 0 });
            }
        }
        at += end + 1;
    }
    piece.html.push_str(&html[done..]);
    pieces.push(piece);
    pieces
}

struct Element<'h> {
    name: &'h str,
    /// Its start tag.
    tag: &'h str,
    /// Number of list items in it so far.
    items: usize,
}

/// Ends a piece, and starts the next one.
fn cut(piece: &mut Piece, html: &str, open: &[Element<'_>], pieces: &mut Vec<Piece>) {
    piece.html.push_str(html);
    let (mut next, goes_on) = (String::new(), !open.is_empty());
    for element in open {
        push_again(&mut next, element);
    }
    for element in open.iter().rev() {
        piece.html.push_str(&format!("</{}>", element.name));
    }
    pieces.push(std::mem::replace(piece, Piece { html: next, goes_on }));
}

/// Opens an element again. Its name and role stay with the first piece, and an ordered list goes on
/// counting.
fn push_again(out: &mut String, Element { name, tag, items }: &Element<'_>) {
    out.push('<');
    out.push_str(name);
    let mut start = 1;
    let mut rest = &tag[1 + name.len()..];
    while let Some((attribute, after)) = rest.split_once("=\"") {
        let Some((value, after)) = after.split_once('"') else { break };
        match attribute.trim_start() {
            "start" => start = value.parse().unwrap_or(1),
            "aria-label" | "data-line" | "id" | "role" => {}
            _ => out.push_str(&format!("{attribute}=\"{value}\"")),
        }
        rest = after;
    }
    if *name == "ol" {
        out.push_str(&format!(" start=\"{}\"", start + items));
    }
    out.push('>');
}

/// Returns whether HTML ends with a heading or a rule, which have spaces of their own after them.
fn keeps_next(before: &str) -> bool {
    let before = before.trim_end();
    let is_heading = before.len() > 5
        && before.ends_with('>')
        && before.get(before.len() - 5..before.len() - 2) == Some("</h");
    is_heading || before.ends_with("<hr>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::{RenderOptions, render};
    use rstest::rstest;

    fn html(source: &str) -> String {
        render(source, &RenderOptions::default()).html
    }

    fn assert_balanced(html: &str) {
        for name in ["blockquote", "ul", "ol", "li", "p", "h1", "pre", "code", "table", "tr", "div"]
        {
            let starts = html.matches(&format!("<{name} ")).count()
                + html.matches(&format!("<{name}>")).count();
            assert_eq!(starts, html.matches(&format!("</{name}>")).count(), "{name}");
        }
    }

    #[test]
    fn a_short_text_has_no_groups() {
        let html = html("# a\n\nb");
        assert_eq!(grouped(html.clone()), html);
    }

    #[test]
    fn groups_are_whole_blocks() {
        let block = "# Title\n\n> A *quote*\n> ![x](y) ![z](y)\n\n- [ ] one\n- two\n\n***\n\n";
        let html = html(&block.repeat(2_000));
        let groups = grouped(html.clone());
        let parts: Vec<&str> = groups.split("<div class=\"part\">\n").skip(1).collect();
        assert!(parts.len() > 20, "{}", parts.len());
        let contents: Vec<_> =
            parts.iter().map(|it| it.strip_suffix("</div>\n").unwrap()).collect();
        assert_eq!(contents.concat(), html);
        contents.iter().for_each(|part| assert_balanced(part));
        assert!(contents.iter().rev().skip(1).all(|part| !part.trim_end().ends_with("</h1>")));
    }

    #[rstest]
    #[case::list("- an *item*\n".repeat(5_000), "<li>an <em>item</em></li>", 5_000)]
    #[case::quote("> a paragraph\n>\n".repeat(5_000), "a paragraph", 5_000)]
    #[case::code("```rust\n".to_owned() + &"// some code\n".repeat(5_000) + "```", "some code", 5_000)]
    #[case::rows("|a|b|\n|-|-|\n".to_owned() + &"|cell|d|\n".repeat(20_000), "<td>cell</td>", 20_000)]
    fn a_very_long_block_is_divided(
        #[case] source: String,
        #[case] item: &str,
        #[case] count: usize,
    ) {
        let pieces = divided(&html(&source), LEAST);
        assert!(pieces.len() > 1 && pieces.iter().skip(1).all(|piece| piece.goes_on));
        pieces.iter().for_each(|piece| assert_balanced(&piece.html));
        let found: usize = pieces.iter().map(|piece| piece.html.matches(item).count()).sum();
        assert_eq!(found, count);
    }

    #[test]
    fn a_divided_list_goes_on_counting() {
        let pieces =
            divided(&html(&("3. an item\n".to_owned() + &"1. an item\n".repeat(5_000))), LEAST);
        let first = pieces[0].html.matches("<li>").count();
        assert!(pieces[0].html.starts_with("<ol start=\"3\""), "{}", &pieces[0].html[..40]);
        let next = format!("<ol dir=\"auto\" start=\"{}\"><li>", 3 + first);
        assert!(pieces[1].html.starts_with(&next), "{}", &pieces[1].html[..60]);
    }

    #[test]
    fn a_paragraph_is_not_divided() {
        assert_eq!(divided(&html(&"*a* ".repeat(50_000)), LEAST).len(), 1);
    }
}
