//! Statements and their arguments. The text is shared by all dialects, with `$1`, `$2` … as
//! placeholders; each dialect renders it.

use izanagi_shared::{
    id::{ActorId, CommitId, DocumentId, SessionId, UserId},
    time::Timestamp,
};
use std::{borrow::Cow, fmt::Write as _};
use uuid::Uuid;

/// An argument.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Arg {
    /// An integer NULL.
    NoNumber,
    /// A text NULL.
    NoText,
    /// A bytes NULL.
    NoBytes,
    /// An id NULL.
    NoUuid,
    /// An integer.
    Number(i64),
    /// A boolean.
    Flag(bool),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An id.
    Uuid(Uuid),
}

/// Around a lock that PostgreSQL takes. For SQLite, which has one writer, it is a comment.
pub(crate) const LOCK_START: &str = "/*+";
/// See [`LOCK_START`].
pub(crate) const LOCK_END: &str = "+*/";
/// Locks the rows of a query against changes by others, as long as the transaction lasts.
pub(crate) const KEEP: &str = " /*+FOR SHARE+*/";
/// Locks the rows of a query, without those that are locked.
pub(crate) const SKIP_LOCKED: &str = " /*+FOR UPDATE SKIP LOCKED+*/";

/// Types usable as arguments.
pub(crate) trait IntoArg {
    /// The typed NULL, because databases need the type even of NULL.
    const MISSING: Arg;
    /// Converts to an argument.
    fn into_arg(self) -> Arg;
}

macro_rules! into_arg {
    ($($type:ty, $missing:ident, |$value:ident| $arg:expr;)*) => {$(
        impl IntoArg for $type {
            const MISSING: Arg = Arg::$missing;
            fn into_arg(self) -> Arg {
                let $value = self;
                $arg
            }
        }
    )*};
}

into_arg! {
    i64, NoNumber, |n| Arg::Number(n);
    u32, NoNumber, |n| Arg::Number(n.into());
    // No stored number is as large, so comparisons with the maximum give the right result.
    u64, NoNumber, |n| Arg::Number(i64::try_from(n).unwrap_or(i64::MAX));
    bool, NoNumber, |flag| Arg::Flag(flag);
    &str, NoText, |text| Arg::Text(text.to_owned());
    String, NoText, |text| Arg::Text(text);
    Vec<u8>, NoBytes, |bytes| Arg::Bytes(bytes);
    &[u8; 32], NoBytes, |hash| Arg::Bytes(hash.to_vec());
    [u8; 32], NoBytes, |hash| Arg::Bytes(hash.to_vec());
    Timestamp, NoNumber, |at| Arg::Number(at.as_micros());
    [u8; 16], NoBytes, |bytes| Arg::Bytes(bytes.to_vec());
    Uuid, NoUuid, |id| Arg::Uuid(id);
    ActorId, NoUuid, |id| Arg::Uuid(id.0);
    UserId, NoUuid, |id| Arg::Uuid(id.0);
    SessionId, NoUuid, |id| Arg::Uuid(id.0);
    DocumentId, NoUuid, |id| Arg::Uuid(id.0);
    CommitId, NoUuid, |id| Arg::Uuid(id.0);
}

impl<T: IntoArg> IntoArg for Option<T> {
    const MISSING: Arg = T::MISSING;
    fn into_arg(self) -> Arg {
        self.map_or(Self::MISSING, T::into_arg)
    }
}

/// Builds the arguments of one row from different types.
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        [$($crate::sql::statement::IntoArg::into_arg($value)),*]
    };
}
pub(crate) use args;

/// A statement.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    text: Cow<'static, str>,
    args: Vec<Arg>,
}

