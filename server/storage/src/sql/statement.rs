//! A statement and its arguments. The text is written once for every dialect, with `$1`, `$2` …
//! for the arguments; a dialect renders it.

use izanagi_shared::{
    id::{CommitId, DocumentId, SessionId, UserId},
    time::Timestamp,
};
use std::{borrow::Cow, fmt::Write as _};
use uuid::Uuid;

/// An argument as the database gets it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Arg {
    /// A number that is missing.
    NoNumber,
    /// A text that is missing.
    NoText,
    /// Bytes that are missing.
    NoBytes,
    /// An id that is missing.
    NoUuid,
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An id.
    Uuid(Uuid),
}

/// What can be an argument.
pub(crate) trait IntoArg {
    /// What stands for a missing one: databases want to know its type even so.
    const MISSING: Arg;
    /// The argument.
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
    // Nothing stored is as large, so a comparison with the largest number answers as it should.
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

/// Arguments of different types, for one row.
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
    /// A statement without arguments so far.
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: Cow::Borrowed(text), args: Vec::new() }
    }

    /// A statement with these arguments for `$1`, `$2` …
    pub(crate) fn with<const N: usize>(text: &'static str, args: [Arg; N]) -> Self {
        Self { text: Cow::Borrowed(text), args: args.into() }
    }

    /// Adds text.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Adds the placeholder of an argument, and the argument.
    pub(crate) fn push_arg(&mut self, value: impl IntoArg) -> &mut Self {
        self.placeholder(value.into_arg());
        self
    }

    /// Adds `(…, …)` for an IN.
    pub(crate) fn push_list(
        &mut self,
        values: impl IntoIterator<Item = impl IntoArg>,
    ) -> &mut Self {
        self.push("(");
        for (index, value) in values.into_iter().enumerate() {
            self.push(if index == 0 { "" } else { ", " }).push_arg(value);
        }
        self.push(")")
    }

    /// Adds `VALUES (…, …), (…, …)`.
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

    /// How many arguments it has.
    pub(crate) const fn arguments(&self) -> usize {
        self.args.len()
    }

    /// The text and its arguments.
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
