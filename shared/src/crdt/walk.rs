//! Walking over a v1 update, byte by byte and without recursion: what the gate lets through, and
//! what each part of it builds on. The format is that of Yjs, `encodeStateAsUpdate`, as its
//! `UpdateEncoderV1` writes it.

use super::{
    ROOT,
    gate::{ClientRange, Refusal},
    varint::{MAX_CLOCK, Reader},
};
use crate::text::utf16::utf16_len;
use std::{collections::BTreeSet, ops::Range};

/// That a client's clock must have come to `clock` before something can be integrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    pub(super) client: u64,
    pub(super) clock: u32,
}

/// A place in a section at which something is needed. Up to the next step nothing further is.
#[derive(Debug)]
pub(super) struct Step {
    /// Its client's earlier structs, and the items on both sides.
    pub(super) needs: [Option<Need>; 3],
    /// Which struct of the section follows.
    pub(super) index: u64,
    /// Where in the update its bytes begin.
    pub(super) at: usize,
    /// Its clock.
    pub(super) clock: u32,
    /// The clock after the last struct before the next step.
    pub(super) reaches: u32,
}

/// The structs of one client. The first step stands before the first struct that brings anything.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) client: u64,
    /// How many structs there are.
    pub(super) count: u64,
    /// The clock of the first.
    pub(super) clock: u32,
    /// Where the bytes of the structs lie in the update.
    pub(super) bytes: Range<usize>,
    pub(super) steps: Vec<Step>,
    /// The clocks it brings, without those it skips.
    pub(super) ranges: Vec<ClientRange>,
}

/// An update that can be let through.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) sections: Vec<Section>,
    /// Those of a client in the order of their clocks, and none twice.
    pub(super) deletes: Vec<ClientRange>,
    /// Whether they stand so in the update, too, as Yjs and yrs write them.
    pub(super) is_sorted: bool,
    /// Whether there are formats in it.
    pub(super) has_formats: bool,
    /// How many texts could be one with the text before them.
    pub(super) joins: usize,
    /// Where in the update the deletions begin.
    pub(super) deletes_at: usize,
    /// Bytes of inserted text.
    pub(super) inserted_bytes: usize,
}

const CONTENT_DELETED: u8 = 1;
pub(super) const CONTENT_STRING: u8 = 4;
const CONTENT_FORMAT: u8 = 6;
pub(super) const STRUCT_GC: u8 = 0;
pub(super) const STRUCT_SKIP: u8 = 10;
pub(super) const HAS_ORIGIN: u8 = 0x80;
pub(super) const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_PARENT_SUB: u8 = 0x20;
const CONTENT_MASK: u8 = 0x1f;

/// What a struct brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// Clocks that stand nowhere.
    Collected,
    /// Text that was deleted, and is not there any more.
    Deleted,
    /// A text.
    Text(&'a str),
    /// The begin or end of a format.
    Format,
}

/// The last clock of the item on the left, or the first of the one on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) client: u64,
    pub(super) clock: u32,
}

impl Id {
    const fn need(self) -> Need {
        Need { client: self.client, clock: self.clock + 1 }
    }
}

/// A struct that is no skip.
#[derive(Debug, Clone, Copy)]
pub(super) struct Struct<'a> {
    pub(super) client: u64,
    pub(super) clock: u32,
    /// In clocks.
    pub(super) len: u32,
    pub(super) content: Content<'a>,
    pub(super) origin: Option<Id>,
    pub(super) right_origin: Option<Id>,
    /// As it stands in the update.
    pub(super) bytes: &'a [u8],
}

impl Struct<'_> {
    /// Whether it is a text that goes on where another ends, as if both had been typed in one go.
    pub(super) fn continues(&self, before: &Self) -> bool {
        let last = Id { client: before.client, clock: before.clock + before.len - 1 };
        matches!((before.content, self.content), (Content::Text(_), Content::Text(_)))
            && (self.client, self.clock) == (last.client, last.clock + 1)
            && self.origin == Some(last)
            && self.right_origin == before.right_origin
    }
}

