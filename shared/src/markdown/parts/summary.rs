//! What a document needs to know of a part, and the parser for one.

use pulldown_cmark::{BrokenLink, Event, Parser, Tag};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use unicase::UniCase;

use super::super::limit::within_markup;
use super::super::nesting::limit_nesting;
use super::super::writer::{Start, Written, fold, write_part};
use super::super::{RenderOptions, SYNTAX, strike};
use super::definitions::{Definitions, Link};

/// A label of a link or note, compared as the parser does.
pub(super) type Label = UniCase<String>;

/// What a document needs to know of a part.
#[derive(Debug, Default)]
pub(super) struct Summary {
    /// Texts of its headings.
    pub(super) headings: Vec<String>,
    /// Labels of the notes that it refers to, by first reference, and how often.
    pub(super) references: Vec<(Label, usize)>,
    /// Number of its tables.
    pub(super) tables: usize,
    /// Links that it defines.
    pub(super) links: Vec<(Label, Link)>,
    /// Labels of the notes that it defines.
    pub(super) notes: Vec<Label>,
    /// Labels whose definition changes what it looks like.
    pub(super) asked: HashSet<Label>,
    pub(super) has_outside_images: bool,
    pub(super) is_cut: bool,
    /// Whether its last block is code or raw HTML that is not closed, so that what follows belongs to
    /// it.
    pub(super) is_open: bool,
}

/// Renders a part, and tells what the document needs to know of it.
pub(super) fn write(
    text: &str,
    start: Start,
    definitions: &Definitions,
    own: &[(Label, Link)],
    options: &RenderOptions,
) -> (Written, Summary) {
    let part = within_markup(text);
    let source = limit_nesting(part);
    let candidates = note_labels(&source);
    let before = definitions.before(&candidates, own);
    let source: Cow<'_, str> =
        if before.is_empty() { source } else { Cow::Owned(before.clone() + &source) };
    let asked = RefCell::new(HashSet::new());
    let find = |link: BrokenLink<'_>| {
        let label = fold(&link.reference);
        let found = definitions.link(&label);
        let found = found.map(|Link { to, title }| (to.clone().into(), title.clone().into()));
        asked.borrow_mut().insert(label);
        found
    };
    let parser = Parser::new_with_broken_link_callback(&source, SYNTAX, Some(find));
    let links: Vec<(Label, Link)> = parser
        .reference_definitions()
        .iter()
        .filter(|(_, link)| link.span.start >= before.len())
        .map(|(label, link)| {
            let title = link.title.as_deref().unwrap_or_default().to_owned();
            (fold(label), Link { to: link.dest.to_string(), title })
        })
        .collect();
    let mut is_open = false;
    let mut depth = 0_usize;
    let events = strike::Events::of(&source, parser)
        .filter(|(_, range)| range.start >= before.len())
        .inspect(|(event, range)| match event {
            Event::Start(tag) => {
                depth += 1;
                let may_be_open = matches!(tag, Tag::CodeBlock(_) | Tag::HtmlBlock);
                is_open = depth == 1 && may_be_open && range.end >= source.len();
            }
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        });
    let tables = start.tables;
    let written = write_part(&source, events, start, options);
    let mut asked = asked.into_inner();
    asked.extend(candidates.iter().map(note_key));
    asked.extend(links.iter().map(|(label, _)| label.clone()));
    let summary = Summary {
        headings: written.headings.clone(),
        references: written.footnotes.counted(),
        tables: written.tables - tables,
        links,
        notes: written.footnotes.defined(),
        asked,
        has_outside_images: written.has_outside_images,
        is_cut: written.truncated || part.len() < text.len(),
        is_open,
    };
    (written, summary)
}

/// Returns the key of a note's label among those of links, none of which has a line break.
pub(super) fn note_key(label: &Label) -> Label {
    UniCase::new(format!("\n{}", &**label))
}

/// Returns what may be labels of notes in a text: everything between `[^` and `]`.
fn note_labels(text: &str) -> HashSet<Label> {
    let mut labels = HashSet::new();
    for (at, _) in text.match_indices("[^") {
        let rest = &text[at + 2..];
        let rest = &rest[..rest.floor_char_boundary(MAX_LABEL)];
        // An escaped bracket is part of a label.
        let mut ends = rest.match_indices(']').map(|(at, _)| at);
        if let Some(end) = ends.find(|&end| !rest[..end].ends_with('\\')) {
            let words: Vec<_> = rest[..end].split_ascii_whitespace().collect();
            labels.insert(UniCase::new(words.join(" ")));
        }
    }
    labels
}

/// Labels have at most 999 characters (CommonMark §6.3).
const MAX_LABEL: usize = 4 * 999;
