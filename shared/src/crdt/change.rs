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
