//! What all simulated clients have in common: a replica, and edits whose words are unique.

use crate::random::Random;
use izanagi_shared::crdt::{Change, TextDoc};

/// The beginning and end of a word. Between them nothing is inserted.
pub(crate) const OPEN: char = '⟨';
pub(crate) const CLOSE: char = '⟩';

/// A message in either direction.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    Binary(Vec<u8>),
    Text(String),
    /// The last message: the close code.
    Closed(u16),
}

/// What a client does to the world.
#[derive(Debug)]
pub(crate) enum Action {
    /// Open a connection; it ends the one before.
    Connect,
    Send(Message),
    /// End the connection.
    Disconnect,
    /// Start or stop polling over HTTP.
    Poll(bool),
}

/// The words that one client types.
#[derive(Debug)]
pub(crate) struct Writer {
    name: usize,
    typed: u64,
    /// Words that must stand in the text, once.
    pub(crate) kept: Vec<String>,
    /// Words that were deleted.
    pub(crate) deleted: Vec<String>,
}

impl Writer {
    pub(crate) const fn new(name: usize) -> Self {
        Self { name, typed: 0, kept: Vec::new(), deleted: Vec::new() }
    }

    /// Types a word between two others, or deletes one of the own words.
    pub(crate) fn change(&mut self, random: &mut Random, text: &str) -> Change {
        if !self.kept.is_empty() && random.chance(25) {
            let word = self.kept.swap_remove(random.below(self.kept.len()));
            if let Some(at) = text.find(&word) {
                let from = units(&text[..at]);
                let to = from + units(&word);
                self.deleted.push(word);
                return Change { from, to, insert: String::new() };
            }
            // Not restored yet after a reload.
            self.kept.push(word);
        }
        self.typed += 1;
        let emoji = if random.chance(20) { "🦀" } else { "" };
        let word = format!("{OPEN}{}.{}{emoji}{CLOSE}", self.name, self.typed);
        let ends = text.match_indices(CLOSE).map(|(at, end)| at + end.len());
        let places: Vec<usize> = std::iter::once(0).chain(ends).collect();
        let at = units(&text[..places[random.below(places.len())]]);
        self.kept.push(word.clone());
        Change { from: at, to: at, insert: word }
    }
}

fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap()
}

pub(crate) fn apply(doc: &mut TextDoc, update: &[u8]) {
    doc.apply(update).unwrap();
}
