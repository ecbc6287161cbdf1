//! Problems and field errors, worded by their code. An unknown code keeps its English message.

use super::text;
use izanagi_shared::problem::{FieldError, Problem};

/// Returns what a person reads about a problem. If it is about a single field, this is that
/// field's error, which is more specific.
#[must_use]
pub fn problem(problem: &Problem) -> String {
    match problem.errors.as_slice() {
        [only] => field_error(only),
        _ => worded(&format!("problem.{}", problem.code), &problem.args)
            .unwrap_or_else(|| problem.detail.clone()),
    }
}

/// Returns what a person reads about a problem of which only the code and the English detail are
/// known.
#[must_use]
pub fn problem_code(code: &str, detail: &str) -> String {
    worded(&format!("problem.{code}"), &[]).unwrap_or_else(|| detail.to_owned())
}

/// Returns what a person reads about a field error.
#[must_use]
pub fn field_error(error: &FieldError) -> String {
    let FieldError { field, code, message, args } = error;
    worded(&format!("error.{field}.{code}"), args)
        .or_else(|| worded(&format!("error.{code}"), args))
        .unwrap_or_else(|| message.clone())
}

/// Fills in the arguments; `None` for an unknown code or a missing argument.
fn worded(key: &str, args: &[String]) -> Option<String> {
    let template = text(key)?;
    let mut filled = String::new();
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (index, after) = after.split_once('}')?;
        filled += before;
        filled += args.get(index.parse::<usize>().ok()?)?;
        rest = after;
    }
    Some(filled + rest)
}
