//! Parses a v1 update without recursion, and refuses what a text does not need. The format is that
//! of Yjs, `encodeStateAsUpdate`, as its `UpdateEncoderV1` writes it.

use super::{
    ROOT,
    gate::{ClientRange, Refusal},
    varint::{Reader, end_of},
};
use crate::text::utf16::utf16_len;
use std::{borrow::Cow, collections::BTreeSet};

pub(super) const CONTENT_DELETED: u8 = 1;
pub(super) const CONTENT_STRING: u8 = 4;
const CONTENT_FORMAT: u8 = 6;
pub(super) const STRUCT_GC: u8 = 0;
pub(super) const STRUCT_SKIP: u8 = 10;
pub(super) const HAS_ORIGIN: u8 = 0x80;
pub(super) const HAS_RIGHT_ORIGIN: u8 = 0x40;
const HAS_PARENT_SUB: u8 = 0x20;
const CONTENT_MASK: u8 = 0x1f;

/// A parsed update.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    /// Grouped by client, in the order of their clocks. Text typed in one go is one struct.
    pub(super) structs: Vec<Struct<'a>>,
    /// The number of clients that the update lists.
    pub(super) clients: usize,
    /// Grouped by client, disjoint and in the order of their clocks.
    pub(super) deletes: Vec<ClientRange>,
    /// Whether the update lists its deletions like this, as those of Yjs and yrs do.
    pub(super) deletes_sorted: bool,
    /// How many structs were joined to the one before them.
    pub(super) joins: usize,
    pub(super) has_formats: bool,
    /// Bytes of inserted text.
    pub(super) inserted_bytes: usize,
}

/// What a struct contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// Garbage-collected clocks without a place in the text.
    Collected,
    /// Deleted text.
    Deleted,
    Text(Cow<'a, str>),
    /// The start or end of a format.
    Format,
}

/// One clock of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) client: u64,
    pub(super) clock: u32,
}

/// A struct other than a skip.
#[derive(Debug, Clone)]
pub(super) struct Struct<'a> {
    pub(super) client: u64,
    pub(super) clock: u32,
    /// In clocks.
    pub(super) len: u32,
    pub(super) content: Content<'a>,
    /// The last clock of the item on the left.
    pub(super) origin: Option<Id>,
    /// The first clock of the item on the right.
    pub(super) right_origin: Option<Id>,
    /// Its encoding, unless it is a text or collected.
    pub(super) bytes: &'a [u8],
}

impl<'a> Struct<'a> {
    pub(super) const fn end(&self) -> u32 {
        self.clock + self.len
    }

    /// Joins `next` to this one if both are texts that were typed in one go, or both are collected:
    /// in two bytes each, those would take fifty times as much memory.
    pub(super) fn join(&mut self, next: &Struct<'a>) -> bool {
        let last = Id { client: self.client, clock: self.end() - 1 };
        let continues = (next.client, next.clock, next.origin, next.right_origin)
            == (self.client, self.end(), Some(last), self.right_origin);
        let follows = (next.client, next.clock) == (self.client, self.end());
        match (&mut self.content, &next.content) {
            (Content::Collected, Content::Collected) if follows => {}
            (Content::Text(text), Content::Text(more)) if continues => text.to_mut().push_str(more),
            _ => return false,
        }
        self.len += next.len;
        true
    }
}

/// Parses an update.
///
/// # Errors
/// The first thing in it that a text does not need.
pub(super) fn parse(update: &[u8]) -> Result<Parsed<'_>, Refusal> {
    let mut reader = Reader::new(update);
    let mut parsed = Parsed {
        structs: Vec::new(),
        clients: 0,
        deletes: Vec::new(),
        deletes_sorted: true,
        joins: 0,
        has_formats: false,
        inserted_bytes: 0,
    };
    let mut seen = BTreeSet::new();
    for _ in 0..reader.uint()? {
        let (count, client, mut clock) = (reader.uint()?, reader.uint()?, reader.clock()?);
        // yrs would replace the client's first section, which items may already point into.
        if !seen.insert(client) {
            return Err(Refusal::Malformed);
        }
        let first = parsed.structs.len();
        for _ in 0..count {
            clock = parsed.read_struct(&mut reader, client, clock, first)?;
        }
    }
    parsed.clients = seen.len();
    parsed.read_deletes(&mut reader)?;
    if reader.is_at_end() { Ok(parsed) } else { Err(Refusal::TrailingBytes) }
}

