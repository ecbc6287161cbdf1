//! Runs the server: stores, services, listener, and graceful shutdown.

use crate::{
    AppState, config::Config, connections::ByNetwork, listen, logging, router::router, site::Site,
};
use anyhow::{Context as _, Result};
use izanagi_domain::{
    accounts::{TokenIssuer, Tokens},
    services::Services,
};
use izanagi_storage::{self as storage, OpenError, Opened, StorageConfig};
use std::{path::Path, sync::Arc};
use tokio::net::TcpListener;

/// The services and their stores.
#[derive(Debug)]
pub struct Running {
    /// The services.
    pub services: Services,
    stores: Opened,
}

impl Running {
    /// Opens the stores and creates the services.
    ///
    /// # Errors
    /// Fails if a store cannot be opened or the keys cannot be read.
    pub async fn open(config: &Config) -> Result<Self> {
        make_private_dir(&config.data_dir)?;
        // Generated at the first start.
        config.keys().load(&config.data_dir)?;
        let stores = config.open_stores()?.for_one("serve");
        let opened = storage::open(&stores).await?;
        Self::over(config, &stores, opened)
    }

    /// Like [`Self::open`], for maintenance commands: does not create a database. `alone` is the
    /// command, if it must not run beside a server.
    ///
    /// # Errors
    /// As [`Self::open`]; also fails if there is no database.
    pub async fn open_existing(config: &Config, alone: Option<&'static str>) -> Result<Self> {
        let exclusive = alone;
        let stores = StorageConfig { exclusive, ..config.open_stores()? };
        let opened = storage::open_existing(&stores).await?;
        Self::over(config, &stores, opened)
    }

    /// Like [`Self::open_existing`], alone if no server runs, otherwise beside it; says which.
    ///
    /// # Errors
    /// As [`Self::open_existing`].
    pub async fn open_alone_or_beside(
        config: &Config,
        command: &'static str,
    ) -> Result<(Self, bool)> {
        match Self::open_existing(config, Some(command)).await {
            Err(error) if is_in_use(&error) => {
                Ok((Self::open_existing(config, None).await?, false))
            }
            opened => Ok((opened?, true)),
        }
    }

    fn over(config: &Config, given: &StorageConfig, stores: Opened) -> Result<Self> {
        let (clock, ids) = (Arc::clone(&given.clock), Arc::clone(&given.ids));
        let keys = config.keys().load(&config.data_dir)?;
        let issuer = config.public_url.clone().unwrap_or_else(|| "izanagi".to_owned());
        let issuer = TokenIssuer { issuer, audience: "izanagi".to_owned() };
        let tokens = Tokens::new(issuer, &keys.current, &keys.former)?;
        let settings = config.settings.into();
        let services = Services::new(stores.stores.clone(), clock, ids, tokens, settings)?;
        Ok(Self { services, stores })
    }

    /// Closes the stores while the services still run, to simulate a lost disk.
    pub async fn close_stores(&self) {
        self.stores.close().await;
    }

    /// Shuts down the services, then closes the stores.
    pub async fn close(self) {
        self.services.shut_down().await;
        self.stores.close().await;
    }
}

impl Config {
    /// Returns the configuration of the stores, with the keys of this server.
    fn open_stores(&self) -> Result<StorageConfig> {
        let seal = self.keys().seal_keys(&self.data_dir)?;
        Ok(StorageConfig { seal, ..self.stores()? })
    }
}

fn is_in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(OpenError::InUse { .. }))
}

/// Serves until `shutdown` completes.
///
/// # Errors
/// Fails if the server cannot start.
pub async fn serve(
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    serve_on(listener, config, shutdown).await
}

/// Like [`serve`], on an open listener.
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
    let (patience, most) = (config.patience, config.connections);
    let most = most.unwrap_or_else(listen::most_connections);
    let by_network = ByNetwork::new(config.connections_per_address, config.trusted_proxies.clone());
    let state = AppState::new(running.services.clone(), config, site);
    logging::say(format!("izanagi: listening on http://{address}"));
    listen::serve(listener, router(&state), patience, most, by_network, shutdown).await;
    running.close().await;
    Ok(())
}

/// Creates the data directory, accessible only to the server's user.
fn make_private_dir(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("{}: cannot create directory", path.display()))
}

/// Completes when the process receives a signal to terminate.
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
