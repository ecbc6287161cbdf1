//! Retries for finding out whether a write is already durable. Reporting a transient error as a
//! failure would make the caller repeat the write.

use crate::error::{Error, Result};
use std::time::Duration;

/// Delays before each retry.
const WAITS: [Duration; 3] =
    [Duration::from_millis(20), Duration::from_millis(80), Duration::from_millis(320)];

/// Calls until the store answers, with a limited number of retries. The call must be idempotent.
///
/// # Errors
/// The error of the last call. Errors other than `Unavailable` are not retried.
pub(crate) async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for wait in WAITS {
        match call().await {
            Err(Error::Unavailable(_)) => tokio::time::sleep(wait).await,
            answer => return answer,
        }
    }
    call().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Internal;
    use std::future::ready;

    #[tokio::test(start_paused = true)]
    async fn a_store_that_comes_back_is_waited_for_and_a_refusal_is_not() {
        let mut calls = 0;
        let answer = patiently(|| {
            calls += 1;
            let down = Err(Error::Unavailable(Internal::new("down")));
            ready(if calls < 3 { down } else { Ok(calls) })
        });
        assert_eq!(answer.await.unwrap(), 3);
        let mut calls = 0;
        let refused: Result<()> = patiently(|| {
            calls += 1;
            ready(Err(Error::Trashed))
        })
        .await;
        assert!(matches!(refused, Err(Error::Trashed)));
        assert_eq!(calls, 1);
    }
}
