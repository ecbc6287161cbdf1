//! Comparing two versions, or a version and the live text (PRODUCT V4).

use super::Versions;
use crate::{
    documents::Reader,
    error::{Error, Result},
};
use izanagi_shared::text::{
    diff::{Diff, DiffOptions, diff_lines},
    unified::unified,
};
use std::{fmt, str::FromStr, sync::Arc};
use tokio::task::spawn_blocking;

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
    /// How `to` differs from `from`. Off the async threads, for it may take a while.
    ///
    /// # Errors
    /// `NotFound` for a version that is none, `CorruptVersion`, `Unavailable`.
    pub async fn compare(
        &self,
        reader: &Reader,
        from: Side,
        to: Side,
        options: DiffOptions,
    ) -> Result<Comparison> {
        let (old, new) = (self.side(reader, from).await?, self.side(reader, to).await?);
        let (left, right) = (Arc::clone(&old), Arc::clone(&new));
        let diff = spawn_blocking(move || diff_lines(&left, &right, &options))
            .await
            .map_err(Error::internal)?;
        Ok(Comparison { old, new, diff })
    }

    /// The same as a unified diff that `patch` applies, the sides named `a/…` and `b/…`.
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
        let (old, new) = (self.side(reader, from).await?, self.side(reader, to).await?);
        let names = (format!("a/{from}"), format!("b/{to}"));
        spawn_blocking(move || unified(&names.0, &names.1, &old, &new, &options))
            .await
            .map_err(Error::internal)
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
