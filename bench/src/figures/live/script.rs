//! The updates that are sent, encoded before the clock starts.

use crate::random::Random;
use anyhow::Result;
use izanagi_shared::crdt::{Change, TextDoc};

/// The client id of the first writer; the others count up. Most of Yjs's random ids take as many
/// bytes.
const FIRST_WRITER: u64 = 0x4000_0000;

/// A document's first text, and what is typed into it.
pub(in crate::figures) struct Script {
    /// The update that brings the first text.
    pub(in crate::figures) seed: Vec<u8>,
    writers: Vec<Writer>,
}

struct Writer {
    /// One letter each: an update's number is the clock of its letter, by which it is recognised,
    /// alone or merged with others.
    updates: Vec<Vec<u8>>,
    /// The text once they are all in it.
    text: String,
}

impl Script {
    /// Encodes the updates of writers who type at different places of `text`.
    pub(in crate::figures) fn new(text: &str, writers: usize, updates: usize) -> Result<Self> {
        let (first, seed) = TextDoc::from_text(FIRST_WRITER - 1, text);
        let length = text.encode_utf16().count();
        let write = |index: usize| {
            let mut replica = first.fork(FIRST_WRITER + index as u64)?;
            let place = u32::try_from(length * (index + 1) / (writers + 1))?;
            let mut encoded = Vec::with_capacity(updates);
            for (number, at) in (0..updates).zip(place..) {
                let letter = char::from(b'a' + (number % 26) as u8);
                encoded.push(replica.edit(&[Change { from: at, to: at, insert: letter.into() }]));
            }
            Ok(Writer { updates: encoded, text: replica.text() })
        };
        let writers = (0..writers).map(write).collect::<Result<_>>()?;
        Ok(Self { seed, writers })
    }

    /// Returns an update of a writer.
    pub(in crate::figures) fn update(&self, writer: usize, number: usize) -> Option<&[u8]> {
        self.writers.get(writer)?.updates.get(number).map(Vec::as_slice)
    }

    /// Returns how many writers there are.
    pub(in crate::figures) fn writers(&self) -> usize {
        self.writers.len()
    }

    /// Returns the text after all updates of one writer.
    pub(in crate::figures) fn text_of(&self, writer: usize) -> Option<&str> {
        self.writers.get(writer).map(|writer| writer.text.as_str())
    }
}

/// Returns the writer with this client id.
pub(in crate::figures) fn writer_of(client: u64) -> Option<usize> {
    client.checked_sub(FIRST_WRITER).and_then(|index| usize::try_from(index).ok())
}

/// Returns the state of a text of which several people wrote words here and there, and deleted some,
/// until its encoding had this many bytes.
pub(in crate::figures) fn worked_on(bytes: usize) -> Result<Vec<u8>> {
    /// Words, each written by another client.
    const TURN: usize = 500;
    let mut random = Random::new(8);
    let mut replica = TextDoc::new(1);
    let mut length = 0_u32;
    for client in 2.. {
        for _ in 0..TURN {
            let at = u32::try_from(random.below(length as usize + 1))?;
            let to = if random.below(10) == 0 { length.min(at + 5) } else { at };
            let insert = format!("{:x} ", random.below(0x10_0000));
            length += u32::try_from(insert.len())?;
            length -= to - at;
            replica.edit(&[Change { from: at, to, insert }]);
        }
        let state = replica.encode();
        if state.len() >= bytes {
            return Ok(state);
        }
        replica = replica.fork(client)?;
    }
    anyhow::bail!("there are not enough client ids")
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::crdt::inspect_update;

    #[test]
    fn an_updates_number_is_the_clock_of_its_letter() {
        let script = Script::new("a text", 3, 40).unwrap();
        let mut server = TextDoc::load(5, &script.seed).unwrap();
        for number in 0..40 {
            for writer in 0..3 {
                let update = script.update(writer, number).unwrap();
                let [range] = inspect_update(update).unwrap().structs[..] else { panic!() };
                assert_eq!(writer_of(range.client), Some(writer));
                assert_eq!((range.start, range.end), (number as u32, number as u32 + 1));
                server.apply(update).unwrap();
            }
        }
        assert_eq!(server.text().len(), "a text".len() + 3 * 40);
    }

    #[test]
    fn a_text_that_was_worked_on_has_the_size_asked_for() {
        let state = worked_on(20_000).unwrap();
        assert!((20_000..40_000).contains(&state.len()), "{}", state.len());
        assert!(inspect_update(&state).unwrap().items > 500);
    }
}
