//! One client of one document.

use super::{
    dialect::{Dialect, Received},
    websocket::{Inbox, Socket},
};
use anyhow::{Context as _, Result, ensure};
use izanagi_shared::crdt::inspect_update;
use std::{
    net::{Ipv4Addr, SocketAddr},
    ops::ControlFlow,
    rc::Rc,
    time::{Duration, Instant},
};

/// A state that takes longer than this never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a document is reached, and how.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// Address of the client.
    pub(crate) from: Ipv4Addr,
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) dialect: Dialect,
}

/// The sending half of a client.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    socket: Rc<Socket>,
    dialect: Rc<Dialect>,
}

/// The receiving half of a client.
#[derive(Debug)]
pub(crate) struct Receiver {
    client: Client,
    inbox: Inbox,
}

impl Client {
    /// Joins a document; returns its state too.
    pub(crate) async fn join(link: &Link) -> Result<(Self, Receiver, Vec<u8>)> {
        let joining = async {
            let (socket, inbox) = Socket::open(link.from, link.address, &link.path).await?;
            let client = Self { socket: Rc::new(socket), dialect: Rc::new(link.dialect.clone()) };
            let mut receiver = Receiver { client: client.clone(), inbox };
            if let Some(greeting) = client.dialect.greeting() {
                client.socket.send(&greeting).await?;
            }
            let state = receiver.state().await?;
            Ok((client, receiver, state))
        };
        tokio::time::timeout(PATIENCE, joining).await.context("no state came")?
    }

    /// Joins a document and writes an update, and returns once the server's state holds it.
    pub(crate) async fn seed(link: &Link, update: &[u8]) -> Result<Self> {
        let (client, mut receiver, _) = Self::join(link).await?;
        client.socket.send(&client.dialect.update(update)).await?;
        receiver.has(update).await?;
        Ok(client)
    }

    /// Sends an update at once.
    pub(crate) fn post(&self, update: &[u8]) -> Result<()> {
        self.socket.post(&self.dialect.update(update))
    }
}

impl Receiver {
    /// Hands out messages until `take` has enough. It is an error if the server closes the connection.
    pub(crate) async fn listen(
        &mut self,
        mut take: impl FnMut(Instant, Received<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let mut is_over = false;
        while !is_over {
            self.receive(|at, received| {
                is_over = is_over || take(at, received)?.is_break();
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Waits until a state or an update holds all that `update` inserts: some servers read a document
    /// only after they have answered.
    pub(crate) async fn has(&mut self, update: &[u8]) -> Result<()> {
        let start = Instant::now();
        while !holds(&self.state().await?, update)? {
            ensure!(start.elapsed() < PATIENCE, "the document is not complete");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Waits for messages, and hands out those that have arrived.
    async fn receive(
        &mut self,
        mut take: impl FnMut(Instant, Received<'_>) -> Result<()>,
    ) -> Result<()> {
        let Client { socket, dialect } = &self.client;
        socket.receive(&mut self.inbox, |at, message| take(at, dialect.read(message)?)).await
    }

    /// Asks for the whole state, and skips everything else that comes before it.
    async fn state(&mut self) -> Result<Vec<u8>> {
        self.client.socket.send(&self.client.dialect.ask()).await?;
        let mut state = None;
        while state.is_none() {
            self.receive(|_, received| {
                if let Received::State(update) = received {
                    state = Some(update.to_vec());
                }
                Ok(())
            })
            .await?;
        }
        state.context("no state")
    }
}

/// Returns whether a state holds all that an update inserts.
fn holds(state: &[u8], update: &[u8]) -> Result<bool> {
    let state = inspect_update(state)?;
    for range in inspect_update(update)?.structs {
        let of_client = state.structs.iter().filter(|there| there.client == range.client);
        match of_client.map(|there| there.end).max() {
            Some(end) if end >= range.end => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}
