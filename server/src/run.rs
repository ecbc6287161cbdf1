//! Runs the server: stores, services, listener, and graceful shutdown.

use crate::{
    AppState, config::Config, connections::ByNetwork, keys, listen, logging, router::router,
    site::Site,
};
use anyhow::{Context as _, Result};
use izanagi_domain::{
    accounts::{SharedKeys, TokenIssuer, Tokens},
    services::Services,
};
use izanagi_shared::time::Timestamp;
use izanagi_storage::{self as storage, OpenError, Opened, StorageConfig};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// The services and their stores.
#[derive(Debug)]
pub struct Running {
    /// The services.
    pub services: Services,
    stores: Opened,
    keys: Option<SharedKeys>,
}

impl Running {
    /// Opens the stores and creates the services.
    ///
    /// # Errors
    /// Fails if a store cannot be opened or the keys cannot be read.
    pub async fn open(config: &Config) -> Result<Self> {
        make_private_dir(&config.data_dir)?;
        if config.keys_secret.is_none() {
            // Generated at the first start.
            config.keys().load(&config.data_dir)?;
        }
        let stores = config.open_stores()?.for_one("serve");
        let opened = storage::open(&stores).await?;
        Self::over(config, &stores, opened).await
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
        Self::over(config, &stores, opened).await
    }

    /// Like [`Self::open_existing`], alone, with the stores where the settings say, whatever has moved.
    ///
    /// # Errors
    /// As [`Self::open_existing`].
    pub async fn open_ignoring_moves(config: &Config, command: &'static str) -> Result<Self> {
        let stores = StorageConfig { ignores_moves: true, ..config.open_stores()? };
        let stores = stores.for_one(command);
        let opened = storage::open_existing(&stores).await?;
        Self::over(config, &stores, opened).await
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

    async fn over(config: &Config, given: &StorageConfig, stores: Opened) -> Result<Self> {
        match Self::with_keys(config, given, &stores).await {
            Ok((services, keys)) => Ok(Self { services, stores, keys }),
            Err(error) => {
                stores.close().await;
                Err(error)
            }
        }
    }

    async fn with_keys(
        config: &Config,
        given: &StorageConfig,
        stores: &Opened,
    ) -> Result<(Services, Option<SharedKeys>)> {
        let (clock, ids) = (Arc::clone(&given.clock), Arc::clone(&given.ids));
        let shared = keys::shared(config, given, &stores.stores)?;
        let keys = match &shared {
            Some(shared) => shared.load().await.context("IZANAGI_KEYS_SECRET")?,
            None => config.keys().load(&config.data_dir)?.into(),
        };
        let issuer = config.public_url.clone().unwrap_or_else(|| "izanagi".to_owned());
        let issuer = TokenIssuer { issuer, audience: "izanagi".to_owned() };
        let tokens = Tokens::new(issuer, &keys.current, &keys.others)?;
        let settings = config.settings.into();
        let services = Services::new(stores.stores.clone(), clock, ids, tokens, settings)?;
        Ok((services, shared))
    }

    /// Adds a signing key to those in the relational store; returns from when it signs.
    ///
    /// # Errors
    /// The keys are not there, or as [`SharedKeys::rotate`].
    pub async fn rotate_keys(&self) -> Result<Timestamp> {
        let keys = self.keys.as_ref().context("the signing keys are in a file")?;
        Ok(keys.rotate().await?)
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
    /// Returns the configuration of the stores, with what this server seals secrets with.
    fn open_stores(&self) -> Result<StorageConfig> {
        Ok(StorageConfig { sealer: keys::sealer(self)?, ..self.stores()? })
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
    let address = config.listen;
    let refused = || format!("cannot listen on {address}");
    let socket = bind(address).with_context(refused)?;
    let (site, running) = open(&config).await?;
    // Not before the stores are open: until then, a load balancer is refused and asks another server.
    let listener = socket.listen(BACKLOG).with_context(refused)?;
    serve_over(listener, config, site, running, shutdown).await
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
    let (site, running) = open(&config).await?;
    serve_over(listener, config, site, running, shutdown).await
}

/// Takes the address, without accepting connections.
fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait for the connections of the former process.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn open(config: &Config) -> Result<(Site, Running)> {
    let site = Site::find(config.site_root.as_deref())?;
    Ok((site, Running::open(config).await?))
}

async fn serve_over(
    listener: TcpListener,
    config: Config,
    site: Site,
    running: Running,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    running.services.start();
    if let Some(keys) = running.keys.clone() {
        running.services.accounts.follow_keys(keys);
    }
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
