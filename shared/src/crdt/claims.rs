//! What pending updates say that certain clocks are. Another update must not say otherwise: whichever of
//! the two is integrated first would win, and the replica of the other's sender would stay different.

use super::{
    order::InvalidUpdate,
    parse::{Content, Id, Struct},
};
use std::{collections::BTreeMap, sync::Arc};

/// The clocks that pending updates bring, as disjoint ranges by client and first clock. Shared, because
/// a copy of the checker is made for each batch of updates.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims(Arc<BTreeMap<(u64, u32), Claim>>);

#[derive(Debug, Clone)]
struct Claim {
    end: u32,
    /// Of its first clock; each further one has the one before it.
    origin: Option<Id>,
    right_origin: Option<Id>,
    content: Claimed,
}

#[derive(Debug, Clone)]
enum Claimed {
    /// The bytes of a text that has no others.
    Ascii(Arc<[u8]>),
    /// The UTF-16 units of another text.
    Units(Arc<[u16]>),
    /// The encoding of a format.
    Format(Arc<[u8]>),
}

impl Claims {
    /// Checks that structs say of the claimed clocks what the claims say, as far as the client has not
    /// reached them. Deleted text agrees with any: it stays deleted, whichever comes first.
    ///
    /// # Errors
    /// `Contradicts`.
    pub(super) fn check(
        &self,
        structs: &[Struct<'_>],
        end_of: impl Fn(u64) -> u32,
    ) -> Result<(), InvalidUpdate> {
        if self.0.is_empty() {
            return Ok(());
        }
        let agrees = |item: &Struct<'_>| self.agrees(item, end_of(item.client));
        if structs.iter().all(agrees) { Ok(()) } else { Err(InvalidUpdate::Contradicts) }
    }

    fn agrees(&self, item: &Struct<'_>, reached: u32) -> bool {
        let mut units = Units::of(item);
        let (start, end) = (item.clock.max(reached), item.end());
        let mut overlapping = self.overlapping(item.client, start, end);
        overlapping.all(|(first, claim)| {
            let (from, to) = (first.max(start), claim.end.min(end));
            let mut is_text = |claimed: &dyn Fn(usize) -> u16| {
                let Some(units) = &mut units else { return true };
                units.skip_to(from - item.clock);
                (from - first..to - first).all(|at| units.next() == Some(claimed(at as usize)))
            };
            let is_same = match (&claim.content, &item.content) {
                (_, Content::Deleted | Content::Collected) => return true,
                (Claimed::Format(claimed), Content::Format) => **claimed == *item.bytes,
                (Claimed::Ascii(claimed), Content::Text(_)) => is_text(&|at| claimed[at].into()),
                (Claimed::Units(claimed), Content::Text(_)) => is_text(&|at| claimed[at]),
                (Claimed::Format(_), Content::Text(_))
                | (Claimed::Ascii(_) | Claimed::Units(_), Content::Format) => false,
            };
            is_same
                && claim.right_origin == item.right_origin
                && origin_at(item.client, first, claim.origin, from)
                    == origin_at(item.client, item.clock, item.origin, from)
        })
    }

    /// The claims that overlap these clocks, in their order.
    fn overlapping(
        &self,
        client: u64,
        start: u32,
        end: u32,
    ) -> impl Iterator<Item = (u32, &Claim)> {
        let of_client = (client, 0)..=(client, start);
        let before = self.0.range(of_client).next_back().filter(|(_, claim)| claim.end > start);
        let first = before.map_or(start, |((_, first), _)| *first);
        // Empty if the item has nothing new.
        let range = (client, first)..(client, end.max(first));
        self.0.range(range).map(|((_, first), claim)| (*first, claim))
    }

    /// Claims what is not claimed yet of the clocks that structs of a pending update bring.
    pub(super) fn add<'s, 'a: 's>(
        &mut self,
        structs: impl Iterator<Item = &'s Struct<'a>>,
        end_of: impl Fn(u64) -> u32,
    ) {
        for item in structs {
            let mut from = item.clock.max(end_of(item.client));
            let mut free = Vec::new();
            for (first, claim) in self.overlapping(item.client, from, item.end()) {
                free.push((from, first));
                from = claim.end;
            }
            free.push((from, item.end()));
            free.retain(|(from, to)| from < to);
            let mut units = Units::of(item);
            for (from, to) in free {
                let content = match (&item.content, &mut units) {
                    (Content::Format, _) => Claimed::Format(item.bytes.into()),
                    (Content::Text(_), Some(units)) => {
                        units.skip_to(from - item.clock);
                        Claimed::of(units.take((to - from) as usize).collect())
                    }
                    _ => break,
                };
                let origin = origin_at(item.client, item.clock, item.origin, from);
                let claim = Claim { end: to, origin, right_origin: item.right_origin, content };
                Arc::make_mut(&mut self.0).insert((item.client, from), claim);
            }
        }
    }

    /// Removes the claims on clocks that a client has reached.
    pub(super) fn reached(&mut self, client: u64, end: u32) {
        let is_done = |(_, claim): (&(u64, u32), &Claim)| claim.end <= end;
        let range = (client, 0)..(client, end);
        if self.0.range(range.clone()).any(is_done) {
            let claims = Arc::make_mut(&mut self.0);
            claims.extract_if(range, |_, claim| claim.end <= end).for_each(drop);
        }
    }
}

impl Claimed {
    fn of(units: Vec<u16>) -> Self {
        let ascii = |unit: &u16| u8::try_from(*unit).ok().filter(u8::is_ascii);
        match units.iter().map(ascii).collect::<Option<Vec<u8>>>() {
            Some(bytes) => Self::Ascii(bytes.into()),
            None => Self::Units(units.into()),
        }
    }
}

/// The left neighbour of a clock of a run that begins at `first` with this origin.
fn origin_at(client: u64, first: u32, origin: Option<Id>, clock: u32) -> Option<Id> {
    if clock == first { origin } else { Some(Id { client, clock: clock - 1 }) }
}

/// The UTF-16 units of a text, which are gone through once.
struct Units<'a> {
    units: std::str::EncodeUtf16<'a>,
    at: u32,
}

impl<'a> Units<'a> {
    fn of(item: &'a Struct<'_>) -> Option<Self> {
        let Content::Text(text) = &item.content else { return None };
        Some(Self { units: text.encode_utf16(), at: 0 })
    }

    fn skip_to(&mut self, at: u32) {
        while self.at < at && self.next().is_some() {}
    }
}

impl Iterator for Units<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        self.at += 1;
        self.units.next()
    }
}
