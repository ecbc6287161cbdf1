//! Interning of lines and words, so that they can be compared as integers.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};

/// Gives equal strings equal numbers, from 0 in order of first occurrence.
///
/// The maps hash with random keys to prevent crafted collisions; the numbers do not depend on them.
#[derive(Default)]
pub(crate) struct Interner<'a> {
    /// Most words are short, and integers hash several times as fast as strings.
    short: HashMap<u64, u32, ShortHashes>,
    long: HashMap<Cow<'a, str>, u32>,
}

impl<'a> Interner<'a> {
    /// The number of `token`.
    pub(crate) fn intern(&mut self, token: impl Into<Cow<'a, str>>) -> u32 {
        let token = token.into();
        let next = self.short.len() + self.long.len();
        // Never truncated: texts are far smaller than 4 GiB.
        let next = next as u32;
        match pack(token.as_bytes()) {
            Some(packed) => *self.short.entry(packed).or_insert(next),
            None => *self.long.entry(token).or_insert(next),
        }
    }
}

/// Packs up to seven bytes and their length into one integer.
#[inline]
fn pack(token: &[u8]) -> Option<u64> {
    if token.len() > 7 {
        return None;
    }
    let bytes = token.iter().fold(0, |bytes, byte| bytes << 8 | u64::from(*byte));
    Some(bytes << 8 | token.len() as u64)
}

/// Multiplicative hashing of single integers with a random odd factor (Dietzfelbinger et al.,
/// "A Reliable Randomized Algorithm for the Closest-Pair Problem", 1997).
struct ShortHashes {
    factor: u64,
}

impl Default for ShortHashes {
    fn default() -> Self {
        // The standard library does not expose its random keys, but a hash made with them.
        let factor = RandomState::new().hash_one(0_u64) | 1;
        Self { factor }
    }
}

impl BuildHasher for ShortHashes {
    type Hasher = ShortHasher;

    fn build_hasher(&self) -> ShortHasher {
        ShortHasher { factor: self.factor, hash: 0 }
    }
}

struct ShortHasher {
    factor: u64,
    hash: u64,
}

impl Hasher for ShortHasher {
    #[inline]
    fn write_u64(&mut self, number: u64) {
        // The high bits of the product are well mixed, but the table uses the low bits.
        self.hash = number.wrapping_mul(self.factor).rotate_left(26);
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.hash ^ u64::from(byte));
        }
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_have_equal_numbers() {
        let mut interner = Interner::default();
        let numbers = ["a", "word", "", "a longer one", "word", "é", "a", "a longer one", ""]
            .map(|token| interner.intern(token));
        assert_eq!(numbers, [0, 1, 2, 3, 1, 4, 0, 3, 2]);
    }

    #[test]
    fn borrowed_and_owned_strings_have_equal_numbers() {
        let mut interner = Interner::default();
        for token in ["word", "a longer one"] {
            assert_eq!(interner.intern(token), interner.intern(token.to_owned()));
        }
    }

    #[test]
    fn packing_short_strings_has_no_collisions() {
        let tokens = ["", "\0", "\0\0", "a", "\0a", "a\0", "1234567", "\u{7}"];
        let mut packed: Vec<_> = tokens.iter().map(|token| pack(token.as_bytes())).collect();
        packed.sort();
        packed.dedup();
        assert_eq!(packed.len(), tokens.len());
        assert_eq!(pack(b"12345678"), None);
    }
}
