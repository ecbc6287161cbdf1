//! Splits edits that are too large for one update, such as a pasted book.

use crate::{crdt::Change, text::utf16::utf16_len};

/// Maximum bytes of text in an update; the server accepts updates of 1 MiB.
const LONGEST_INSERT: usize = 256 * 1024;

/// Splits an edit into a sequence of edits that each insert a limited amount; offsets of each refer
/// to the text after the previous one. A small edit is returned unchanged. Deletions come first, so
/// that the text is never longer than before and after.
#[must_use]
pub fn split_long_inserts(changes: Vec<Change>) -> Vec<Vec<Change>> {
    if changes.iter().map(|change| change.insert.len()).sum::<usize>() <= LONGEST_INSERT {
        return vec![changes];
    }
    let mut edits = vec![deletions(&changes)];
    edits.retain(|deletions| !deletions.is_empty());
    // From end to start, so that no edit shifts the next.
    let mut group: Vec<Change> = Vec::new();
    let mut bytes = 0;
    for Change { from, insert, .. } in insertions(changes).into_iter().rev() {
        if bytes + insert.len() > LONGEST_INSERT {
            edits.extend(in_order(std::mem::take(&mut group)));
            bytes = 0;
        }
        let mut at = from;
        let mut rest = insert.as_str();
        while rest.len() > LONGEST_INSERT {
            let (part, tail) = rest.split_at(rest.floor_char_boundary(LONGEST_INSERT));
            edits.push(vec![insertion(at, part)]);
            at += units(part);
            rest = tail;
        }
        if !rest.is_empty() {
            bytes += rest.len();
            group.push(insertion(at, rest));
        }
    }
    edits.extend(in_order(group));
    edits
}

/// Returns only the deletions.
fn deletions(changes: &[Change]) -> Vec<Change> {
    let deleted = changes.iter().filter(|change| change.to > change.from);
    deleted.map(|change| Change { insert: String::new(), ..change.clone() }).collect()
}

/// Returns only the insertions, with offsets in the text after the deletions.
fn insertions(changes: Vec<Change>) -> Vec<Change> {
    let mut deleted = 0;
    let moved = changes.into_iter().map(|Change { from, to, insert }| {
        let at = from - deleted;
        deleted += to - from;
        Change { from: at, to: at, insert }
    });
    moved.filter(|change| !change.insert.is_empty()).collect()
}

/// Reverses a group that was collected from its end.
fn in_order(mut group: Vec<Change>) -> Option<Vec<Change>> {
    group.reverse();
    (!group.is_empty()).then_some(group)
}

fn insertion(at: u32, text: &str) -> Change {
    Change { from: at, to: at, insert: text.to_owned() }
}

fn units(text: &str) -> u32 {
    u32::try_from(utf16_len(text)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::TextDoc;

    fn change(from: u32, to: u32, insert: &str) -> Change {
        Change { from, to, insert: insert.to_owned() }
    }

    #[test]
    fn a_small_edit_is_not_split() {
        let changes = vec![change(0, 1, "a"), change(4, 4, "b")];
        assert_eq!(split_long_inserts(changes.clone()), [changes]);
    }

    #[test]
    fn a_split_edit_gives_the_same_text() {
        let long = "島🏝 ".repeat(100_000);
        let changes = vec![change(1, 2, &long), change(3, 3, "end"), change(4, 5, &long)];
        let (mut whole, _) = TextDoc::from_text(1, "abcdef");
        whole.edit(&changes);
        let (mut parts, _) = TextDoc::from_text(1, "abcdef");
        let edits = split_long_inserts(changes);
        assert!(edits.len() > 6);
        assert!(edits[0].iter().all(|change| change.insert.is_empty()));
        for edit in &edits {
            assert!(parts.edit(edit).len() < 512 * 1024);
        }
        assert!(parts.text() == whole.text());
    }

    #[test]
    fn many_short_changes_stay_together() {
        let (text, long) = ("x.".repeat(2_000), "島🏝 long ".repeat(20));
        let changes: Vec<Change> = (0..2_000).map(|n| change(2 * n, 2 * n + 1, &long)).collect();
        let (mut whole, _) = TextDoc::from_text(1, &text);
        whole.edit(&changes);
        let (mut parts, _) = TextDoc::from_text(1, &text);
        let edits = split_long_inserts(changes);
        assert!(edits.len() <= 1 + 2_000 * long.len() / LONGEST_INSERT + 1, "{}", edits.len());
        for edit in &edits {
            parts.edit(edit);
        }
        assert!(parts.text() == whole.text());
    }
}
