//! Restricting a comparison to the lines in which two texts differ.

/// Two texts without most of their common first and last lines, so that the cost of a comparison
/// depends on the changes and not on the length of the texts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Window<'a> {
    pub(crate) old: &'a str,
    pub(crate) new: &'a str,
    /// The bytes removed at the start of both.
    pub(crate) bytes_before: usize,
    pub(crate) lines_before: usize,
    /// Whether lines were removed at the end of both.
    pub(crate) is_cut_after: bool,
}

impl<'a> Window<'a> {
    /// The range from the first to the last line that differs, with up to `margin` equal lines
    /// before and after it.
    pub(crate) fn of(old: &'a str, new: &'a str, margin: usize) -> Self {
        let prefix = common_prefix(old.as_bytes(), new.as_bytes());
        let start = start_before(&old.as_bytes()[..prefix], margin);
        let (old_rest, new_rest) = (&old.as_bytes()[prefix..], &new.as_bytes()[prefix..]);
        let suffix = common_suffix(old_rest, new_rest);
        let after = &old_rest[old_rest.len() - suffix..];
        let cut = after.len() - end_after(after, margin);
        // Both cuts come after a newline, so they are on character boundaries.
        Self {
            old: &old[start..old.len() - cut],
            new: &new[start..new.len() - cut],
            bytes_before: start,
            lines_before: count_line_ends(&old.as_bytes()[..start]),
            is_cut_after: cut > 0,
        }
    }
}

fn count_line_ends(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

/// The start of the line `margin` lines above the last line of `before`.
fn start_before(before: &[u8], margin: usize) -> usize {
    let ends = before.iter().enumerate().rev();
    let mut ends = ends.filter(|(_, byte)| **byte == b'\n');
    ends.nth(margin).map_or(0, |(at, _)| at + 1)
}

/// The start of the line `margin` lines below the first line that starts in `after`.
fn end_after(after: &[u8], margin: usize) -> usize {
    let mut ends = after.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.nth(margin).map_or(after.len(), |(at, _)| at + 1)
}

/// Comparing blocks is much faster than comparing single bytes.
const BLOCK: usize = 256;

fn common_prefix(old: &[u8], new: &[u8]) -> usize {
    let blocks = old.chunks_exact(BLOCK).zip(new.chunks_exact(BLOCK));
    let equal = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    let bytes = old[equal..].iter().zip(&new[equal..]);
    equal + bytes.take_while(|(a, b)| a == b).count()
}

fn common_suffix(old: &[u8], new: &[u8]) -> usize {
    let blocks = old.rchunks_exact(BLOCK).zip(new.rchunks_exact(BLOCK));
    let equal = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    let (old, new) = (&old[..old.len() - equal], &new[..new.len() - equal]);
    let bytes = old.iter().rev().zip(new.iter().rev());
    equal + bytes.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::first_letter_of_a_line(0, "3\n", "three\n", 2)]
    #[case::with_a_margin(1, "2\n3\n4\n", "2\nthree\n4\n", 1)]
    #[case::margin_beyond_the_ends(9, "1\n2\n3\n4\n5\n", "1\n2\nthree\n4\n5\n", 0)]
    fn contains_the_lines_that_differ(
        #[case] margin: usize,
        #[case] old: &str,
        #[case] new: &str,
        #[case] lines_before: usize,
    ) {
        let window = Window::of("1\n2\n3\n4\n5\n", "1\n2\nthree\n4\n5\n", margin);
        assert_eq!((window.old, window.new), (old, new));
        assert_eq!(window.lines_before, lines_before);
        assert_eq!(window.is_cut_after, margin < 9);
    }

    #[rstest]
    #[case::inserted_line("a\nb\n", "a\nx\nb\n", "b\n", "x\nb\n")]
    #[case::repeated_line("a\na\n", "a\na\na\n", "", "a\n")]
    #[case::missing_newline("a\nb", "a\nb\n", "b", "b\n")]
    #[case::equal("a\nb", "a\nb", "b", "b")]
    #[case::empty("", "a", "", "a")]
    fn starts_and_ends_between_lines(
        #[case] old: &str,
        #[case] new: &str,
        #[case] in_old: &str,
        #[case] in_new: &str,
    ) {
        let window = Window::of(old, new, 0);
        assert_eq!((window.old, window.new), (in_old, in_new));
    }

    proptest! {
        #[test]
        fn removes_only_whole_equal_lines(
            (old, new) in testing::text_pair(),
            margin in 0..3_usize,
        ) {
            let window = Window::of(&old, &new, margin);
            let before = &old[..window.bytes_before];
            prop_assert_eq!(before, &new[..window.bytes_before]);
            prop_assert_eq!(before.split_inclusive('\n').count(), window.lines_before);
            prop_assert!(before.is_empty() || before.ends_with('\n'));
            let after = &old[before.len() + window.old.len()..];
            prop_assert_eq!(after, &new[before.len() + window.new.len()..]);
            prop_assert_eq!(after.is_empty(), !window.is_cut_after);
            prop_assert!(after.is_empty() || window.old.is_empty() || window.old.ends_with('\n'));
        }

        #[test]
        fn finds_long_common_ends(length in 0..999_usize, at in 0..999_usize) {
            let old = vec![b'x'; length];
            let mut new = old.clone();
            if let Some(byte) = new.get_mut(at) {
                *byte = b'y';
                prop_assert_eq!(common_prefix(&old, &new), at);
                prop_assert_eq!(common_suffix(&old, &new), length - at - 1);
            } else {
                prop_assert_eq!(common_prefix(&old, &new), length);
            }
        }
    }
}
