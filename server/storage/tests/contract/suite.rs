//! Runs a test suite on every provider.

/// Defines one test per function and provider. Each gets a fresh [`crate::provider::TestStore`].
macro_rules! suite {
    ($($test:ident),* $(,)?) => {
        suite!(@provider sqlite_file, SqliteFile, $($test),*);
        suite!(@provider sqlite_memory, SqliteMemory, $($test),*);
        suite!(@provider postgres, Postgres, $($test),*);
    };
    // For a store that can also be in Redis.
    (with_redis: $($test:ident),* $(,)?) => {
        suite!($($test),*);
        mod redis {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let Some(store) = $crate::provider::TestStore::with_redis().await else { return };
                    let limit = std::time::Duration::from_secs(60);
                    tokio::time::timeout(limit, super::$test(&store)).await.unwrap();
                    store.close().await;
                }
            )*
        }
    };
    // For the traits of the document store, which has providers of its own.
    (records: $($test:ident),* $(,)?) => {
        suite!($($test),*);
        suite!(@provider mongo, Mongo, $($test),*);
        suite!(@provider routed, Routed, $($test),*);
    };
    (@provider $module:ident, $provider:ident, $($test:ident),*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let Some(store) = $crate::provider::Provider::$provider.open().await else {
                        return;
                    };
                    super::$test(&store).await;
                    store.close().await;
                }
            )*
        }
    };
}
