//! What of an update is new. A client that connects again sends all deletions it knows of, those of
//! others too, because a state vector does not count them.

use super::{Checker, ClientRange, Order, Refusal, encode::encode, order::Kind, parse::parse};
use std::borrow::Cow;

impl Checker {
    /// Returns the part of an update that the document does not have; `None` if it has everything.
    /// Text that is partly there is kept whole.
    ///
    /// # Errors
    /// The update cannot be read.
    pub fn news<'a>(&self, update: &'a [u8]) -> Result<Option<Cow<'a, [u8]>>, Refusal> {
        let parsed = parse(update)?;
        let is_new = |item: &&_| self.order.lacks(item);
        let structs: Vec<_> = parsed.structs.iter().filter(is_new).collect();
        let mut deletes = Vec::new();
        for range in &parsed.deletes {
            self.order.undeleted(*range, &mut deletes);
        }
        if structs.is_empty() && deletes.is_empty() {
            return Ok(None);
        }
        if structs.len() == parsed.structs.len() && deletes == parsed.deletes {
            return Ok(Some(Cow::Borrowed(update)));
        }
        Ok(Some(Cow::Owned(encode(&structs, &deletes))))
    }
}

impl Order {
    fn lacks(&self, item: &super::parse::Struct<'_>) -> bool {
        item.end() > self.end_of(item.client)
    }

    /// Appends the parts of a range that are not deleted, or not there yet.
    fn undeleted(&self, range: ClientRange, parts: &mut Vec<ClientRange>) {
        let ClientRange { client, start, end } = range;
        let known = self.end_of(client);
        let mut clock = start;
        while clock < end.min(known) {
            let Some(run) = self.run_with(client, clock) else { break };
            let part_end = run.end().min(end);
            if !matches!(run.kind, Kind::Deleted | Kind::Collected) {
                push(parts, ClientRange { client, start: clock, end: part_end });
            }
            clock = part_end;
        }
        if clock < end {
            push(parts, ClientRange { client, start: clock, end });
        }
    }
}

/// Appends a range, joined to the one before it if they touch.
fn push(parts: &mut Vec<ClientRange>, range: ClientRange) {
    match parts.last_mut() {
        Some(last) if (last.client, last.end) == (range.client, range.start) => {
            last.end = range.end
        }
        _ => parts.push(range),
    }
}

#[cfg(test)]
mod tests {
    use crate::crdt::{Change, TextDoc};

    fn change(from: u32, to: u32, insert: &str) -> Change {
        Change { from, to, insert: insert.to_owned() }
    }

    /// What of `update` is new to `doc`.
    fn news(doc: &TextDoc, update: &[u8]) -> Option<Vec<u8>> {
        doc.checker().news(update).unwrap().map(std::borrow::Cow::into_owned)
    }

    #[test]
    fn a_state_is_nothing_new_to_its_own_document() {
        let (mut doc, _) = TextDoc::from_text(1, "a🦀b\r\nc");
        doc.edit(&[change(1, 3, "")]);
        assert_eq!(news(&doc, &doc.encode()), None);
        assert_eq!(news(&doc, &[0, 0]), None);
    }

    #[test]
    fn an_update_is_new_as_a_whole() {
        let (mut doc, state) = TextDoc::from_text(1, "abc");
        let update = doc.edit(&[change(0, 1, "x"), change(3, 3, "y")]);
        let old = TextDoc::load(2, &state).unwrap();
        assert_eq!(news(&old, &update), Some(update));
    }

    #[test]
    fn only_new_deletions_of_a_state_are_left() {
        let (mut doc, state) = TextDoc::from_text(1, &"0123456789".repeat(100));
        let mut old = TextDoc::load(2, &state).unwrap();
        for at in (0..600).step_by(2) {
            let update = doc.edit(&[change(at, at + 1, "")]);
            old.apply(&update).unwrap();
        }
        doc.edit(&[change(0, 1, ""), change(5, 5, "new")]);
        let whole = doc.encode();
        let part = news(&old, &whole).unwrap();
        assert!(part.len() < 40 && whole.len() > 300, "{} of {}", part.len(), whole.len());
        old.apply(&part).unwrap();
        assert_eq!(old.text(), doc.text());
        assert_eq!(news(&old, &whole), None);
    }

    #[test]
    fn what_waits_is_new() {
        let (mut doc, state) = TextDoc::from_text(1, "abc");
        let first = doc.edit(&[change(3, 3, "d")]);
        let second = doc.edit(&[change(4, 4, "e")]);
        let old = TextDoc::load(2, &state).unwrap();
        assert_eq!(news(&old, &second), Some(second));
        assert!(news(&old, &first).is_some());
    }
}
