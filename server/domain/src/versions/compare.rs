//! Comparing two versions, or a version and the live text (PRODUCT V4).

use super::Versions;
use crate::{budget, documents::HistoryReader, error::Result};
use izanagi_shared::text::{
    diff::{Diff, DiffOptions, MAX_LINES, diff_lines},
    unified::unified,
    word_memory,
};
use std::{fmt, str::FromStr, sync::Arc};

/// Peak memory of a comparison, in bytes per byte of both texts: the texts, and their changed part in
/// the result and its JSON.
const COMPARISON_FACTOR: usize = 3;
/// Memory of a line in the result, besides its text.
const SHOWN_LINE_BYTES: usize = 200;

/// Memory of a comparison in bytes per line of both texts.
const LINE_BYTES: usize = 48;
/// Assumed length of a line before the texts are read.
const LINE: usize = 64;

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// A version; 0 is the empty text before the first.
    Version(u64),
    /// The live text.
    Live,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(number) => number.fmt(f),
            Self::Live => f.write_str("live"),
        }
    }
}

impl FromStr for Side {
    type Err = izanagi_shared::problem::FieldError;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if text == "live" {
            return Ok(Self::Live);
        }
        text.parse().map(Self::Version).map_err(|_| {
            let message = "Use a version number, or live.";
            izanagi_shared::problem::FieldError::new("version", "invalid", message)
        })
    }
}

/// Two texts and their difference.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The left text.
    pub old: Arc<str>,
    /// The right text.
    pub new: Arc<str>,
    /// The difference.
    pub diff: Diff,
}

/// Peak memory of comparing texts with this many bytes and lines.
fn memory(bytes: usize, lines: usize) -> usize {
    bytes.saturating_mul(COMPARISON_FACTOR)
        + lines.saturating_mul(LINE_BYTES)
        + lines.min(MAX_LINES) * SHOWN_LINE_BYTES
        + word_memory(bytes)
}

impl Versions {
    /// Compares `from` and `to`.
    ///
    /// # Errors
    /// `NotFound` if a version does not exist, `CorruptVersion`, `Overloaded`, `Unavailable`.
    pub async fn compare(
        &self,
        reader: &HistoryReader,
        from: Side,
        to: Side,
        options: DiffOptions,
    ) -> Result<Comparison> {
        let _reserved = self.reserve_comparison(reader, from, to).await?;
        let (old, new) = (self.side(reader, from).await?, self.side(reader, to).await?);
        let _reserved = self.reserve_lines(&old, &new).await?;
        let (left, right) = (Arc::clone(&old), Arc::clone(&new));
        let compare = move || diff_lines(&left, &right, &options);
        let diff = self.core.budget.run_on(old.len() + new.len(), compare).await?;
        Ok(Comparison { old, new, diff })
    }

    /// Reserves memory for comparing two sides, before reading either.
    async fn reserve_comparison(
        &self,
        reader: &HistoryReader,
        from: Side,
        to: Side,
    ) -> Result<budget::Reservation> {
        let bytes = self.length(reader, from).await? + self.length(reader, to).await?;
        self.core.budget.work(memory(bytes, bytes / LINE)).await
    }

    /// Reserves more memory for texts of very short lines.
    async fn reserve_lines(&self, old: &str, new: &str) -> Result<budget::Reservation> {
        let lines = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
        self.core.budget.work(memory(old.len() + new.len(), lines(old) + lines(new))).await
    }

    /// Returns the size of one side in bytes.
    async fn length(&self, reader: &HistoryReader, side: Side) -> Result<usize> {
        let length = match side {
            Side::Live => reader.row().text.length,
            Side::Version(0) => 0,
            Side::Version(number) => self.row(reader.id(), number).await?.length,
        };
        Ok(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Returns a unified diff that `patch` applies, with the sides named `a/…` and `b/…`.
    ///
    /// # Errors
    /// As [`Versions::compare`].
    pub async fn unified(
        &self,
        reader: &HistoryReader,
        from: Side,
        to: Side,
        options: DiffOptions,
    ) -> Result<String> {
        let _reserved = self.reserve_comparison(reader, from, to).await?;
        let (old, new) = (self.side(reader, from).await?, self.side(reader, to).await?);
        let _reserved = self.reserve_lines(&old, &new).await?;
        let names = (format!("a/{from}"), format!("b/{to}"));
        let bytes = old.len() + new.len();
        let compare = move || unified(&names.0, &names.1, &old, &new, &options);
        self.core.budget.run_on(bytes, compare).await
    }

    /// Returns the text of one side.
    ///
    /// # Errors
    /// As [`Versions::compare`].
    pub async fn side(&self, reader: &HistoryReader, side: Side) -> Result<Arc<str>> {
        match side {
            Side::Live => Ok(self.documents.text(reader).await?.content),
            Side::Version(0) => Ok("".into()),
            Side::Version(number) => self.text(reader, number).await,
        }
    }
}
