//! A running server, ours or a peer, with what is needed to reach its documents.

use super::{Live, peer};
use crate::{
    server::{Process, Server, Session},
    sockets::{Dialect, Link},
};
use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use rustix::process::Signal;
use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The servers that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Izanagi,
    YWebsocket,
    Hocuspocus,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Izanagi, Self::YWebsocket, Self::Hocuspocus];

    pub(super) fn named(name: &str) -> Result<Self> {
        let kind = Self::ALL.into_iter().find(|kind| kind.to_string().eq_ignore_ascii_case(name));
        kind.with_context(|| format!("there is no server {name}"))
    }

    /// Returns whether it is a peer.
    pub(super) fn is_peer(self) -> bool {
        self != Self::Izanagi
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Izanagi => "Izanagi",
            Self::YWebsocket => "y-websocket",
            Self::Hocuspocus => "Hocuspocus",
        })
    }
}

/// A running server; killed on drop.
pub(super) struct Contender {
    kind: Kind,
    address: SocketAddr,
    process: Process,
    folder: PathBuf,
    /// Users of our server, the first of whom owns all documents. The peers have none.
    users: Vec<Session>,
    database: Option<PathBuf>,
}

/// Requests that are sent at once while a measurement is prepared.
pub(super) const AT_ONCE: usize = 16;

impl Contender {
    /// Starts a server with its data below `folder`; `users` sign up.
    pub(super) async fn start(
        live: &Live<'_>,
        kind: Kind,
        folder: &Path,
        users: usize,
    ) -> Result<Self> {
        let mut contender = Self::open(live, kind, folder.to_owned()).await?;
        if !kind.is_peer() {
            for index in 0..users {
                let name = format!("person{index}");
                contender.users.push(Session::sign_up(contender.address, &name).await?);
            }
        }
        Ok(contender)
    }

    /// Ends the server and starts it again with the same data.
    pub(super) async fn restart(self, live: &Live<'_>) -> Result<Self> {
        let Self { kind, process, folder, users, .. } = self;
        process.end().await?;
        let mut contender = Self::open(live, kind, folder).await?;
        for user in users {
            contender.users.push(user.at(contender.address).await?);
        }
        Ok(contender)
    }

    async fn open(live: &Live<'_>, kind: Kind, folder: PathBuf) -> Result<Self> {
        let (process, address, database) = if kind.is_peer() {
            let (process, address) = peer::start(kind, live.core, &folder).await?;
            (process, address, None)
        } else {
            let server = Server::start_on(live.core, &live.setting.build, &folder)?;
            let (address, database) = (server.address(), server.database());
            (server.into_process(), address, Some(database))
        };
        Ok(Self { kind, address, process, folder, users: Vec::new(), database })
    }

    /// Creates empty documents, which all users may edit.
    pub(super) async fn documents(&self, count: usize) -> Result<Vec<String>> {
        if self.kind.is_peer() {
            return Ok((0..count).map(|number| format!("document-{number}")).collect());
        }
        let (owner, others) = self.users.split_first().context("there is no user")?;
        let create = async |part: usize| {
            let mut session = owner.at(self.address).await?;
            let mut documents = Vec::new();
            for _ in (part..count).step_by(AT_ONCE) {
                let id = session.create("").await?;
                for other in others {
                    session.put(&format!("/documents/{id}/owners/{}", other.user())).await?;
                }
                documents.push(id.to_string());
            }
            anyhow::Ok(documents)
        };
        let parts = stream::iter((0..AT_ONCE).map(create)).buffer_unordered(AT_ONCE);
        Ok(parts.try_collect::<Vec<_>>().await?.concat())
    }

    /// Returns how client number `client` reaches a document: in turn as each of the users.
    pub(super) fn link(&self, document: &str, client: usize) -> Link {
        let address = self.address;
        let (path, dialect) = match self.kind {
            Kind::YWebsocket => (format!("/{document}"), Dialect::Yjs),
            Kind::Hocuspocus => ("/".to_owned(), Dialect::hocuspocus(document)),
            Kind::Izanagi => {
                let token = self.users.get(client % self.users.len().max(1)).map(Session::token);
                let token = token.unwrap_or_default();
                (format!("/ws/yjs/{document}?token={token}&acks=1"), Dialect::Yjs)
            }
        };
        Link { address, path, dialect }
    }

    /// Returns the text of a document of our server.
    pub(super) async fn text(&self, document: &str) -> Result<String> {
        let owner = self.users.first().context("there is no user")?;
        owner.at(self.address).await?.text(document.parse()?).await
    }

    /// Returns the path of our server's database.
    pub(super) fn database(&self) -> Result<&Path> {
        self.database.as_deref().context("it has no database of its own")
    }

    /// Returns the CPU time used so far in seconds.
    pub(super) fn processor_seconds(&self) -> Result<f64> {
        self.process.processor_seconds()
    }

    /// Waits until the server has nothing more to do.
    pub(super) async fn rest(&self) -> Result<()> {
        const PATIENCE: Duration = Duration::from_secs(60);
        const PAUSE: Duration = Duration::from_millis(400);
        let start = Instant::now();
        let mut before = self.processor_seconds()?;
        loop {
            tokio::time::sleep(PAUSE).await;
            let now = self.processor_seconds()?;
            // Five hundredths: the pulse of an idle server.
            if now - before < 0.05 * PAUSE.as_secs_f64() {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                bail!("it does not come to rest");
            }
            before = now;
        }
    }

    /// Returns the resident memory in bytes, of a server that has come to rest; that of Node without
    /// garbage.
    pub(super) async fn resident_bytes(&self) -> Result<f64> {
        self.rest().await?;
        if self.kind.is_peer() {
            self.process.signal(Signal::USR2)?;
            self.rest().await?;
        }
        Ok(self.process.resident_megabytes()? * 1e6)
    }
}