impl Statement {
    /// Creates a statement without arguments.
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), args: Vec::new() }
    }

    /// Creates a statement with arguments for `$1`, `$2` …
    pub(crate) fn with<const N: usize>(text: &'static str, args: [Arg; N]) -> Self {
        Self { text: Cow::Borrowed(text), args: args.into() }
    }

    /// Appends text.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Appends a placeholder with its argument.
    pub(crate) fn push_arg(&mut self, value: impl IntoArg) -> &mut Self {
        self.placeholder(value.into_arg());
        self
    }

    /// Appends a placeholder for an argument of any type.
    pub(crate) fn push_value(&mut self, value: Arg) -> &mut Self {
        self.placeholder(value);
        self
    }

    /// Appends `(…, …)` for an IN.
    pub(crate) fn push_list(
        &mut self,
        values: impl IntoIterator<Item = impl IntoArg>,
    ) -> &mut Self {
        self.push("(");
        let mut is_empty = true;
        for value in values {
            self.push(if is_empty { "" } else { ", " }).push_arg(value);
            is_empty = false;
        }
        // Not every database knows the empty list.
        self.push(if is_empty { "NULL)" } else { ")" })
    }

    /// Appends `VALUES (…, …), (…, …)`.
    pub(crate) fn push_rows<const N: usize>(
        &mut self,
        rows: impl IntoIterator<Item = [Arg; N]>,
    ) -> &mut Self {
        for (index, row) in rows.into_iter().enumerate() {
            self.push(if index == 0 { "VALUES (" } else { ", (" });
            for (column, arg) in row.into_iter().enumerate() {
                self.push(if column == 0 { "" } else { ", " });
                self.placeholder(arg);
            }
            self.push(")");
        }
        self
    }

    /// Appends another statement, whose placeholders follow those of this one.
    pub(crate) fn push_statement(&mut self, other: &Self) -> &mut Self {
        let before = self.args.len();
        let text = self.text.to_mut();
        let mut parts = other.text.split('$');
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let (number, rest) = part.split_at(digits);
            let number = number.parse::<usize>().unwrap_or_default() + before;
            // Writing to a string cannot fail.
            let _ = write!(text, "${number}{rest}");
        }
        self.args.extend(other.args.iter().cloned());
        self
    }

    /// Replaces the first occurrence of a text; `None` if there is none.
    pub(crate) fn replaced(&self, from: &str, to: &str) -> Option<Self> {
        let text = self.text.replacen(from, to, 1);
        (text != self.text).then(|| Self { text: text.into(), args: self.args.clone() })
    }

    /// Returns the number of arguments.
    pub(crate) const fn arguments(&self) -> usize {
        self.args.len()
    }

    /// Returns text and arguments.
    pub(crate) fn into_parts(self) -> (Cow<'static, str>, Vec<Arg>) {
        (self.text, self.args)
    }

    fn placeholder(&mut self, arg: Arg) {
        self.args.push(arg);
        // Writing to a string cannot fail.
        let _ = write!(self.text.to_mut(), "${}", self.args.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_the_placeholders_as_they_come() {
        let mut statement = Statement::with("SELECT * FROM t WHERE a = $1 AND b IN ", args![7_u64]);
        statement.push_list(["x", "y"]).push(" AND c < ").push_arg(Option::<u64>::None);
        let (text, args) = statement.into_parts();
        assert_eq!(text, "SELECT * FROM t WHERE a = $1 AND b IN ($2, $3) AND c < $4");
        let expected =
            [Arg::Number(7), Arg::Text("x".into()), Arg::Text("y".into()), Arg::NoNumber];
        assert_eq!(args, expected);
    }

    #[test]
    fn an_empty_list_contains_nothing() {
        let mut statement = Statement::new("SELECT * FROM t WHERE a IN ");
        statement.push_list(Vec::<u64>::new());
        assert_eq!(statement.into_parts().0, "SELECT * FROM t WHERE a IN (NULL)");
    }

    #[test]
    fn placeholders_of_an_appended_statement_follow() {
        let mut statement = Statement::with("WITH a AS (SELECT $2, $1", args![1_u64, 2_u64]);
        let other = Statement::with("DELETE FROM t WHERE a = $1 OR b = $2", args![3_u64, 4_u64]);
        statement.push("), b AS (").push_statement(&other).push(")");
        let (text, args) = statement.into_parts();
        assert_eq!(text, "WITH a AS (SELECT $2, $1), b AS (DELETE FROM t WHERE a = $3 OR b = $4)");
        assert_eq!(args, args![1_u64, 2_u64, 3_u64, 4_u64]);
    }

    #[test]
    fn writes_rows() {
        let mut statement = Statement::new("INSERT INTO t ");
        statement.push_rows([args![1_u64, "a"], args![2_u64, "b"]]);
        assert_eq!(statement.into_parts().0, "INSERT INTO t VALUES ($1, $2), ($3, $4)");
    }

    #[test]
    fn a_number_beyond_the_database_is_its_largest() {
        assert_eq!(u64::MAX.into_arg(), Arg::Number(i64::MAX));
    }
}
