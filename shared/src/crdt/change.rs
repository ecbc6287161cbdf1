//! A change of a text, as CodeMirror gives and takes it.

use crate::text::{
    delta::TextDelta,
    utf16::{bytes_to_utf16, utf16_len},
};
use serde::{Deserialize, Serialize};
use yrs::{Out, types::Delta};

/// A replaced stretch of text, in UTF-16 units of the text before the change; the shape
/// CodeMirror gives and takes. In a list, changes are sorted and do not overlap, and all count in
/// the text before the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Where the stretch starts.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
    /// What stands there instead.
    pub insert: String,
}

/// Turns a Yjs delta into changes that count in the text before it.
pub(super) fn changes_of(delta: &[Delta]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut at = 0;
    for step in delta {
        match step {
            Delta::Retain(units, _) => at += units,
            Delta::Deleted(units) => {
                change_at(&mut changes, at).to += units;
                at += units;
            }
            Delta::Inserted(Out::Any(yrs::Any::String(text)), _) => {
                change_at(&mut changes, at).insert.push_str(text);
            }
            // The gate lets nothing but text in.
            Delta::Inserted(..) => {}
        }
    }
    changes
}

/// The change from everything that differs to the other text; `None` if they are equal.
#[must_use]
pub fn one_change(old: &str, new: &str) -> Option<Change> {
    let common = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
        pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
    };
    let start = common(&mut old.chars().zip(new.chars()));
    let (rest, insert) = (&old[start..], &new[start..]);
    let tail = common(&mut rest.chars().rev().zip(insert.chars().rev()));
    let (deleted, insert) = (&rest[..rest.len() - tail], &insert[..insert.len() - tail]);
    let units = |text| u32::try_from(utf16_len(text)).unwrap_or(u32::MAX);
    let from = units(&old[..start]);
    let change = Change { from, to: from + units(deleted), insert: insert.to_owned() };
    (old != new).then_some(change)
}

/// The changes that turn a text into another one, each as small as a comparison finds it.
#[must_use]
pub fn changes_between(old: &str, new: &str) -> Vec<Change> {
    if old == new {
        return Vec::new();
    }
    let delta = TextDelta::between(old, new);
    let offsets = delta.edits().flat_map(|(range, _)| [range.start, range.end]);
    // The offsets of a delta are between characters and in order.
    let offsets = bytes_to_utf16(old, offsets).unwrap_or_default();
    let ranges = offsets.chunks_exact(2).zip(delta.edits());
    let units = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
    ranges
        .map(|(range, (_, insert))| Change {
            from: units(range[0]),
            to: units(range[1]),
            insert: insert.to_owned(),
        })
        .collect()
}

/// The change that ends at `at`, or a new empty one there.
fn change_at(changes: &mut Vec<Change>, at: u32) -> &mut Change {
    let continues = changes.last().is_some_and(|last| last.to == at);
    if !continues {
        changes.push(Change { from: at, to: at, insert: String::new() });
    }
    let last = changes.len() - 1;
    &mut changes[last]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn finds_each_change() {
        let (old, new) = ("one 🏝 two\nthree\nfour\n", "1 🏝 two\nthree\nfive four\n");
        let change = |from, to, insert: &str| Change { from, to, insert: insert.to_owned() };
        assert_eq!(changes_between(old, new), [change(0, 3, "1"), change(17, 17, "five ")]);
        assert_eq!(changes_between(old, old), []);
    }

    #[rstest]
    #[case("one two", "one 2 two", 4, 4, "2 ")]
    #[case("aaa", "aa", 2, 3, "")]
    #[case("🏝a🏝", "🏝b🏝", 2, 3, "b")]
    #[case("", "島", 0, 0, "島")]
    fn replaces_what_differs(
        #[case] old: &str,
        #[case] new: &str,
        #[case] from: u32,
        #[case] to: u32,
        #[case] insert: &str,
    ) {
        let change = Change { from, to, insert: insert.to_owned() };
        assert_eq!(one_change(old, new), Some(change));
        assert_eq!(one_change(new, new), None);
    }
}
