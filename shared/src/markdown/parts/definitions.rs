//! Definitions of links and notes, which apply to the whole document wherever they stand.

use std::collections::{HashMap, HashSet};
use unicase::UniCase;

use super::summary::{Label, Summary, note_key};

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) to: String,
    pub(super) title: String,
}

/// The definitions of a document.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    links: HashMap<Label, Link>,
    notes: HashSet<Label>,
}

impl Definitions {
    /// Collects the definitions of all parts, in order. The first of a label applies.
    pub(super) fn of<'p>(parts: impl Iterator<Item = &'p Summary>) -> Self {
        let mut all = Self::default();
        for part in parts {
            for (label, link) in &part.links {
                all.links.entry(label.clone()).or_insert_with(|| link.clone());
            }
            all.notes.extend(part.notes.iter().cloned());
        }
        all
    }

    pub(super) fn link(&self, label: &Label) -> Option<&Link> {
        self.links.get(label)
    }

    /// Returns whether another definition of a label applies than this one.
    pub(super) fn overrides(&self, label: &Label, own: &Link) -> bool {
        self.links.get(label).is_some_and(|first| first != own)
    }

    /// Returns the keys of definitions that only one of two documents has.
    pub(super) fn changed(&self, other: &Self) -> HashSet<Label> {
        let links = |a: &Self, b: &Self| -> Vec<Label> {
            let is_new = |(label, link): &(&Label, &Link)| b.links.get(*label) != Some(*link);
            a.links.iter().filter(is_new).map(|(label, _)| label.clone()).collect()
        };
        let notes = self.notes.symmetric_difference(&other.notes);
        let mut changed: HashSet<Label> = notes.map(note_key).collect();
        changed.extend(links(self, other));
        changed.extend(links(other, self));
        changed
    }

    /// Returns Markdown to parse before a part: the notes that it may refer to, and the links of
    /// which it has a definition that does not apply, because an earlier one does. It ends so that it
    /// changes nothing else.
    pub(super) fn before(&self, notes: &HashSet<Label>, own: &[(Label, Link)]) -> String {
        let mut before = String::new();
        for (label, link) in own {
            if let Some(first) = self.links.get(label).filter(|first| *first != link) {
                push_link(&mut before, label, first);
            }
        }
        for label in notes.iter().filter(|label| self.notes.contains(*label)) {
            before.push_str("\n[^");
            before.push_str(label);
            before.push_str("]: x\n");
        }
        if !before.is_empty() {
            before.push_str("\n***\n\n");
        }
        before
    }
}

fn push_link(out: &mut String, label: &UniCase<String>, Link { to, title }: &Link) {
    out.push_str("\n[");
    out.push_str(label);
    out.push_str("]: <");
    push_escaped(out, to);
    out.push_str("> \"");
    push_escaped(out, title);
    out.push_str("\"\n");
}

/// Appends text that reads as it is written: every character with a meaning is escaped.
fn push_escaped(out: &mut String, text: &str) {
    for character in text.chars() {
        if matches!(character, '\\' | '&' | '<' | '>' | '"') {
            out.push('\\');
        }
        out.push(character);
    }
}