/// Walks over an update.
///
/// # Errors
/// The first thing in it that a text does not need.
pub(super) fn walk(update: &[u8]) -> Result<Walked, Refusal> {
    walk_each(update, |_| {})
}

/// Walks over an update and shows each struct to `visit`, in the order in which they stand there.
///
/// # Errors
/// As [`walk`].
pub(super) fn walk_each<'a>(
    update: &'a [u8],
    mut visit: impl FnMut(Struct<'a>),
) -> Result<Walked, Refusal> {
    let reader = Reader::new(update);
    let mut walk = Walk { reader, update, inserted_bytes: 0, has_formats: false, joins: 0 };
    let clients = walk.uint()?;
    let mut seen = BTreeSet::new();
    let mut sections = Vec::new();
    for _ in 0..clients {
        let section = walk.section(&mut visit)?;
        // yrs would put the second run over the first, to which items may point already.
        if !seen.insert(section.client) {
            return Err(Refusal::Malformed);
        }
        sections.push(section);
    }
    let deletes_at = walk.at();
    let given = walk.deletes().ok_or(Refusal::Malformed)?;
    if !walk.reader.is_at_end() {
        return Err(Refusal::TrailingBytes);
    }
    let follows =
        |pair: &[ClientRange]| pair[0].client != pair[1].client || pair[0].end <= pair[1].start;
    let is_sorted = given.windows(2).all(follows);
    let deletes = if is_sorted { given } else { joined(given) };
    let Walk { inserted_bytes, has_formats, joins, .. } = walk;
    Ok(Walked { sections, deletes, is_sorted, has_formats, joins, deletes_at, inserted_bytes })
}

struct Walk<'a> {
    reader: Reader<'a>,
    update: &'a [u8],
    inserted_bytes: usize,
    has_formats: bool,
    joins: usize,
}

impl<'a> Walk<'a> {
    const fn at(&self) -> usize {
        self.update.len() - self.reader.left()
    }

    fn byte(&mut self) -> Result<u8, Refusal> {
        self.reader.byte().ok_or(Refusal::Malformed)
    }

    fn uint(&mut self) -> Result<u64, Refusal> {
        self.reader.uint().ok_or(Refusal::Malformed)
    }

    fn clock(&mut self) -> Result<u32, Refusal> {
        self.reader.clock().ok_or(Refusal::Malformed)
    }

