//! The connection to one Redis server. A task keeps it: it connects again by itself, and notices a
//! server that hangs. Meanwhile every call fails at once, so that nobody waits for a server that is
//! known to be gone.

use super::{backoff::Backoff, config::RedisPlace};
use izanagi_domain::{log_rate::LogRate, storage::Ids};
use parking_lot::Mutex;
use redis::{
    AsyncConnectionConfig, Client, RedisError, RedisResult, aio::MultiplexedConnection, cmd,
};
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{sleep, timeout},
};

/// Connecting and the first ping take at most this long.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// A connection is asked this often whether it still works.
const PING_EVERY: Duration = Duration::from_secs(1);
/// A ping takes at most this long.
const PING_LIMIT: Duration = Duration::from_secs(1);
/// A server that does not answer for this long may be gone.
const DOUBTED_AFTER: Duration = Duration::from_millis(50);
/// Calls that wait for an answer at the same time.
const PIPELINE: usize = 256;

static UNREACHABLE: LazyLock<LogRate> = LazyLock::new(LogRate::default);

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("Redis is not reachable")]
    NotConnected,
    #[error("Redis did not answer in time")]
    Slow,
    #[error("Redis: {0}")]
    Failed(#[from] RedisError),
}

/// A connection that several stores share.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    keeper: AbortHandle,
}

struct Shared {
    client: Client,
    /// `None` while the server does not answer.
    current: Mutex<Option<MultiplexedConnection>>,
    /// Notified if a call failed in a way that a broken connection explains.
    doubted: Notify,
}

impl Connection {
    /// Begins to connect. The first attempt has ended when this returns, successful or not.
    pub(crate) async fn start(client: Client, ids: Arc<dyn Ids>) -> Arc<Self> {
        let shared = Shared { client, current: Mutex::new(None), doubted: Notify::new() };
        let shared = Arc::new(shared);
        let first = shared.connect().await;
        let keeper = tokio::spawn(keep(Arc::clone(&shared), first, Backoff::new(ids)));
        Arc::new(Self { shared, keeper: keeper.abort_handle() })
    }

    /// Whether the server answered lately.
    pub(crate) fn is_up(&self) -> bool {
        self.shared.current.lock().is_some()
    }

    /// Runs a command; gives up after `limit`.
    pub(super) async fn run<T, F>(
        &self,
        limit: Duration,
        work: impl FnOnce(MultiplexedConnection) -> F + Send,
    ) -> Result<T, Trouble>
    where
        F: Future<Output = RedisResult<T>> + Send,
    {
        let connection = self.shared.current.lock().clone().ok_or(Trouble::NotConnected)?;
        match timeout(limit, work(connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                if error.is_io_error() || error.is_unrecoverable_error() {
                    self.shared.doubt();
                }
                Err(error.into())
            }
            Err(_) => {
                // A busy server may well need some milliseconds.
                if limit >= DOUBTED_AFTER {
                    self.shared.doubt();
                }
                Err(Trouble::Slow)
            }
        }
    }

    /// Ends the connection and the task that keeps it.
    pub(crate) fn close(&self) {
        self.keeper.abort();
        *self.shared.current.lock() = None;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    async fn connect(&self) -> Result<MultiplexedConnection, Trouble> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(CONNECT_LIMIT))
            .set_pipeline_buffer_size(PIPELINE);
        let connecting = async {
            let found = self.client.get_multiplexed_async_connection_with_config(&config).await?;
            ping(&found).await?;
            Ok(found)
        };
        let connected = timeout(CONNECT_LIMIT, connecting).await.unwrap_or(Err(Trouble::Slow))?;
        *self.current.lock() = Some(connected.clone());
        Ok(connected)
    }

    /// No call uses the connection until it has answered a ping.
    fn doubt(&self) {
        *self.current.lock() = None;
        self.doubted.notify_one();
    }
}

async fn ping(connection: &MultiplexedConnection) -> Result<(), Trouble> {
    let mut connection = connection.clone();
    let ping = async { cmd("PING").query_async::<()>(&mut connection).await };
    Ok(timeout(PING_LIMIT, ping).await.map_err(|_| Trouble::Slow)??)
}

async fn keep(
    shared: Arc<Shared>,
    first: Result<MultiplexedConnection, Trouble>,
    mut backoff: Backoff,
) {
    let (mut connected, address) = (first, RedisPlace::address(&shared.client));
    let mut had_trouble = false;
    loop {
        match connected {
            Ok(connection) => {
                backoff.reset();
                if had_trouble {
                    tracing::info!(%address, "Redis answers again");
                }
                let error = until_broken(&shared, &connection).await;
                tracing::warn!(%address, %error, "the connection to Redis is broken; going on without");
            }
            Err(error) => {
                if let Some(omitted) = UNREACHABLE.admit() {
                    tracing::warn!(%address, %error, omitted, "Redis is not reachable; going on without, slower");
                }
            }
        }
        had_trouble = true;
        *shared.current.lock() = None;
        sleep(backoff.next()).await;
        connected = shared.connect().await;
    }
}

/// Returns when the connection no longer answers.
async fn until_broken(shared: &Shared, connection: &MultiplexedConnection) -> Trouble {
    loop {
        // Whichever comes first; a connection that is doubted is asked at once.
        drop(timeout(PING_EVERY, shared.doubted.notified()).await);
        if let Err(error) = ping(connection).await {
            return error;
        }
        let mut current = shared.current.lock();
        if current.is_none() {
            *current = Some(connection.clone());
        }
    }
}
