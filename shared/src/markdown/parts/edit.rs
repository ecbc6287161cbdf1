//! Editing a document in parts.

use super::boundary::{LEAST, ends_blank, next, next_line, starts_plainly};
use super::part::Part;
use super::summary::{self, Summary};
use super::{Anchors, Definitions, Parts, Start};
use crate::crdt::Change;
use crate::rules::DocumentKind;
use crate::text::{utf16::utf16_to_bytes, without_mark};
use std::collections::HashSet;
use std::ops::Range;

impl Parts {
    /// Applies changes, which are sorted and count in the text before the first of them. Returns
    /// whether all of them are within the text; otherwise nothing changes.
    pub fn edit(&mut self, changes: &[Change]) -> bool {
        let Some(groups) = self.groups(changes) else { return false };
        // From the end, so that the parts before keep their places.
        for (parts, text) in groups.into_iter().rev() {
            self.replace(parts, text);
        }
        self.settle();
        true
    }

    /// Finds the parts that each run of changes touches, and the text that they have afterwards.
    fn groups(&self, changes: &[Change]) -> Option<Vec<(Range<usize>, String)>> {
        let mut groups = Vec::new();
        // The part that is looked at, and where it starts.
        let (mut at, mut start) = (0, 0);
        let mut changes = changes.iter().peekable();
        while let Some(first) = changes.peek() {
            let from = usize::try_from(first.from).ok()?;
            // What is inserted between two parts belongs to the first.
            while from > start + self.parts.get(at)?.units {
                start += self.parts[at].units;
                at += 1;
            }
            let (first_part, group_start) = (at, start);
            let mut mine = Vec::new();
            while let Some(change) = changes.next_if(|change| {
                usize::try_from(change.from).is_ok_and(|from| from <= start + self.parts[at].units)
            }) {
                while usize::try_from(change.to).ok()? > start + self.parts[at].units {
                    start += self.parts[at].units;
                    at += 1;
                    self.parts.get(at)?;
                }
                mine.push(change);
            }
            let parts = first_part..at + 1;
            let old: String = self.parts[parts.clone()].iter().map(|it| it.text.as_str()).collect();
            groups.push((parts, changed(&old, &mine, group_start)?));
            start += self.parts[at].units;
            at += 1;
        }
        Some(groups)
    }

    /// Replaces parts by a text, which is divided anew. Parts around it join it as far as they are no
    /// longer divided from it.
    pub(super) fn replace(&mut self, parts: Range<usize>, mut text: String) {
        let Range { mut start, mut end } = parts;
        while start > 0 && !self.is_boundary(&self.parts[start - 1].text, &text) {
            start -= 1;
            text.insert_str(0, &self.parts[start].text);
        }
        let mut pieces: Vec<(String, Summary)> = Vec::new();
        let mut at = 0;
        loop {
            let mut to = self.next_end(&text, at + LEAST);
            let summary = loop {
                let follows = self.parts.get(end);
                if to == text.len()
                    && let Some(part) = follows
                    && (!self.is_boundary(&text, &part.text) || joins(to - at, part))
                {
                    text.push_str(&part.text);
                    end += 1;
                    to = self.next_end(&text, at + LEAST);
                    continue;
                }
                let summary = self.summarise(&text[at..to], start + pieces.len() == 0);
                if !summary.is_open || (to == text.len() && follows.is_none()) {
                    break summary;
                }
                // Twice as much each time, so that all attempts together take linear time.
                let enough = at + 2 * (to - at);
                while text.len() < enough && end < self.parts.len() {
                    text.push_str(&self.parts[end].text);
                    end += 1;
                }
                to = self.next_end(&text, enough);
            };
            pieces.push((text[at..to].to_owned(), summary));
            at = to;
            if at == text.len() {
                break;
            }
        }
        let old = self.parts[start..end].iter().map(|part| &part.summary);
        let new = pieces.iter().map(|(_, summary)| summary);
        self.are_named &= equal(old.clone(), new.clone(), |it| &it.headings);
        self.are_defined &=
            equal(old.clone(), new.clone(), |it| &it.links) && equal(old, new, |it| &it.notes);
        let ids: Vec<u32> = self.parts[start..end].iter().map(|part| part.id).collect();
        let mut ids = ids.into_iter();
        let mut new = Vec::with_capacity(pieces.len());
        for (text, summary) in pieces {
            let id = ids.next().unwrap_or_else(|| {
                self.next_id += 1;
                self.next_id - 1
            });
            new.push(Part::new(id, text, summary));
        }
        self.parts.splice(start..end, new);
    }

