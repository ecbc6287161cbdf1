//! Comparing two versions, or a version and the live text (PRODUCT V4).

use super::Versions;
use crate::{budget, documents::Reader, error::Result};
use izanagi_shared::text::{
    diff::{Diff, DiffOptions, diff_lines},
    unified::unified,
};
use std::{fmt, str::FromStr, sync::Arc};

/// Bytes that a comparison holds at its peak for each byte of the two texts: the texts, their lines,
/// and the answer as JSON.
const COMPARISON_FACTOR: usize = 6;

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

/// Two texts and how they differ.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The text on the left.
    pub old: Arc<str>,
    /// The text on the right.
    pub new: Arc<str>,
    /// The difference.
    pub diff: Diff,
}

impl Versions {
    /// How `to` differs from `from`.
    ///
    /// # Errors
    /// `NotFound` when there is no such version, `CorruptVersion`, `Overloaded`, `Unavailable`.
    pub async fn compare(
        &self,
        reader: &Reader,
        from: Side,
        to: Side,
        options: DiffOptions,
    ) -> Result<Comparison> {
        let _reserved = self.reserve_comparison(reader, from, to).await?;
        let (old, new) = (self.side(reader, from).await?, self.side(reader, to).await?);
        let (left, right) = (Arc::clone(&old), Arc::clone(&new));
        let compare = move || diff_lines(&left, &right, &options);
        let diff = self.core.budget.run_on(old.len() + new.len(), compare).await?;
        Ok(Comparison { old, new, diff })
    }

    /// Reserves memory for comparing two sides, before either is read.
    async fn reserve_comparison(
        &self,
        reader: &Reader,
        from: Side,
        to: Side,
    ) -> Result<budget::Reservation> {
        let bytes = self.length(reader, from).await? + self.length(reader, to).await?;
        self.core.budget.work(bytes.saturating_mul(COMPARISON_FACTOR)).await
    }

    /// The bytes of one side.
    async fn length(&self, reader: &Reader, side: Side) -> Result<usize> {
        let length = match side {
            Side::Live => reader.row().text.length,
            Side::Version(0) => 0,
            Side::Version(number) => self.row(reader.id(), number).await?.length,
        };
        Ok(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The same as a unified diff that `patch` applies, with the sides named `a/…` and `b/…`.
    ///
    /// # Errors
    /// As [`Versions::compare`].
    pub async fn unified(
        &self,
        reader: &Reader,
        from: Side,
        to: Side,
        options: DiffOptions,
    ) -> Result<String> {
        let _reserved = self.reserve_comparison(reader, from, to).await?;
        let (old, new) = (self.side(reader, from).await?, self.side(reader, to).await?);
        let names = (format!("a/{from}"), format!("b/{to}"));
        let bytes = old.len() + new.len();
        let compare = move || unified(&names.0, &names.1, &old, &new, &options);
        self.core.budget.run_on(bytes, compare).await
    }

    /// The text of one side.
    ///
    /// # Errors
    /// As [`Versions::compare`].
    pub async fn side(&self, reader: &Reader, side: Side) -> Result<Arc<str>> {
        match side {
            Side::Live => Ok(self.documents.text(reader).await?.content),
            Side::Version(0) => Ok("".into()),
            Side::Version(number) => self.text(reader, number).await,
        }
    }
}
