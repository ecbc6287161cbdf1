//! A part of a document.

use super::summary::Summary;
use crate::markdown::{Counts, counts};
use crate::text::utf16::utf16_len;

/// Letters in a line of rendered text, about.
const LINE: usize = 80;

/// A run of whole blocks.
#[derive(Debug)]
pub(super) struct Part {
    /// Names it as long as it exists, whatever is written in it.
    pub(super) id: u32,
    pub(super) text: String,
    /// Length of the text in UTF-16 units.
    pub(super) units: usize,
    pub(super) counts: Counts,
    /// Number of lines that it takes when it is shown, about.
    pub(super) lines: u32,
    pub(super) summary: Summary,
    /// Whether it has just been written, without knowing which definitions apply.
    pub(super) is_new: bool,
}

impl Part {
    pub(super) fn new(id: u32, text: String, summary: Summary) -> Self {
        let lines = text.lines().filter(|line| !line.trim_ascii().is_empty());
        let lines = lines.map(|line| 1 + line.len() / LINE).sum::<usize>();
        Self {
            id,
            units: utf16_len(&text),
            counts: counts(&text),
            lines: u32::try_from(lines).unwrap_or(u32::MAX),
            text,
            summary,
            is_new: true,
        }
    }
}
