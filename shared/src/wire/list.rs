//! Pagination and sorting shared by all lists.

use serde::{Deserialize, Serialize};

/// Page size if the request does not specify one.
pub const DEFAULT_PAGE_SIZE: u32 = 20;
/// Maximum page size.
pub const MAX_PAGE_SIZE: u32 = 100;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// Items of this page.
    pub items: Vec<T>,
    /// Page number, starting at 1; always 1 for a request by cursor.
    pub page: u32,
    /// Maximum number of items on a page.
    pub page_size: u32,
    /// Number of items in the whole list.
    pub total: u64,
    /// Cursor of the next page; `None` on the last page.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Returns an unpaginated list as a single page.
    #[must_use]
    pub fn whole(items: Vec<T>) -> Self {
        let total = items.len() as u64;
        let page_size = u32::try_from(items.len()).unwrap_or(u32::MAX).max(DEFAULT_PAGE_SIZE);
        Self { items, page: 1, page_size, total, next_cursor: None }
    }

    /// Converts the items of the page.
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

/// Sort order of a document list (PRODUCT D5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DocumentSort {
    /// Most recently edited first.
    #[default]
    Updated,
    /// Most recently created first.
    Created,
    /// By title, ascending and case-insensitive.
    Title,
}

impl DocumentSort {
    /// Returns the name used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Created => "created",
            Self::Title => "title",
        }
    }
}
