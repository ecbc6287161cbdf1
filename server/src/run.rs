//! Running the server: stores, services, listener, and a shutdown that drains.

use crate::{AppState, config::Config, logging, router::router, site::Site};
use anyhow::{Context as _, Result};
use axum::serve::ListenerExt as _;
use izanagi_domain::{
    accounts::{TokenIssuer, Tokens},
    services::Services,
};
use izanagi_storage::{self as storage, Opened, StorageConfig};
use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The services, and the stores to close after them.
#[derive(Debug)]
pub struct Running {
    /// The services.
    pub services: Services,
    stores: Opened,
}

impl Running {
    /// Opens the stores and builds the services.
    ///
    /// # Errors
    /// A store cannot be opened, the keys cannot be read.
    pub async fn open(config: &Config) -> Result<Self> {
        make_private_dir(&config.data_dir)?;
        let config_of_stores = StorageConfig::new(config.database());
        let (clock, ids) = (Arc::clone(&config_of_stores.clock), Arc::clone(&config_of_stores.ids));
        let stores = storage::open(&config_of_stores).await?;
        let keys = config.keys.load(&config.data_dir)?;
        let issuer = config.public_url.clone().unwrap_or_else(|| "izanagi".to_owned());
        let issuer = TokenIssuer { issuer, audience: "izanagi".to_owned() };
        let tokens = Tokens::new(issuer, &keys.current, &keys.former)?;
        let services = Services::new(stores.stores.clone(), clock, ids, tokens, config.settings)?;
        Ok(Self { services, stores })
    }

    /// Closes the stores under the services, as when the disk goes away.
    pub async fn close_stores(&self) {
        self.stores.close().await;
    }

    /// Lets the services end their work, then closes the stores.
    pub async fn close(self) {
        self.services.shut_down().await;
        self.stores.close().await;
    }
}

/// Serves until `shutdown` completes.
///
/// # Errors
/// Anything that stops the start; the listener fails.
pub async fn serve(
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    serve_on(listener, config, shutdown).await
}

/// The same on a listener that is open already.
///
/// # Errors
/// As [`serve`].
pub async fn serve_on(
    listener: TcpListener,
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let site = Site::find(config.site_root.as_deref())?;
    let running = Running::open(&config).await?;
    running.services.start();
    tracing::info!(storage = running.stores.description, "storage");
    let address = listener.local_addr()?;
    let drain = config.drain;
    let state = AppState::new(running.services.clone(), config, site);
    let app = router(&state).into_make_service_with_connect_info::<SocketAddr>();
    logging::say(format!("izanagi: listening on http://{address}"));
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for company.
        let _ = stream.set_nodelay(true);
    });
    let ending = CancellationToken::new();
    let told = ending.clone();
    let shutdown = async move {
        shutdown.await;
        told.cancel();
    };
    // A request's head has no time limit here: `axum::serve` gives its hyper builder no timer, without
    // which hyper's own limit of 30 s does not count. A connection that sends nothing costs a
    // descriptor and a few kilobytes until then; put a proxy in front where that matters.
    let served = tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(shutdown).into_future() => served,
        () = overtime(&ending, drain) => {
            tracing::warn!(seconds = drain.as_secs(), "some requests did not end; closing all the same");
            Ok(())
        }
    };
    running.close().await;
    Ok(served?)
}

/// Completes when the requests have had their time to end.
async fn overtime(ending: &CancellationToken, drain: Duration) {
    ending.cancelled().await;
    tokio::time::sleep(drain).await;
}

/// The folder that holds everything; nobody else's business.
fn make_private_dir(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("{}: cannot be made", path.display()))
}

/// Completes when the process is told to end.
pub async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("shutting down");
}