    /// Returns where a part of this text ends, at least this long if possible.
    fn next_end(&self, text: &str, from: usize) -> usize {
        let from = from.min(text.len());
        match self.kind {
            DocumentKind::Markdown => next(text, from),
            DocumentKind::Json | DocumentKind::Text => next_line(text, from),
        }
    }

    fn is_boundary(&self, before: &str, after: &str) -> bool {
        match self.kind {
            DocumentKind::Markdown => ends_blank(before) && starts_plainly(after),
            DocumentKind::Json | DocumentKind::Text => before.ends_with('\n') && !after.is_empty(),
        }
    }

    fn summarise(&self, text: &str, is_first: bool) -> Summary {
        if self.kind != DocumentKind::Markdown {
            return Summary::default();
        }
        let text = if is_first { without_mark(text) } else { text };
        summary::write(text, Start::default(), &self.definitions, &[], &self.options).1
    }

    /// Brings what depends on other parts up to date.
    pub(super) fn settle(&mut self) {
        let mut changed = HashSet::new();
        if !std::mem::replace(&mut self.are_defined, true) {
            let definitions = Definitions::of(self.parts.iter().map(|part| &part.summary));
            changed = self.definitions.changed(&definitions);
            self.definitions = definitions;
        }
        for index in 0..self.parts.len() {
            let Part { text, summary, is_new, .. } = &mut self.parts[index];
            let lacks_first = std::mem::take(is_new)
                && summary.links.iter().any(|(label, own)| self.definitions.overrides(label, own));
            if lacks_first || !summary.asked.is_disjoint(&changed) {
                let text = if index == 0 { without_mark(text) } else { text };
                let links = std::mem::take(&mut summary.links);
                let start = Start::default();
                let (_, new) =
                    summary::write(text, start, &self.definitions, &links, &self.options);
                self.are_named &= new.headings == summary.headings;
                *summary = Summary { links, ..new };
            }
        }
        if !std::mem::replace(&mut self.are_named, true) {
            self.name_headings();
        }
    }

    fn name_headings(&mut self) {
        let mut anchors = Anchors::default();
        let headings = self.parts.iter().flat_map(|part| &part.summary.headings);
        self.ids = headings.map(|text| anchors.add(text)).collect();
        self.anchors = anchors;
    }
}

/// Returns whether the parts have the same items, one after the other.
fn equal<'p, T: PartialEq + 'p>(
    old: impl Iterator<Item = &'p Summary>,
    new: impl Iterator<Item = &'p Summary>,
    items: fn(&Summary) -> &Vec<T>,
) -> bool {
    old.flat_map(items).eq(new.flat_map(items))
}

/// Returns whether the end of a text, so long, is too short to stand alone before this part.
fn joins(length: usize, part: &Part) -> bool {
    length < LEAST / 4 && part.text.len() < 2 * LEAST
}

/// Applies changes to a text that starts at this offset of the document.
fn changed(text: &str, changes: &[&Change], start: usize) -> Option<String> {
    let offsets = changes.iter().flat_map(|change| [change.from, change.to]);
    let offsets = offsets.map(|offset| (offset as usize).wrapping_sub(start));
    let offsets = utf16_to_bytes(text, offsets).ok()?;
    let mut new = String::with_capacity(text.len());
    let mut done = 0;
    for (range, change) in offsets.chunks_exact(2).zip(changes) {
        let &[from, to] = range else { continue };
        new.push_str(text.get(done..from)?);
        new.push_str(&change.insert);
        done = to;
    }
    new.push_str(text.get(done..)?);
    Some(new)
}
