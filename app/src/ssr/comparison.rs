//! Divides a comparison into pages. Two texts of a megabyte can differ in every line, and a browser
//! needs many times a text's size in memory to display it.

use crate::{
    api::versions::{Comparison, Fold, Part},
    components::count_signs,
};
use izanagi_shared::text::{
    diff::{Diff, DiffLine, Gap, Hunk, Span},
    differ_only_in_line_ends,
};
use std::ops::Range;

/// Longer unchanged parts are included only on request.
const LINES_UNASKED: usize = 500;
/// Maximum number of unchanged lines included on request.
const LINES_ASKED: usize = 2_000;
/// Approximate size of a page in bytes of text.
const PAGE_BYTES: usize = 192 * 1024;
/// Overhead of a line in bytes.
const LINE_BYTES: usize = 64;
/// Longer lines are shortened.
const LONG_LINE: usize = 8 * 1024;
/// Longer spans of a shortened line show only their start and end.
const LONG_SPAN: usize = 512;
/// Maximum length of a shortened line.
const MOST_OF_A_LINE: usize = 16 * 1024;

/// Returns page `page` (counted from 1, or the last one if there are fewer) of a comparison with
/// `old` on the left and `new` on the right, including the lines of the unchanged part with index `unfold`.
pub(crate) fn page_of(
    mut diff: Diff,
    old: &str,
    new: &str,
    page: usize,
    unfold: Option<usize>,
) -> Comparison {
    let gaps = diff.gaps(new);
    let mut is_shortened = false;
    for line in diff.hunks.iter_mut().flat_map(|hunk| &mut hunk.lines) {
        is_shortened |= shorten(line);
    }
    let pages = pages(&diff.hunks, &gaps);
    let page = page.clamp(1, pages.len());
    let is_last = page == pages.len();
    let begins = |number: usize| {
        let begins = |piece: &Piece| piece.begins() && piece.hunk + 1 == number;
        pages.iter().position(|page| page.iter().any(begins)).map_or(1, |index| index + 1)
    };
    let here = &pages[page - 1];
    let before = here.first().map_or(0, |piece| piece.hunk);
    let after = here.last().map_or(0, |piece| piece.hunk + 2);
    let mut folded = |index: usize| {
        let (fold, is_cut) = fold(&gaps[index], index, unfold);
        is_shortened |= is_cut;
        fold
    };
    let parts = here.iter().map(|piece| Part {
        fold: piece.begins().then(|| folded(piece.hunk)),
        number: piece.hunk + 1,
        hunk: piece.cut(&diff.hunks[piece.hunk]),
    });
    let parts = parts.collect();
    let tail = (is_last && !diff.truncated).then(|| folded(diff.hunks.len()));
    Comparison {
        added: diff.added,
        removed: diff.removed,
        only_line_ends: differ_only_in_line_ends(old, new),
        is_coarse: diff.coarse,
        is_shortened,
        is_truncated: diff.truncated,
        changes: diff.hunks.len(),
        page,
        pages: pages.len(),
        page_before: begins(before),
        page_after: begins(after),
        parts,
        tail,
    }
}

/// A range of lines of a hunk.
struct Piece {
    hunk: usize,
    lines: Range<usize>,
}

impl Piece {
    const fn begins(&self) -> bool {
        self.lines.start == 0
    }

    /// Returns a hunk with only these lines.
    fn cut(&self, hunk: &Hunk) -> Hunk {
        let before = &hunk.lines[..self.lines.start];
        let lines = &hunk.lines[self.lines.clone()];
        let olds = |lines: &[DiffLine]| lines.iter().filter(|line| line.old.is_some()).count();
        let news = |lines: &[DiffLine]| lines.iter().filter(|line| line.new.is_some()).count();
        let start = |start: usize, of_all: usize, before: usize, here: usize| {
            // A side without lines is located by the line before it.
            start + usize::from(of_all == 0) + before - usize::from(here == 0)
        };
        let (old_lines, new_lines) = (olds(lines), news(lines));
        Hunk {
            id: hunk.id.clone(),
            old_start: start(hunk.old_start, hunk.old_lines, olds(before), old_lines),
            old_lines,
            new_start: start(hunk.new_start, hunk.new_lines, news(before), new_lines),
            new_lines,
            coarse: hunk.coarse,
            lines: lines.to_vec(),
        }
    }
}

