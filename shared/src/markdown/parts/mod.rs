//! A document divided into parts, of which an edit changes few.
//!
//! A part is a run of blocks that is parsed as it is within the whole document (`boundary`). What
//! the document knows of other parts, it needs only for numbers and names: ids of headings, numbers
//! of tables and notes, definitions of links. The HTML of all parts, one after the other, is that of
//! [`render`](super::render), unless a limit cuts the document.

mod boundary;
mod definitions;
mod edit;
mod part;
mod summary;

#[cfg(test)]
mod tests;

use super::anchor::Anchors;
use super::code::push_code;
use super::writer::{Notes, Start, reference_id, write_notes};
use super::{Counts, RenderOptions};
use crate::rules::DocumentKind;
use crate::text::without_mark;
use definitions::Definitions;
use part::Part;
use std::collections::HashSet;
use summary::{Label, Summary};

/// Id of the notes at the end of a document, which are a part of their own.
const NOTES: u32 = u32::MAX;

/// What a page needs to know of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Names the part as long as it exists.
    pub id: u32,
    /// Number of lines that it takes when it is shown, about.
    pub lines: u32,
    /// Length of its text, in UTF-16 units. The notes at the end have none.
    pub units: u32,
}

/// A document in parts.
#[derive(Debug)]
pub struct Parts {
    kind: DocumentKind,
    options: RenderOptions,
    parts: Vec<Part>,
    next_id: u32,
    definitions: Definitions,
    /// Ids of all headings, in order.
    ids: Vec<String>,
    anchors: Anchors,
    /// Whether `definitions` are up to date.
    are_defined: bool,
    /// Whether `ids` and `anchors` are up to date.
    are_named: bool,
}

impl Parts {
    /// Divides a text.
    #[must_use]
    pub fn new(kind: DocumentKind, text: &str, options: RenderOptions) -> Self {
        let empty = Part::new(0, String::new(), Summary::default());
        let mut all = Self {
            kind,
            options,
            parts: vec![empty],
            next_id: 1,
            definitions: Definitions::default(),
            ids: Vec::new(),
            anchors: Anchors::default(),
            are_defined: true,
            are_named: true,
        };
        all.replace(0..1, text.to_owned());
        all.settle();
        all
    }

    /// Returns what a page needs to know of each part to leave room for it.
    pub fn list(&self) -> impl Iterator<Item = Place> {
        let has_notes = self.parts.iter().any(|part| !part.summary.notes.is_empty());
        let notes = has_notes.then(|| Place { id: NOTES, lines: self.note_lines(), units: 0 });
        let place = |part: &Part| {
            let units = u32::try_from(part.units).unwrap_or(u32::MAX);
            Place { id: part.id, lines: part.lines, units }
        };
        self.parts.iter().map(place).chain(notes)
    }

    fn note_lines(&self) -> u32 {
        let notes = self.parts.iter().map(|part| part.summary.notes.len()).sum::<usize>();
        u32::try_from(2 * notes).unwrap_or(u32::MAX)
    }

    /// Returns words and characters of the whole text.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.parts.iter().fold(Counts::default(), |sum, part| Counts {
            words: sum.words + part.counts.words,
            characters: sum.characters + part.counts.characters,
        })
    }

    /// Returns whether images of other hosts were replaced by links.
    #[must_use]
    pub fn has_outside_images(&self) -> bool {
        self.parts.iter().any(|part| part.summary.has_outside_images)
    }

    /// Returns whether something is missing in a part, because there is too much of it to show.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.parts.iter().any(|part| part.summary.is_cut)
    }

    /// Returns the HTML of those of these parts that exist, in the order of the document.
    #[must_use]
    pub fn html(&self, wanted: &HashSet<u32>) -> Vec<(u32, String)> {
        let mut found = Vec::new();
        let (mut headings, mut tables, mut notes) = (0, 0, Notes::default());
        let mut definitions = Vec::new();
        let writes_notes = wanted.contains(&NOTES);
        for (index, part) in self.parts.iter().enumerate() {
            let Part { id, text, summary, .. } = part;
            let end = headings + summary.headings.len();
            let is_wanted = wanted.contains(id);
            if is_wanted || (writes_notes && !summary.notes.is_empty()) {
                let ids = self.ids.get(headings..end).unwrap_or_default().to_vec();
                let labels = summary.references.iter().map(|(label, _)| label);
                let footnotes = notes.at_start(labels);
                let start = Start { ids: Some(ids), tables, footnotes };
                let (html, part) = self.write(index, text, start, &summary.links);
                if is_wanted {
                    found.push((*id, html));
                }
                definitions.extend(part);
            }
            headings = end;
            tables += summary.tables;
            notes.go_on(summary.references.iter().map(|(label, count)| (label, *count)));
        }
        if writes_notes {
            let html = write_notes(notes, definitions, &self.options, &self.anchors);
            found.push((NOTES, html));
        }
        found
    }

    /// Returns the part that has the element with this id: a heading, a note or a reference.
    #[must_use]
    pub fn find(&self, anchor: &str) -> Option<u32> {
        if anchor.starts_with("fn-") {
            return Some(NOTES);
        }
        let (mut notes, mut headings) = (Notes::default(), 0);
        let name = anchor.strip_prefix("fnref-");
        let heading = self.ids.iter().position(|id| id == anchor);
        self.parts.iter().find_map(|part| {
            let summary = &part.summary;
            headings += summary.headings.len();
            let mut is_here = heading.is_some_and(|heading| heading < headings);
            for (label, count) in summary.references.iter().filter(|_| name.is_some()) {
                for _ in 0..*count {
                    let (number, occurrence) = notes.refer(label, &self.options.labels);
                    is_here |= reference_id(number, occurrence) == anchor;
                }
            }
            is_here.then_some(part.id)
        })
    }

    /// Returns the HTML of a part, and its definitions of notes.
    fn write(
        &self,
        index: usize,
        text: &str,
        start: Start,
        links: &[(Label, definitions::Link)],
    ) -> (String, Option<Notes>) {
        let text = if index == 0 { without_mark(text) } else { text };
        match self.kind {
            DocumentKind::Markdown => {
                let (mut written, _) =
                    summary::write(text, start, &self.definitions, links, &self.options);
                let notes = std::mem::take(&mut written.footnotes);
                (written.finish(&self.anchors), Some(notes))
            }
            DocumentKind::Json => {
                // Its lines wrap, so it is no stop for the keyboard.
                let mut html = String::from("<pre class=\"code-block\" dir=\"ltr\">");
                push_code(&mut html, Some("json"), text);
                html.push_str("</pre>\n");
                (html, None)
            }
            DocumentKind::Text => (String::new(), None),
        }
    }
}
