//! Single tildes within words, such as `H~2~O`, which GFM strikes through and the parser does not.
//!
//! As in cmark-gfm, a run of one tilde opens if it is left-flanking and closes if it is
//! right-flanking (CommonMark §6.2), in the middle of a word too.

use std::collections::VecDeque;
use std::ops::Range;

use pulldown_cmark::{
    BrokenLinkCallback, CowStr, DefaultBrokenLinkCallback, Event, LinkType, OffsetIter, Options,
    Parser, Tag, TagEnd,
};

type Located<'s> = (Event<'s>, Range<usize>);

/// The events of a text, with the elements that the parser lacks.
pub(super) struct Events<'s, F = DefaultBrokenLinkCallback> {
    source: &'s str,
    parsed: OffsetIter<'s, F>,
    /// Events that have been read ahead: the rest of an element that has a tilde in its text.
    ahead: VecDeque<Located<'s>>,
    /// Whether text is literal: in code, and in an address that is its own link text.
    is_literal: bool,
}

impl<'s> Events<'s> {
    pub(super) fn new(source: &'s str, syntax: Options) -> Self {
        Self::of(source, Parser::new_ext(source, syntax))
    }
}

impl<'s, F: BrokenLinkCallback<'s>> Events<'s, F> {
    /// The events of a parser of this text.
    pub(super) fn of(source: &'s str, parser: Parser<'s, F>) -> Self {
        let parsed = parser.into_offset_iter();
        Self { source, parsed, ahead: VecDeque::new(), is_literal: false }
    }

    fn read(&mut self) -> Option<Located<'s>> {
        let event = self.parsed.next()?;
        match &event.0 {
            Event::Start(
                Tag::CodeBlock(_)
                | Tag::Link { link_type: LinkType::Autolink | LinkType::Email, .. },
            ) => self.is_literal = true,
            Event::End(TagEnd::CodeBlock | TagEnd::Link) => self.is_literal = false,
            _ => {}
        }
        Some(event)
    }

    /// Reads the rest of the current element and pairs its tildes. Each event is read once.
    fn read_ahead(&mut self, first: Located<'s>) {
        // The positions in `ahead` of tildes that may open, for each open element.
        let mut openers = vec![Vec::new()];
        let mut next = Some(first);
        while let Some((event, range)) = next {
            match &event {
                Event::Text(_) if !self.is_literal => self.pair(&range, event, &mut openers),
                Event::Start(tag) => {
                    // A block in a list item ends its line of text.
                    let ends = openers.len() == 1 && is_block(tag);
                    openers.push(Vec::new());
                    self.ahead.push_back((event, range));
                    if ends {
                        return;
                    }
                }
                Event::End(_) => {
                    openers.pop();
                    self.ahead.push_back((event, range));
                    if openers.is_empty() {
                        return;
                    }
                }
                _ => self.ahead.push_back((event, range)),
            }
            next = self.read();
        }
    }

    fn pair(&mut self, range: &Range<usize>, event: Event<'s>, openers: &mut [Vec<usize>]) {
        let mut at = range.start;
        let tildes = self.tildes(&event, range);
        let Some(openers) = openers.last_mut().filter(|_| !tildes.is_empty()) else {
            return self.ahead.push_back((event, range.clone()));
        };
        for tilde in tildes {
            let (opens, closes) = flanks(self.source, tilde);
            self.push_text(at..tilde);
            at = tilde + 1;
            let opener = if closes { openers.pop() } else { None };
            match opener {
                Some(opener) => {
                    if let Some((event, _)) = self.ahead.get_mut(opener) {
                        *event = Event::Start(Tag::Strikethrough);
                    }
                    self.ahead.push_back((Event::End(TagEnd::Strikethrough), tilde..at));
                }
                None => {
                    if opens {
                        openers.push(self.ahead.len());
                    }
                    self.push_text(tilde..at);
                }
            }
        }
        self.push_text(at..range.end);
    }

    fn push_text(&mut self, range: Range<usize>) {
        if let Some(text) = self.source.get(range.clone()).filter(|text| !text.is_empty()) {
            self.ahead.push_back((Event::Text(CowStr::Borrowed(text)), range));
        }
    }

    /// Returns the offsets of single tildes in a text that is written as in the source.
    fn tildes(&self, event: &Event<'s>, range: &Range<usize>) -> Vec<usize> {
        let Event::Text(text) = event else { return Vec::new() };
        if !text.contains('~') || self.source.get(range.clone()) != Some(&**text) {
            return Vec::new();
        }
        let source = self.source.as_bytes();
        let is_single = |&at: &usize| {
            let before = at.checked_sub(1).and_then(|before| source.get(before));
            // An escaped character starts a text of its own.
            let is_escaped = at == range.start && before == Some(&b'\\');
            !is_escaped && before != Some(&b'~') && source.get(at + 1) != Some(&b'~')
        };
        let tildes = text.match_indices('~').map(|(at, _)| range.start + at);
        tildes.filter(is_single).collect()
    }
}

impl<'s, F: BrokenLinkCallback<'s>> Iterator for Events<'s, F> {
    type Item = Located<'s>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(event) = self.ahead.pop_front() {
            return Some(event);
        }
        let (event, range) = self.read()?;
        if self.is_literal || self.tildes(&event, &range).is_empty() {
            return Some((event, range));
        }
        self.read_ahead((event, range));
        self.ahead.pop_front()
    }
}

/// Returns whether the tilde at `at` is left-flanking, and whether it is right-flanking.
fn flanks(source: &str, at: usize) -> (bool, bool) {
    let before = source[..at].chars().next_back().unwrap_or(' ');
    let after = source[at + 1..].chars().next().unwrap_or(' ');
    let is_mark = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
    let is_flanking = |inner: char, outer: char| {
        !inner.is_whitespace() && (!is_mark(inner) || outer.is_whitespace() || is_mark(outer))
    };
    (is_flanking(after, before), is_flanking(before, after))
}

fn is_block(tag: &Tag<'_>) -> bool {
    !matches!(
        tag,
        Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }
    )
}