impl<'a> Parsed<'a> {
    /// Whether Yjs would write the update like this. yrs joins texts only after it has integrated
    /// each, copying them every time, and visits every item of every deletion.
    pub(super) const fn is_tidy(&self) -> bool {
        const FEW_JOINS: usize = 64;
        self.deletes_sorted && self.joins <= FEW_JOINS
    }

    /// Reads a struct of `client`, whose structs start at index `first`; returns the next clock.
    fn read_struct(
        &mut self,
        reader: &mut Reader<'a>,
        client: u64,
        clock: u32,
        first: usize,
    ) -> Result<u32, Refusal> {
        let start = reader.rest();
        let info = reader.byte()?;
        let (mut origin, mut right_origin) = (None, None);
        let (len, content) = if matches!(info, STRUCT_GC | STRUCT_SKIP) {
            (reader.clock()?, Content::Collected)
        } else {
            for (flag, id) in [(HAS_ORIGIN, &mut origin), (HAS_RIGHT_ORIGIN, &mut right_origin)] {
                if info & flag != 0 {
                    let (client, clock) = (reader.uint()?, reader.clock()?);
                    end_of(clock, 1)?;
                    *id = Some(Id { client, clock });
                }
            }
            if origin.or(right_origin).is_none() {
                // 1: the parent is the root with this name; 0: a nested type, which texts lack.
                let is_root = reader.uint()? == 1 && reader.text()? == ROOT;
                if !is_root || info & HAS_PARENT_SUB != 0 {
                    return Err(Refusal::OtherRoot);
                }
            }
            self.read_content(reader, info & CONTENT_MASK)?
        };
        let next = end_of(clock, len)?;
        if len == 0 {
            return Err(Refusal::Malformed);
        }
        let is_later = |id: &Id| id.client == client && id.clock >= clock;
        if origin.iter().chain(&right_origin).any(is_later) {
            return Err(Refusal::BuildsOnItself);
        }
        if origin.is_some() && origin == right_origin {
            return Err(Refusal::NoPlace);
        }
        let bytes = &start[..start.len() - reader.rest().len()];
        let item = Struct { client, clock, len, content, origin, right_origin, bytes };
        if info != STRUCT_SKIP {
            if self.structs[first..].last_mut().is_some_and(|last| last.join(&item)) {
                self.joins += 1;
            } else {
                self.structs.push(item);
            }
        }
        Ok(next)
    }

    /// Reads an item's content; returns its length in clocks too.
    fn read_content(
        &mut self,
        reader: &mut Reader<'a>,
        kind: u8,
    ) -> Result<(u32, Content<'a>), Refusal> {
        match kind {
            CONTENT_DELETED => Ok((reader.clock()?, Content::Deleted)),
            CONTENT_STRING => {
                let text = reader.text()?;
                if text.contains('\0') {
                    return Err(Refusal::NullCharacter);
                }
                self.inserted_bytes += text.len();
                let len = u32::try_from(utf16_len(text)).map_err(|_| Refusal::Malformed)?;
                Ok((len, Content::Text(Cow::Borrowed(text))))
            }
            CONTENT_FORMAT => {
                let (_key, value) = (reader.text()?, reader.text()?);
                crate::json::check(value).map_err(|_| Refusal::Malformed)?;
                self.has_formats = true;
                Ok((1, Content::Format))
            }
            other => Err(Refusal::ContentType(other)),
        }
    }

    fn read_deletes(&mut self, reader: &mut Reader<'a>) -> Result<(), Refusal> {
        let mut seen = BTreeSet::new();
        for _ in 0..reader.uint()? {
            let (client, ranges) = (reader.uint()?, reader.uint()?);
            if !seen.insert(client) {
                return Err(Refusal::Malformed);
            }
            for _ in 0..ranges {
                let start = reader.clock()?;
                let end = end_of(start, reader.clock()?)?;
                if start < end {
                    self.deletes.push(ClientRange { client, start, end });
                }
            }
        }
        let follows = |a: &ClientRange, b: &ClientRange| a.client != b.client || a.end <= b.start;
        self.deletes_sorted = self.deletes.windows(2).all(|pair| follows(&pair[0], &pair[1]));
        if !self.deletes_sorted {
            self.deletes.sort_unstable_by_key(|range| (range.client, range.start));
            self.deletes.dedup_by(|next, range| {
                let overlaps = next.client == range.client && next.start <= range.end;
                if overlaps {
                    range.end = range.end.max(next.end);
                }
                overlaps
            });
        }
        Ok(())
    }
}
