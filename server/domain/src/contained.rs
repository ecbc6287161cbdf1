//! Contains panics, so that a panicking background task does not end the process.

use crate::error::{Error, Result};
use futures::FutureExt as _;
use std::{any::Any, panic::AssertUnwindSafe};

/// Runs `work` and turns a panic into an error. `work` must not share state that a panic can leave
/// inconsistent.
pub(crate) async fn contained<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|panic| Err(Error::internal(format!("panicked: {}", said(&*panic)))))
}

/// Returns the message of a panic.
#[must_use]
pub fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_that_says_what_it_said() {
        let word = "poison";
        let result: Result<()> = contained(async { panic!("{word}") }).await;
        let error = result.unwrap_err();
        assert_eq!(error.internal_cause().unwrap().for_log(), "panicked: poison");
        assert_eq!(contained(async { Ok(1) }).await.unwrap(), 1);
    }
}
