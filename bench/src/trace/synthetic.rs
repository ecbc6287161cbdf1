//! Synthetic trace of the size of a real one, for machines without the recorded data.

use super::{Patch, Trace, Transaction};
use crate::random::Random;

/// Number of edits and of characters in the final text of `seph-blog1`.
const EDITS: usize = 137_154;
const LENGTH: usize = 56_769;
/// Number of characters that the first edit of the recorded trace inserts.
const PASTED: usize = 4_000;

/// Simulates writing a blog post: runs of insertions and deletions, mostly at the end, with a
/// paragraph break every few hundred characters.
pub(super) fn blog_post() -> Trace {
    let mut random = Random::new(2021);
    let mut writer = Writer { text: Vec::new(), line: 0, word: 0 };
    let pasted: String = (0..PASTED).map(|_| writer.next_character(&mut random)).collect();
    writer.text.extend(pasted.chars());
    let mut txns = vec![Transaction { patches: vec![Patch(0, 0, pasted)] }];
    // Every edit after the first inserts or deletes one character.
    let edits = EDITS - 1;
    let (mut to_write, mut to_delete) =
        ((edits + LENGTH - PASTED) / 2, (edits - (LENGTH - PASTED)) / 2);
    while to_write + to_delete > 0 {
        let end = writer.text.len();
        let mut at = if random.below(4) == 0 { random.below(end + 1) } else { end };
        let deleting = random.below(to_write + to_delete) < to_delete;
        let run = 1 + random.below(if deleting { 20 } else { 60 });
        for _ in 0..run {
            if deleting && to_delete > 0 && at > 0 {
                to_delete -= 1;
                at -= 1;
                writer.text.remove(at);
                txns.push(Transaction { patches: vec![Patch(at, 1, String::new())] });
            } else if to_write > 0 {
                to_write -= 1;
                let character = writer.next_character(&mut random);
                writer.text.insert(at, character);
                txns.push(Transaction { patches: vec![Patch(at, 0, character.into())] });
                at += 1;
            }
        }
    }
    Trace { start: String::new(), end: writer.text.iter().collect(), txns, origin: String::new() }
}

struct Writer {
    text: Vec<char>,
    /// Characters left in the current paragraph and word.
    line: usize,
    word: usize,
}

impl Writer {
    fn next_character(&mut self, random: &mut Random) -> char {
        if self.line == 0 {
            self.line = 100 + random.below(500);
            return '\n';
        }
        self.line -= 1;
        if self.word == 0 {
            self.word = 1 + random.below(5) + random.below(5);
            return ' ';
        }
        self.word -= 1;
        // Approximates the letter frequencies of English.
        let letters = b"etaoinshrdlucmfwypvbgkjxqz";
        let index = random.below(letters.len()) * random.below(letters.len()) / letters.len();
        char::from(letters[index])
    }
}
