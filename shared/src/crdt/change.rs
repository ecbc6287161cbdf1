//! A change of a text, as CodeMirror gives and takes it.

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

/// The change that ends at `at`, or a new empty one there.
fn change_at(changes: &mut Vec<Change>, at: u32) -> &mut Change {
    let continues = changes.last().is_some_and(|last| last.to == at);
    if !continues {
        changes.push(Change { from: at, to: at, insert: String::new() });
    }
    let last = changes.len() - 1;
    &mut changes[last]
}

/// One change that turns `old` into `new`.
pub(super) fn between(old: &str, new: &str) -> Vec<Change> {
    if old == new {
        return Vec::new();
    }
    let (old, new): (Vec<u16>, Vec<u16>) =
        (old.encode_utf16().collect(), new.encode_utf16().collect());
    let common = |a: &mut dyn Iterator<Item = (&u16, &u16)>| a.take_while(|(x, y)| x == y).count();
    let mut start = common(&mut old.iter().zip(&new));
    // A boundary never stands inside a surrogate pair.
    while start > 0 && is_low(old.get(start)) | is_low(new.get(start)) {
        start -= 1;
    }
    let mut end = common(&mut old[start..].iter().rev().zip(new[start..].iter().rev()));
    while end > 0 && is_low(old.get(old.len() - end)) {
        end -= 1;
    }
    let units = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let insert = String::from_utf16_lossy(&new[start..new.len() - end]);
    vec![Change { from: units(start), to: units(old.len() - end), insert }]
}

fn is_low(unit: Option<&u16>) -> bool {
    unit.is_some_and(|unit| (0xDC00..=0xDFFF).contains(unit))
}
