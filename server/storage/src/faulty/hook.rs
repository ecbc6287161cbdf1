//! Tests that decide over single calls themselves.

use async_trait::async_trait;
use izanagi_domain::storage::StoreResult;
use std::fmt::Debug;

/// Sees every call to a wrapped store before it is made: it may delay the call or make it fail.
#[async_trait]
pub trait Hook: Send + Sync {
    /// Called before a method with these arguments, a tuple.
    ///
    /// # Errors
    /// The call is not made and gives this error.
    async fn before(&self, method: &'static str, args: &(dyn Debug + Sync)) -> StoreResult<()>;
}
