//! Runs a test suite on every provider.

/// Defines one test per function and provider. Each gets a fresh [`crate::provider::TestStore`].
macro_rules! suite {
    ($($test:ident),* $(,)?) => {
        suite!(@provider sqlite_file, SqliteFile, $($test),*);
        suite!(@provider sqlite_memory, SqliteMemory, $($test),*);
        suite!(@provider postgres, Postgres, $($test),*);
    };
    (@provider $module:ident, $provider:ident, $($test:ident),*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let opened = $crate::provider::Provider::$provider.open().await;
                    let Some(store) = opened else { return };
                    super::$test(&store).await;
                    store.close().await;
                }
            )*
        }
    };
}
