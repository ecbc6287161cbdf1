//! Statements for PostgreSQL. Arguments carry their types, so that `VALUES` lists need no casts.

use crate::sql::statement::{Arg, LOCK_END, LOCK_START, Statement};
use sqlx::{Arguments as _, postgres::PgArguments};

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
    let text = match text.contains(LOCK_START) {
        true => text.replace(LOCK_START, "").replace(LOCK_END, ""),
        false => text.into_owned(),
    };
    Ok(Rendered { text, args, is_cached })
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

    #[test]
    fn locks_are_uncovered() {
        let mut statement = Statement::new("SELECT id FROM outbox");
        statement.push(SKIP_LOCKED);
        let rendered = render(statement).unwrap();
        assert_eq!(rendered.text, "SELECT id FROM outbox FOR UPDATE SKIP LOCKED");
    }

    #[test]
    fn a_text_with_a_zero_is_refused_with_its_reason() {
        let statement = Statement::with("SELECT $1", args!["a\0b"]);
        let refused = render(statement).err().unwrap().to_string();
        assert!(refused.contains("U+0000"), "{refused}");
    }
}
