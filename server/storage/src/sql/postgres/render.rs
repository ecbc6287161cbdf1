//! Statements for PostgreSQL. Arguments carry their types, so that `VALUES` lists need no casts.

use super::settled;
use crate::sql::{
    numbers::{NEXT_END, NEXT_START, Numbers},
    statement::{Arg, LOCK_END, LOCK_START, Statement},
};
use sqlx::{Arguments as _, postgres::PgArguments};
use std::fmt::Write as _;

/// Statements with more arguments are lists of many lengths, which would crowd the others out of the
/// cache of prepared statements.
const CACHED: usize = 64;

/// A statement as the driver takes it.
pub(super) struct Rendered {
    pub(super) text: String,
    pub(super) args: PgArguments,
    /// Whether to keep it prepared.
    pub(super) is_cached: bool,
}

/// Renders a statement.
pub(super) fn render(statement: Statement) -> sqlx::Result<Rendered> {
    let (text, values) = statement.into_parts();
    let is_cached = values.len() <= CACHED;
    let mut args = PgArguments::default();
    for value in values {
        add(&mut args, value).map_err(sqlx::Error::Encode)?;
    }
    let mut text = text.into_owned();
    if text.contains(LOCK_START) {
        text = text.replace(LOCK_START, "").replace(LOCK_END, "");
    }
    if text.contains(NEXT_START) {
        text = with_sequences(&text);
    }
    Ok(Rendered { text, args, is_cached })
}

/// Takes numbers from sequences. The CASE makes sure that the lock is taken before the number.
fn with_sequences(text: &str) -> String {
    let mut parts = text.split(NEXT_START);
    let mut rendered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(NEXT_END).unwrap_or((part, ""));
        let (sequence, _) = number.split_once("*/").unwrap_or((number, ""));
        let _ = write!(
            rendered,
            "CASE WHEN pg_try_advisory_xact_lock_shared({}) THEN nextval('{sequence}') END{rest}",
            lock(sequence)
        );
    }
    rendered
}

/// The lock of the series with this name.
fn lock(sequence: &str) -> i64 {
    let all = [Numbers::Changes, Numbers::Accounts, Numbers::Records];
    let numbers = all.into_iter().find(|numbers| numbers.name() == sequence);
    settled::lock(numbers.unwrap_or(Numbers::Changes))
}

fn add(args: &mut PgArguments, arg: Arg) -> Result<(), sqlx::error::BoxDynError> {
    match arg {
        Arg::NoNumber => args.add(None::<i64>),
        Arg::NoText => args.add(None::<String>),
        Arg::NoBytes => args.add(None::<Vec<u8>>),
        Arg::NoUuid => args.add(None::<uuid::Uuid>),
        Arg::Number(number) => args.add(number),
        Arg::Flag(flag) => args.add(flag),
        Arg::Text(text) if text.contains('\0') => {
            Err("a text contains U+0000, which PostgreSQL cannot store".into())
        }
        Arg::Text(text) => args.add(text),
        Arg::Bytes(bytes) => args.add(bytes),
        Arg::Uuid(id) => args.add(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::statement::{SKIP_LOCKED, args};
    use rstest::rstest;

    #[test]
    fn locks_are_uncovered() {
        let mut statement = Statement::new("SELECT id FROM outbox");
        statement.push(SKIP_LOCKED);
        let rendered = render(statement).unwrap();
        assert_eq!(rendered.text, "SELECT id FROM outbox FOR UPDATE SKIP LOCKED");
    }

    #[rstest]
    #[case(Numbers::Changes, "change_numbers")]
    #[case(Numbers::Accounts, "account_numbers")]
    #[case(Numbers::Records, "record_numbers")]
    fn a_number_is_taken_after_the_lock(#[case] numbers: Numbers, #[case] name: &str) {
        let mut statement = Statement::new("SELECT ");
        numbers.push_next(&mut statement, "v.column1").push(", v.column2 FROM v");
        let rendered = render(statement).unwrap();
        let expected = format!(
            "SELECT CASE WHEN pg_try_advisory_xact_lock_shared({}) \
             THEN nextval('{name}') END, v.column2 FROM v",
            settled::lock(numbers)
        );
        assert_eq!(rendered.text, expected);
    }

    #[test]
    fn a_text_with_a_zero_is_refused_with_its_reason() {
        let statement = Statement::with("SELECT $1", args!["a\0b"]);
        let refused = render(statement).err().unwrap().to_string();
        assert!(refused.contains("U+0000"), "{refused}");
    }
}