/// Divides the hunks into pages; there is always at least one.
fn pages(hunks: &[Hunk], gaps: &[Gap<'_>]) -> Vec<Vec<Piece>> {
    let (mut pages, mut page, mut used) = (Vec::new(), Vec::new(), 0);
    for (index, (hunk, gap)) in hunks.iter().zip(gaps).enumerate() {
        let unchanged = if is_sent(gap) { fold_cost(gap) } else { 0 };
        let whole = unchanged + hunk.lines.iter().map(line_cost).sum::<usize>();
        let is_crowded = used > PAGE_BYTES / 2 || (used > 0 && whole <= PAGE_BYTES);
        if used + whole > PAGE_BYTES && is_crowded {
            pages.push(std::mem::take(&mut page));
            used = 0;
        }
        used += unchanged;
        let mut begin = 0;
        for (at, line) in hunk.lines.iter().enumerate() {
            let cost = line_cost(line);
            if used + cost > PAGE_BYTES && at > begin {
                page.push(Piece { hunk: index, lines: begin..at });
                pages.push(std::mem::take(&mut page));
                (begin, used) = (at, 0);
            }
            used += cost;
        }
        page.push(Piece { hunk: index, lines: begin..hunk.lines.len() });
    }
    if !page.is_empty() || pages.is_empty() {
        pages.push(page);
    }
    pages
}

fn line_cost(line: &DiffLine) -> usize {
    let text: usize = line.spans.iter().map(|span| span.text.len() + LINE_BYTES / 2).sum();
    text + (1 + count_signs(line)) * LINE_BYTES
}

fn fold_cost(gap: &Gap<'_>) -> usize {
    gap.lines.iter().map(|line| line.len() + LINE_BYTES).sum()
}

/// Returns whether unchanged lines are included by default.
fn is_sent(gap: &Gap<'_>) -> bool {
    gap.lines.len() <= LINES_UNASKED && fold_cost(gap) <= PAGE_BYTES / 4
}

/// Returns an unchanged part, and whether some of its lines are shortened.
fn fold(gap: &Gap<'_>, index: usize, unfold: Option<usize>) -> (Fold, bool) {
    let sent = match unfold {
        _ if is_sent(gap) => gap.lines.len(),
        Some(asked) if asked == index => LINES_ASKED,
        _ => 0,
    };
    let (mut lines, mut bytes, mut is_cut) = (Vec::new(), 0, false);
    for line in gap.lines.iter().take(sent) {
        let shown = shortened(line, LONG_LINE);
        bytes += shown.len() + LINE_BYTES;
        if bytes > PAGE_BYTES && !lines.is_empty() {
            break;
        }
        is_cut |= shown != *line;
        lines.push(shown);
    }
    let fold = Fold {
        index,
        old_start: gap.old_start,
        new_start: gap.new_start,
        count: gap.lines.len(),
        lines: (sent > 0).then_some(lines),
    };
    (fold, is_cut)
}

/// Shortens a very long line to the changes and their surroundings. Returns whether it did.
fn shorten(line: &mut DiffLine) -> bool {
    let length: usize = line.spans.iter().map(|span| span.text.len()).sum();
    if length <= LONG_LINE {
        return false;
    }
    let mut left = MOST_OF_A_LINE;
    let mut spans: Vec<Span> = Vec::new();
    for span in &line.spans {
        if left == 0 {
            spans.push(Span { text: " …".to_owned(), changed: false });
            break;
        }
        let text = shortened(&span.text, LONG_SPAN.min(left.max(16)));
        left = left.saturating_sub(text.len().max(LINE_BYTES));
        spans.push(Span { text, changed: span.changed });
    }
    line.spans = spans;
    true
}

/// Returns the start and end of a text longer than `most` bytes.
fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let begin = text.floor_char_boundary(most / 2);
    let end = text.ceil_char_boundary(text.len() - most / 2);
    format!("{} … {}", &text[..begin], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::text::diff::{DiffOptions, diff_lines};

    fn diff(old: &str, new: &str) -> Diff {
        diff_lines(old, new, &DiffOptions::default())
    }

    fn lines(range: Range<usize>, word: &str) -> String {
        range.map(|line| format!("{word} {line}\n")).collect()
    }

    #[test]
    fn a_long_unchanged_part_is_included_only_on_request() {
        let old = lines(0..600, "");
        let new = old.clone() + "one more\n";
        let closed = page_of(diff(&old, &new), &old, &new, 1, None);
        let fold = closed.parts[0].fold.as_ref().unwrap();
        assert_eq!((fold.count, fold.lines.is_none()), (597, true));
        assert_eq!(closed.tail.unwrap().count, 0);
        let unfolded = page_of(diff(&old, &new), &old, &new, 1, Some(0));
        let fold = unfolded.parts[0].fold.as_ref().unwrap();
        assert_eq!(fold.lines.as_ref().map(Vec::len), Some(597));
    }

    #[test]
    fn unfolded_lines_are_limited_too() {
        let old = lines(0..9_000, "");
        let new = old.clone() + "one more\n";
        let unfolded = page_of(diff(&old, &new), &old, &new, 1, Some(0));
        let fold = unfolded.parts[0].fold.as_ref().unwrap();
        assert_eq!((fold.count, fold.lines.as_ref().map(Vec::len)), (8_997, Some(LINES_ASKED)));
    }

    #[test]
    fn unfolded_lines_may_be_long() {
        let old = format!("{}\n", "word ".repeat(4_000)).repeat(600);
        let new = old.clone() + "one more\n";
        let unfolded = page_of(diff(&old, &new), &old, &new, 1, Some(0));
        assert!(unfolded.is_shortened);
        let lines = unfolded.parts[0].fold.as_ref().and_then(|fold| fold.lines.as_ref()).unwrap();
        let bytes: usize = lines.iter().map(String::len).sum();
        assert!((1..=PAGE_BYTES).contains(&bytes), "{bytes}");
    }

    #[test]
    fn finds_the_pages_of_the_adjacent_changes() {
        // Two large changes with a small one between them.
        let same = lines(0..40, "same");
        let old =
            [lines(0..5_000, "old"), same.clone(), lines(0..1, "a"), same, lines(0..5_000, "b")];
        let new = old.concat().replace("old", "new").replace("a 0", "x 0").replace("b ", "c ");
        let first = page_of(diff(&old.concat(), &new), &old.concat(), &new, 1, None);
        assert_eq!(first.changes, 3);
        assert!(first.page_after > 2, "{}", first.page_after);
        let second =
            page_of(diff(&old.concat(), &new), &old.concat(), &new, first.page_after, None);
        assert!(second.parts.iter().any(|part| part.number == 2 && part.fold.is_some()));
        let last = page_of(diff(&old.concat(), &new), &old.concat(), &new, second.pages, None);
        assert_eq!(last.page_before, first.page_after);
    }

    #[test]
    fn a_large_change_spans_several_pages() {
        let (old, new) = (lines(0..6_000, "old"), lines(0..6_000, "new"));
        let first = page_of(diff(&old, &new), &old, &new, 1, None);
        assert_eq!((first.changes, first.page), (1, 1));
        assert!(first.pages > 3);
        let mut seen = Vec::new();
        let mut expected = (1, 1);
        for page in 1..=first.pages {
            let shown = page_of(diff(&old, &new), &old, &new, page, None);
            assert_eq!(shown.parts.len(), 1);
            let Part { fold, number, hunk } = &shown.parts[0];
            assert_eq!(
                (*number, fold.is_some(), shown.tail.is_some()),
                (1, page == 1, page == first.pages)
            );
            let starts = |lines: usize, at: usize| if lines == 0 { at - 1 } else { at };
            assert_eq!(hunk.old_start, starts(hunk.old_lines, expected.0));
            assert_eq!(hunk.new_start, starts(hunk.new_lines, expected.1));
            expected = (expected.0 + hunk.old_lines, expected.1 + hunk.new_lines);
            seen.extend(shown.parts.into_iter().flat_map(|part| part.hunk.lines));
        }
        assert_eq!(seen, diff(&old, &new).hunks[0].lines);
        assert_eq!(page_of(diff(&old, &new), &old, &new, 99, None).page, first.pages);
    }

    #[test]
    fn small_changes_are_not_divided() {
        let old = lines(0..60_000, "line");
        let mut new = old.clone();
        for line in (0..60_000).step_by(20) {
            new = new.replacen(&format!("line {line}\n"), &format!("row {line}\n"), 1);
        }
        let whole = diff(&old, &new);
        let (mut numbers, mut page) = (Vec::new(), 1);
        loop {
            let shown = page_of(whole.clone(), &old, &new, page, None);
            for part in &shown.parts {
                assert_eq!(part.hunk, whole.hunks[part.number - 1]);
                assert!(part.fold.is_some());
                numbers.push(part.number);
            }
            if page == shown.pages {
                break;
            }
            page += 1;
        }
        assert!(page > 5, "{page}");
        assert_eq!(numbers, (1..=whole.hunks.len()).collect::<Vec<_>>());
    }

    #[test]
    fn the_rest_of_a_truncated_comparison_is_not_shown_as_unchanged() {
        let options = DiffOptions { max_lines: 4, ..DiffOptions::default() };
        let (old, new) = (lines(0..9, "old"), lines(0..9, "new"));
        let shown = page_of(diff_lines(&old, &new, &options), &old, &new, 1, None);
        assert!(shown.is_truncated && shown.tail.is_none());
        assert_eq!(shown.parts[0].hunk.lines.len(), 4);
    }

    #[test]
    fn equal_texts_have_one_page_without_changes() {
        let shown = page_of(diff("a\n", "a\n"), "a\n", "a\n", 1, None);
        assert_eq!((shown.changes, shown.pages, shown.parts.len()), (0, 1, 0));
    }

    #[test]
    fn a_very_long_line_is_shortened_to_its_changes() {
        let old = format!("{} one {}", "a ".repeat(50_000), "b ".repeat(50_000));
        let new = old.replace("one", "two");
        let shown = page_of(diff(&old, &new), &old, &new, 1, None);
        assert!(shown.is_shortened);
        let text = |line: &DiffLine| line.spans.iter().map(|span| &*span.text).collect::<String>();
        let texts: Vec<String> = shown.parts[0].hunk.lines.iter().map(text).collect();
        assert!(texts.iter().all(|text| text.len() < 2_000 && text.contains(" … ")));
        assert!(texts[0].contains(" one ") && texts[1].contains(" two "));
    }
}
