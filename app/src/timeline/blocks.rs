//! A text divided into blocks, so that only those that change are shown anew.

use std::ops::Range;

/// A block ends at the first line end after this many bytes,
const BLOCK_BYTES: usize = 4 * 1024;
/// or, in a long line, after this many.
const LONG_LINE: usize = 16 * 1024;

/// A text and where its blocks end.
#[derive(Debug, Default)]
pub struct Blocks {
    text: String,
    ends: Vec<usize>,
}

/// Which blocks another text replaces: `removed` blocks from `at` on, by `inserted`.
#[derive(Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The first one.
    pub at: usize,
    /// How many.
    pub removed: usize,
    /// The new ones, in bytes of the new text.
    pub inserted: Vec<Range<usize>>,
}

impl Blocks {
    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the block that shows this byte, and where it begins and ends.
    #[must_use]
    pub fn block_at(&self, byte: usize) -> Option<(usize, Range<usize>)> {
        let last = self.ends.len().checked_sub(1)?;
        let at = self.ends.partition_point(|end| *end <= byte).min(last);
        Some((at, self.range(at)))
    }

    /// Returns a block's bytes.
    #[must_use]
    pub fn range(&self, at: usize) -> Range<usize> {
        self.start(at)..self.ends.get(at).copied().unwrap_or(self.text.len())
    }

    /// Replaces the text; returns what that changes. Blocks before and after the difference stay.
    pub fn replace(&mut self, text: String) -> Replaced {
        let (old, new) = (self.text.as_bytes(), text.as_bytes());
        let before = common(old.iter(), new.iter());
        let mut first = self.ends.partition_point(|end| *end <= before);
        // What is added to a line that a block ends with belongs to that line, and short blocks grow.
        if first > 0 && !self.is_complete(first - 1) {
            first -= 1;
        }
        let start = self.start(first);
        let after = common(old[start..].iter().rev(), new[start..].iter().rev());
        let rest = old.len() - after;
        let mut kept = match rest <= start {
            true => first,
            false => (self.ends.partition_point(|end| *end < rest) + 1).min(self.ends.len()),
        };
        let end_before = |kept: usize| new.len() - (old.len() - self.start(kept));
        // What a line begins with belongs to it too.
        let ends_line = end_before(kept).checked_sub(1).is_none_or(|last| new[last] == b'\n');
        if !ends_line && kept < self.ends.len() {
            kept += 1;
        }
        let inserted = divide(&text, start..end_before(kept));
        let (grown, shrunk) = (new.len(), old.len());
        let moved = self.ends[kept..].iter().map(|end| end + grown - shrunk);
        let mut ends: Vec<usize> = self.ends[..first].to_vec();
        ends.extend(inserted.iter().map(|block| block.end));
        ends.extend(moved);
        (self.text, self.ends) = (text, ends);
        Replaced { at: first, removed: kept - first, inserted }
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default()
    }

    fn is_complete(&self, at: usize) -> bool {
        let block = self.range(at);
        block.len() >= BLOCK_BYTES && self.text.as_bytes()[block].ends_with(b"\n")
    }
}

/// Returns how many bytes are equal.
fn common<'a>(a: impl Iterator<Item = &'a u8>, b: impl Iterator<Item = &'a u8>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

/// Divides a part of a text into blocks.
fn divide(text: &str, part: Range<usize>) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut start = part.start;
    while start < part.end {
        let bytes = &text.as_bytes()[start..part.end];
        let line_end = bytes.iter().skip(BLOCK_BYTES).position(|byte| *byte == b'\n');
        let end = match line_end.map(|at| BLOCK_BYTES + at + 1) {
            Some(end) if end <= LONG_LINE => end,
            _ if bytes.len() <= LONG_LINE => bytes.len(),
            _ => {
                // At the last line end before, if there is one.
                let limit = text.floor_char_boundary(start + LONG_LINE) - start;
                let line_end = bytes[..limit].iter().rposition(|byte| *byte == b'\n');
                line_end.map_or(limit, |at| at + 1)
            }
        };
        blocks.push(start..start + end);
        start += end;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Applies the replacement to a list of blocks, as the page does.
    fn shown(blocks: &mut Blocks, shown: &mut Vec<String>, text: &str) -> usize {
        let Replaced { at, removed, inserted } = blocks.replace(text.to_owned());
        let new: Vec<String> = inserted.into_iter().map(|block| text[block].to_owned()).collect();
        let count = new.len();
        shown.splice(at..at + removed, new);
        assert_eq!(shown.concat(), text);
        let ranges: Vec<String> =
            (0..shown.len()).map(|at| text[blocks.range(at)].to_owned()).collect();
        assert_eq!(&ranges, shown);
        count
    }

    #[rstest]
    #[case::lines("a line of text\n")]
    #[case::one_line("a long line without an end 😀")]
    #[case::crlf("windows\r\n")]
    fn only_blocks_around_a_change_are_replaced(#[case] line: &str) {
        let text = line.repeat(20_000);
        let (mut blocks, mut list) = (Blocks::default(), Vec::new());
        assert!(shown(&mut blocks, &mut list, &text) > 10);
        for at in [0, text.len() / 2, text.len()] {
            let at = text.floor_char_boundary(at);
            let edited = format!("{}!{}", &text[..at], &text[at..]);
            // In a long line, also the blocks before and after it.
            assert!(shown(&mut blocks, &mut list, &edited) <= 4);
            assert!(shown(&mut blocks, &mut list, &text) <= 4);
        }
        assert!(shown(&mut blocks, &mut list, &text) <= 1);
        shown(&mut blocks, &mut list, "");
        shown(&mut blocks, &mut list, "short");
        shown(&mut blocks, &mut list, "shorter");
        shown(&mut blocks, &mut list, "er");
        shown(&mut blocks, &mut list, &text);
        shown(&mut blocks, &mut list, &text[text.len() / 2..]);
    }

    #[test]
    fn a_byte_is_found_in_its_block() {
        let mut blocks = Blocks::default();
        assert_eq!(blocks.block_at(0), None);
        blocks.replace("line\n".repeat(2_000));
        let (at, range) = blocks.block_at(5_000).unwrap();
        assert_eq!(at, 1);
        assert!(range.contains(&5_000));
        assert_eq!(blocks.block_at(10_000).unwrap().0, 2);
    }
}
