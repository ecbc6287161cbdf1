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
    net::{Ipv4Addr, SocketAddr},
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
    /// Users of our server. The peers have none.
    users: Vec<Session>,
    database: Option<PathBuf>,
}

/// A document.
pub(super) struct Document {
    /// What the server calls it.
    name: String,
    /// Number of the first user of its team, who owns it.
    first: usize,
    /// Number of users who may edit it.
    team: usize,
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

    /// Creates empty documents, each of them for a team of so many users, in turn.
    pub(super) async fn documents(&self, count: usize, team: usize) -> Result<Vec<Document>> {
        let create = async |number: usize| {
            let document =
                Document { name: format!("document-{number}"), first: number * team, team };
            if self.kind.is_peer() {
                return Ok(document);
            }
            let mut owner = self.user(document.first)?.at(self.address).await?;
            let id = owner.create("").await?;
            for other in 1..team {
                let other = self.user(document.first + other)?.user();
                owner.put(&format!("/documents/{id}/owners/{other}")).await?;
            }
            anyhow::Ok(Document { name: id.to_string(), ..document })
        };
        stream::iter((0..count).map(create)).buffered(AT_ONCE).try_collect().await
    }

    /// Returns how client number `client` of a document reaches it, as one of its team.
    pub(super) fn link(&self, document: &Document, client: usize) -> Result<Link> {
        // Our server allows an address only so many connections.
        const ADDRESSES: usize = 16;
        let from = u8::try_from((document.first + client) % ADDRESSES)?;
        let from = Ipv4Addr::new(127, 0, 0, 2 + from);
        let (address, name) = (self.address, &document.name);
        let (path, dialect) = match self.kind {
            Kind::YWebsocket => (format!("/{name}"), Dialect::Yjs),
            Kind::Hocuspocus => ("/".to_owned(), Dialect::hocuspocus(name)),
            Kind::Izanagi => {
                let token = self.user(document.first + client % document.team)?.token();
                (format!("/ws/yjs/{name}?token={token}&acks=1"), Dialect::Yjs)
            }
        };
        Ok(Link { from, address, path, dialect })
    }

    fn user(&self, number: usize) -> Result<&Session> {
        let user = number.checked_rem(self.users.len()).and_then(|index| self.users.get(index));
        user.context("there is no user")
    }

    /// Returns the text of a document of our server.
    pub(super) async fn text(&self, document: &Document) -> Result<String> {
        let owner = self.user(document.first)?;
        owner.at(self.address).await?.text(document.name.parse()?).await
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
