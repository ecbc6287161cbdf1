//! A pasted book is more than one update may hold.

use izanagi_shared::{crdt::Change, text::utf16::utf16_len};

/// The most bytes of text in one update; the server takes updates of 1 MiB.
const LONGEST_INSERT: usize = 256 * 1024;

/// The same edit as a row of edits none of which inserts too much; each counts in the text after
/// the one before. Most edits come back as they are, alone.
#[must_use]
pub fn split_long_inserts(changes: Vec<Change>) -> Vec<Vec<Change>> {
    if changes.iter().map(|change| change.insert.len()).sum::<usize>() <= LONGEST_INSERT {
        return vec![changes];
    }
    // From the end of the text to its start, so that no part moves the place of the next.
    let mut edits = Vec::new();
    for change in changes.into_iter().rev() {
        let (mut at, mut to) = (change.from, change.to);
        let mut rest = change.insert.as_str();
        loop {
            let (part, tail) = rest.split_at(rest.floor_char_boundary(LONGEST_INSERT));
            edits.push(vec![Change { from: at, to, insert: part.to_owned() }]);
            at += u32::try_from(utf16_len(part)).unwrap_or(u32::MAX);
            to = at;
            rest = tail;
            if rest.is_empty() {
                break;
            }
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::crdt::TextDoc;

    fn change(from: u32, to: u32, insert: &str) -> Change {
        Change { from, to, insert: insert.to_owned() }
    }

    #[test]
    fn an_ordinary_edit_stays_one() {
        let changes = vec![change(0, 1, "a"), change(4, 4, "b")];
        assert_eq!(split_long_inserts(changes.clone()), [changes]);
    }

    #[test]
    fn a_long_edit_gives_the_same_text_in_parts() {
        let long = "島🏝 ".repeat(100_000);
        let changes = vec![change(1, 2, &long), change(3, 3, "end"), change(4, 5, &long)];
        let (mut whole, _) = TextDoc::from_text(1, "abcdef");
        whole.edit(&changes);
        let (mut parts, _) = TextDoc::from_text(1, "abcdef");
        let edits = split_long_inserts(changes);
        assert!(edits.len() > 6);
        for edit in &edits {
            assert!(parts.edit(edit).len() < 512 * 1024);
        }
        assert!(parts.text() == whole.text());
    }
}
