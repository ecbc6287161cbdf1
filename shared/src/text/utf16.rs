//! Conversion between byte offsets, used here, and UTF-16 offsets, used by CodeMirror, Yjs and the
//! WebSocket protocol (API.md).

use thiserror::Error;

/// An offset that is not on a character boundary of the text, or not in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("offset {offset} is inside a character, beyond the end, or not in ascending order")]
pub struct OffsetError {
    /// The invalid offset.
    pub offset: usize,
}

/// The length of `text` in UTF-16 units.
pub fn utf16_len(text: &str) -> usize {
    // Count the first byte of each character; a character of four bytes takes two units.
    let units = text.bytes().map(|byte| match byte {
        0x80..0xC0 => 0,
        0xF0.. => 2,
        _ => 1_usize,
    });
    units.sum()
}

/// Converts ascending byte offsets of `text` to UTF-16 offsets, in one pass.
///
/// # Errors
/// At the first offset that is not on a character boundary or smaller than its predecessor.
pub fn bytes_to_utf16(
    text: &str,
    offsets: impl IntoIterator<Item = usize>,
) -> Result<Vec<usize>, OffsetError> {
    let (mut bytes, mut units) = (0, 0);
    let convert = |offset| {
        let part = text.get(bytes..offset).ok_or(OffsetError { offset })?;
        bytes = offset;
        units += utf16_len(part);
        Ok(units)
    };
    offsets.into_iter().map(convert).collect()
}

/// Converts ascending UTF-16 offsets of `text` to byte offsets, in one pass.
///
/// # Errors
/// At the first offset inside a surrogate pair, beyond the end, or smaller than its predecessor.
pub fn utf16_to_bytes(
    text: &str,
    offsets: impl IntoIterator<Item = usize>,
) -> Result<Vec<usize>, OffsetError> {
    let mut bytes = 0_usize;
    let mut units = 0;
    let convert = |offset: usize| {
        let error = OffsetError { offset };
        let mut missing = offset.checked_sub(units).ok_or(error)?;
        // A character has at least as many bytes as units, so advancing by as many bytes as units
        // are missing never goes too far, and few rounds are enough for most texts.
        while missing > 0 {
            let candidate = text.ceil_char_boundary(bytes.saturating_add(missing));
            let end = if utf16_len(&text[bytes..candidate]) > missing {
                text.floor_char_boundary(bytes.saturating_add(missing))
            } else {
                candidate
            };
            let passed = utf16_len(&text[bytes..end]);
            if passed == 0 {
                return Err(error);
            }
            bytes = end;
            missing -= passed;
        }
        units = offset;
        Ok(bytes)
    };
    offsets.into_iter().map(convert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::testing;
    use proptest::prelude::*;
    use rstest::rstest;

    #[test]
    fn converts_offsets_both_ways() {
        let text = "aé我😀b";
        let bytes = [0, 1, 3, 6, 10, 11];
        let units = [0, 1, 2, 3, 5, 6];
        assert_eq!(bytes_to_utf16(text, bytes).unwrap(), units);
        assert_eq!(utf16_to_bytes(text, units).unwrap(), bytes);
    }

    #[rstest]
    #[case::inside_a_pair(&[4])]
    #[case::beyond_the_end(&[1, 7])]
    #[case::descending(&[2, 1])]
    fn rejects_utf16_offsets(#[case] offsets: &[usize]) {
        let offset = offsets[offsets.len() - 1];
        let converted = utf16_to_bytes("aé我😀b", offsets.iter().copied());
        assert_eq!(converted, Err(OffsetError { offset }));
    }

    #[rstest]
    #[case::inside_a_character(&[2])]
    #[case::beyond_the_end(&[3, 12])]
    #[case::descending(&[3, 1])]
    fn rejects_byte_offsets(#[case] offsets: &[usize]) {
        let offset = offsets[offsets.len() - 1];
        let converted = bytes_to_utf16("aé我😀b", offsets.iter().copied());
        assert_eq!(converted, Err(OffsetError { offset }));
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(text in testing::text()) {
            prop_assert_eq!(utf16_len(&text), text.encode_utf16().count());
            let mut bytes: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
            bytes.push(text.len());
            let units = bytes_to_utf16(&text, bytes.iter().copied()).unwrap();
            let lengths = bytes.iter().map(|at| text[..*at].encode_utf16().count());
            prop_assert_eq!(&units, &lengths.collect::<Vec<_>>());
            prop_assert_eq!(utf16_to_bytes(&text, units.iter().copied()).unwrap(), bytes);
            for &end in &units {
                let last = utf16_to_bytes(&text, [end]).unwrap();
                prop_assert_eq!(utf16_len(&text[..last[0]]), end);
            }
        }
    }
}
