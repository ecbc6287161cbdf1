//! Numbers of changes, which readers follow from the highest one they have seen. How they are given
//! out differs between databases: SQLite counts in a view of its schema, PostgreSQL in a sequence.

use super::statement::Statement;

/// Independent series of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Of the change feed.
    Changes,
    /// Of accounts whose rights changed.
    Accounts,
    /// Of changes of records.
    Records,
}

/// Around the number that SQLite computes. For PostgreSQL the name of a sequence follows
/// [`NEXT_START`] and a comment ends, and everything up to [`NEXT_END`] is replaced.
pub(super) const NEXT_START: &str = "/*<";
/// See [`NEXT_START`].
pub(super) const NEXT_END: &str = "/*>*/";

impl Numbers {
    /// The view or sequence. Either is a relation of one row.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Changes => "change_numbers",
            Self::Accounts => "account_numbers",
            Self::Records => "record_numbers",
        }
    }

    /// Appends the number that is `offset` after those used so far. The statement reads
    /// [`Self::name`] as `t`.
    pub(super) fn push_next<'s>(
        self,
        statement: &'s mut Statement,
        offset: &str,
    ) -> &'s mut Statement {
        statement.push(NEXT_START).push(self.name()).push("*/(t.top + ").push(offset);
        statement.push(")").push(NEXT_END)
    }
}
