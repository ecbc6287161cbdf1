//! Footnotes: numbered in order of first reference, written at the end of the document.

use std::collections::HashMap;

use unicase::UniCase;

use super::super::Labels;
use super::buffer::Buffer;

/// Length of a link back to a reference, without its label.
const BACKLINK: usize = 100;

/// Footnotes of one document.
#[derive(Debug, Default)]
pub(in super::super) struct Footnotes {
    /// Number and reference count of each folded label.
    references: HashMap<UniCase<String>, (usize, usize)>,
    /// Number of labels that have been referred to.
    known: usize,
    /// Label and content of each definition, in source order.
    definitions: Vec<(UniCase<String>, Buffer)>,
    /// Bytes that [`Self::write`] will add.
    pending: usize,
}

impl Footnotes {
    /// Records a reference. Returns the number of the note and the index of this reference to it,
    /// both starting at 1.
    pub(in super::super) fn refer(&mut self, label: &str, labels: &Labels) -> (usize, usize) {
        self.pending += BACKLINK + labels.footnote_back.len();
        let next = self.known + 1;
        let (number, count) = self.references.entry(fold(label)).or_insert((next, 0));
        self.known = self.known.max(*number);
        *count += 1;
        (*number, *count)
    }

    /// Counts references in a part of the document that comes next.
    pub(in super::super) fn go_on<'l>(
        &mut self,
        references: impl IntoIterator<Item = (&'l UniCase<String>, usize)>,
    ) {
        for (label, count) in references {
            let next = self.references.len() + 1;
            self.references.entry(label.clone()).or_insert((next, 0)).1 += count;
        }
        self.known = self.references.len();
    }

    /// Returns the state at the start of a part that refers to these labels.
    pub(in super::super) fn at_start<'l>(
        &self,
        labels: impl IntoIterator<Item = &'l UniCase<String>>,
    ) -> Self {
        // Its new labels get the next numbers, so all that are known count.
        let known = self.references.len();
        let mut references = HashMap::new();
        for label in labels {
            if let Some(&found) = self.references.get(label) {
                references.insert(label.clone(), found);
            }
        }
        Self { references, known, ..Self::default() }
    }

    /// Returns the labels in the order of their first references, and how often each is referred to.
    pub(in super::super) fn counted(&self) -> Vec<(UniCase<String>, usize)> {
        let mut counted: Vec<_> = self.references.iter().collect();
        counted.sort_unstable_by_key(|(_, (number, _))| *number);
        counted.into_iter().map(|(label, (_, count))| (label.clone(), *count)).collect()
    }

    /// Returns the labels that are defined.
    pub(in super::super) fn defined(&self) -> Vec<UniCase<String>> {
        self.definitions.iter().map(|(label, _)| label.clone()).collect()
    }

    /// Takes over the definitions of a part.
    pub(super) fn define_all(&mut self, part: Self) {
        self.definitions.extend(part.definitions);
    }

    /// Records a definition.
    pub(super) fn define(&mut self, label: &str, content: Buffer) {
        self.pending += BACKLINK + content.len();
        self.definitions.push((fold(label), content));
    }

    /// Returns how many bytes [`Self::write`] adds, at most.
    pub(super) fn len(&self) -> usize {
        self.pending
    }

    /// Writes all notes. Unreferenced and duplicate definitions come last instead of being dropped,
    /// so that no text is lost.
    pub(super) fn write(self, out: &mut Buffer, labels: &Labels) {
        if self.definitions.is_empty() {
            return;
        }
        let referenced = self.references.len();
        let mut notes: Vec<Option<(usize, Buffer)>> = Vec::new();
        notes.resize_with(referenced, || None);
        for (label, content) in self.definitions {
            match self.references.get(&label) {
                Some(&(number, count)) if notes[number - 1].is_none() => {
                    notes[number - 1] = Some((count, content));
                }
                _ => notes.push(Some((0, content))),
            }
        }
        out.break_line();
        out.push("<section class=\"footnotes\" role=\"doc-endnotes\"");
        out.push_attribute("aria-label", &labels.footnotes);
        out.push(">\n<ol>\n");
        for (index, note) in notes.into_iter().enumerate() {
            if let Some((count, content)) = note {
                write_note(out, labels, index + 1, count, content);
            }
        }
        out.push("</ol>\n</section>\n");
    }
}

/// Folds labels as the parser does (CommonMark §6.3: Unicode case folding), with its tables.
pub(in super::super) fn fold(label: &str) -> UniCase<String> {
    UniCase::new(label.to_owned())
}

fn write_note(out: &mut Buffer, labels: &Labels, number: usize, count: usize, content: Buffer) {
    out.push(&format!("<li id=\"fn-{number}\">\n"));
    out.append(content);
    // Put the backlinks on the last line of the note instead of below it.
    let inside_paragraph = out.strip_end("</p>\n");
    for occurrence in 1..=count {
        out.push(" <a class=\"footnote-back\" role=\"doc-backlink\"");
        out.push(&format!(" href=\"#{}\"", reference_id(number, occurrence)));
        let suffix = if occurrence == 1 { String::new() } else { format!("-{occurrence}") };
        out.push_attribute("aria-label", &format!("{} {number}{suffix}", labels.footnote_back));
        out.push(">↩</a>");
    }
    out.push(if inside_paragraph { "</p>\n" } else { "\n" });
    out.push("</li>\n");
}

/// Returns the id of a reference: `fnref-1`, and `fnref-1-2` for the second one to the same note.
pub(in super::super) fn reference_id(number: usize, occurrence: usize) -> String {
    if occurrence == 1 { format!("fnref-{number}") } else { format!("fnref-{number}-{occurrence}") }
}