    fn section(&mut self, visit: &mut impl FnMut(Struct<'a>)) -> Result<Section, Refusal> {
        let count = self.uint()?;
        let client = self.uint()?;
        let first = self.clock()?;
        let begin = self.at();
        let (mut steps, mut ranges): (Vec<Step>, Vec<ClientRange>) = (Vec::new(), Vec::new());
        let mut clock = first;
        let mut continues = false;
        let mut last: Option<Struct<'a>> = None;
        for index in 0..count {
            let at = self.at();
            let info = self.byte()?;
            let (length, content, [origin, right_origin]) = match info {
                STRUCT_GC | STRUCT_SKIP => (self.clock()?, Content::Collected, [None, None]),
                _ => self.item(info)?,
            };
            let next = end_of(clock, length).ok_or(Refusal::Malformed)?;
            if length == 0 {
                return Err(Refusal::Malformed);
            }
            let is_later = |id: &Id| id.client == client && id.clock >= clock;
            if [origin, right_origin].iter().flatten().any(is_later) {
                return Err(Refusal::BuildsOnItself);
            }
            if origin.is_some() && origin == right_origin {
                return Err(Refusal::NoPlace);
            }
            if info == STRUCT_SKIP {
                continues = false;
                clock = next;
                continue;
            }
            // Yjs takes the structs of a client in the order of their clocks only.
            let own = (!continues).then_some(Need { client, clock });
            let foreign = |id: Id| (id.client != client).then(|| id.need());
            let needs = [own, origin.and_then(foreign), right_origin.and_then(foreign)];
            if needs.iter().any(Option::is_some) {
                steps.push(Step { needs, index, at, clock, reaches: next });
            }
            if !continues {
                ranges.push(ClientRange { client, start: clock, end: next });
            }
            if let (Some(step), Some(range)) = (steps.last_mut(), ranges.last_mut()) {
                step.reaches = next;
                range.end = next;
            }
            continues = true;
            let bytes = &self.update[at..self.at()];
            let item = Struct { client, clock, len: length, content, origin, right_origin, bytes };
            self.joins += usize::from(last.is_some_and(|last| item.continues(&last)));
            last = Some(item);
            visit(item);
            clock = next;
        }
        let bytes = begin..self.at();
        Ok(Section { client, count, clock: first, bytes, steps, ranges })
    }

    /// Reads an item after its info byte; gives its length in clocks, its content and what it stands
    /// between.
    fn item(&mut self, info: u8) -> Result<(u32, Content<'a>, [Option<Id>; 2]), Refusal> {
        let mut origins = [None, None];
        for (flag, origin) in [HAS_ORIGIN, HAS_RIGHT_ORIGIN].into_iter().zip(&mut origins) {
            if info & flag != 0 {
                let (client, clock) = (self.uint()?, self.clock()?);
                end_of(clock, 1).ok_or(Refusal::Malformed)?;
                *origin = Some(Id { client, clock });
            }
        }
        if info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN) == 0 {
            // 1: the parent is a root, named here; 0: it is another type, which a text has none of.
            let named = self.uint()? == 1;
            let root = if named { self.reader.text() } else { None };
            if named && root.is_none() {
                return Err(Refusal::Malformed);
            }
            if root != Some(ROOT) || info & HAS_PARENT_SUB != 0 {
                return Err(Refusal::OtherRoot);
            }
        }
        let (length, content) = self.content(info & CONTENT_MASK)?;
        Ok((length, content, origins))
    }

    /// Reads the content of an item, with its length in clocks.
    fn content(&mut self, kind: u8) -> Result<(u32, Content<'a>), Refusal> {
        match kind {
            CONTENT_DELETED => Ok((self.clock()?, Content::Deleted)),
            CONTENT_STRING => {
                let text = self.reader.text().ok_or(Refusal::Malformed)?;
                if text.contains('\0') {
                    return Err(Refusal::NullCharacter);
                }
                self.inserted_bytes += text.len();
                let length = u32::try_from(utf16_len(text)).map_err(|_| Refusal::Malformed)?;
                Ok((length, Content::Text(text)))
            }
            CONTENT_FORMAT => {
                self.reader.text().ok_or(Refusal::Malformed)?;
                let value = self.reader.text().ok_or(Refusal::Malformed)?;
                crate::json::check(value).map_err(|_| Refusal::Malformed)?;
                self.has_formats = true;
                Ok((1, Content::Format))
            }
            other => Err(Refusal::ContentType(other)),
        }
    }

    fn deletes(&mut self) -> Option<Vec<ClientRange>> {
        let clients = self.reader.uint()?;
        let (mut seen, mut deletes) = (BTreeSet::new(), Vec::new());
        for _ in 0..clients {
            let client = self.reader.uint()?;
            if !seen.insert(client) {
                return None;
            }
            let ranges = self.reader.uint()?;
            for _ in 0..ranges {
                let start = self.reader.clock()?;
                let end = end_of(start, self.reader.clock()?)?;
                if start < end {
                    deletes.push(ClientRange { client, start, end });
                }
            }
        }
        Some(deletes)
    }
}

/// Deletions in order, without those that are said twice. yrs takes each as it comes, and looks at
/// every item in it.
fn joined(mut deletes: Vec<ClientRange>) -> Vec<ClientRange> {
    deletes.sort_unstable_by_key(|range| (range.client, range.start));
    deletes.dedup_by(|next, range| {
        let overlaps = next.client == range.client && next.start <= range.end;
        if overlaps {
            range.end = range.end.max(next.end);
        }
        overlaps
    });
    deletes
}

/// The clock after a run.
fn end_of(start: u32, length: u32) -> Option<u32> {
    start.checked_add(length).filter(|end| *end <= MAX_CLOCK)
}
