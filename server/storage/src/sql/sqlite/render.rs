//! SQLite parameter syntax. SQLite accepts `$1` but looks up named parameters one by one, which
//! dominates the time of a large INSERT. Positional `?` avoids that and lets several statements
//! share one argument list.

use crate::sql::statement::{Arg, Statement};
use sqlx::{Arguments as _, sqlite::SqliteArguments};

/// The text of all statements, with their arguments in order.
pub(super) fn script(statements: Vec<Statement>) -> sqlx::Result<(String, SqliteArguments)> {
    let mut text = String::new();
    let mut args = SqliteArguments::default();
    for statement in statements {
        if !text.is_empty() {
            text.push_str("; ");
        }
        for arg in in_order(statement, &mut text) {
            add(&mut args, arg).map_err(sqlx::Error::Encode)?;
        }
    }
    Ok((text, args))
}

/// Renders the statement with `?`; returns its arguments in that order.
fn in_order(statement: Statement, text: &mut String) -> Vec<Arg> {
    let (template, args) = statement.into_parts();
    let mut order = Vec::with_capacity(args.len());
    let mut parts = template.split('$');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = part.split_at(digits);
        order.push(number.parse::<usize>().unwrap_or_default());
        text.push('?');
        text.push_str(rest);
    }
    if order.iter().copied().eq(1..=args.len()) {
        return args;
    }
    let nth = |number: usize| number.checked_sub(1).and_then(|index| args.get(index)).cloned();
    order.into_iter().map(|number| nth(number).unwrap_or(Arg::NoText)).collect()
}

fn add(args: &mut SqliteArguments, arg: Arg) -> Result<(), sqlx::error::BoxDynError> {
    match arg {
        Arg::NoNumber => args.add(None::<i64>),
        Arg::NoText => args.add(None::<String>),
        Arg::NoBytes | Arg::NoUuid => args.add(None::<Vec<u8>>),
        Arg::Number(number) => args.add(number),
        Arg::Flag(flag) => args.add(flag),
        Arg::Text(value) => args.add(value),
        Arg::Bytes(bytes) => args.add(bytes),
        Arg::Uuid(id) => args.add(id.into_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::statement::args;

    #[test]
    fn arguments_follow_the_order_of_the_text() {
        let mut text = String::new();
        let update = "UPDATE t SET a = $2, b = $1 WHERE a = $2";
        let args = in_order(Statement::with(update, args![1_u64, "x"]), &mut text);
        assert_eq!(text, "UPDATE t SET a = ?, b = ? WHERE a = ?");
        let x = || Arg::Text("x".into());
        assert_eq!(args, [x(), Arg::Number(1), x()]);
    }

    #[test]
    fn statements_share_one_list() {
        let first = Statement::with("DELETE FROM t WHERE a = $1", args![1_u64]);
        let second = Statement::with("DELETE FROM u WHERE b = $1 OR c = $2", args!["x", 2_u64]);
        let (text, args) = script(vec![first, second]).unwrap();
        assert_eq!(text, "DELETE FROM t WHERE a = ?; DELETE FROM u WHERE b = ? OR c = ?");
        assert_eq!(args.len(), 3);
    }
}
