//! What every list has in common.

use serde::{Deserialize, Serialize};

/// Rows on a page when nobody says otherwise.
pub const DEFAULT_PAGE_SIZE: u32 = 20;
/// The most rows a page can have.
pub const MAX_PAGE_SIZE: u32 = 100;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Which page this is, from 1; 1 when it was asked for by cursor.
    pub page: u32,
    /// How many rows a page has at most.
    pub page_size: u32,
    /// How many rows the whole list has.
    pub total: u64,
    /// Where the next page starts; `None` on the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that is never cut: all of it is its one page.
    #[must_use]
    pub fn whole(items: Vec<T>) -> Self {
        let total = items.len() as u64;
        let page_size = u32::try_from(items.len()).unwrap_or(u32::MAX).max(DEFAULT_PAGE_SIZE);
        Self { items, page: 1, page_size, total, next_cursor: None }
    }

    /// The same page with each row turned into something else.
    pub fn map<U>(self, turn: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(turn).collect(),
            page: self.page,
            page_size: self.page_size,
            total: self.total,
            next_cursor: self.next_cursor,
        }
    }
}

/// How a list of documents is sorted (PRODUCT D5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DocumentSort {
    /// Last edited first.
    #[default]
    Updated,
    /// Newest first.
    Created,
    /// By title, case-folded, A first.
    Title,
}

impl DocumentSort {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Created => "created",
            Self::Title => "title",
        }
    }
}
