//! Connections: how long each may take, and how they end.
//!
//! `axum::serve` gives hyper no timer, and hyper-util's `auto` waits for the first bytes without a
//! limit, to find the version of HTTP out; so this is HTTP/1 by name.

use crate::config::Patience;
use axum::{Router, body::Body, extract::ConnectInfo};
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

/// Descriptors that connections leave to files, to the database and to the standard streams.
const OTHER_FILES: usize = 128;
/// More connections than this are no use to anybody.
const MOST_CONNECTIONS: usize = 10_000;

/// How many connections the process's limit of open files has room for, once it is as high as it may
/// be. A connection too many is one file too few for the database.
pub(crate) fn most_connections() -> usize {
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limits.maximum, ..limits };
    let limits = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limits };
    let files =
        limits.current.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    files.saturating_sub(OTHER_FILES).clamp(16, MOST_CONNECTIONS)
}

/// Serves until `shutdown` completes; then open requests may end, for as long as patience lasts.
/// Of more than `most` connections at once, those too many wait.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    patience: Patience,
    most: usize,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(most));
    let (connections, ending) = (TaskTracker::new(), CancellationToken::new());
    // Whatever way this ends, no connection outlives it.
    let closing = CancellationToken::new();
    let _closed = closing.clone().drop_guard();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            // Nobody closes it.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(stream, peer, app.clone(), patience, ending.clone());
                let connection = async move {
                    connection.await;
                    drop(place);
                };
                connections.spawn(closing.clone().run_until_cancelled_owned(connection));
            }
            Err(error) => recover(&error).await,
        }
    }
    drop(listener);
    ending.cancel();
    connections.close();
    if timeout(patience.drain, connections.wait()).await.is_err() {
        let (seconds, open) = (patience.drain.as_secs(), connections.len());
        tracing::warn!(seconds, open, "some requests did not end; closing all the same");
    }
}

/// Serves one connection. Once `ending`, it takes no further request.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    patience: Patience,
    ending: CancellationToken,
) {
    // Small answers must not wait for company.
    let _ = stream.set_nodelay(true);
    let app = app.map_request(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience.head);
    // Who does not read the answer keeps it in memory.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience.answer_idle));
    let stream = TokioIo::new(Box::pin(stream));
    let served = http.serve_connection(stream, TowerToHyperService::new(app));
    let mut served = pin!(served.with_upgrades());
    let result = tokio::select! {
        result = served.as_mut() => result,
        () = ending.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%peer, %error, "a connection broke off");
    }
}

/// A connection that is gone already says nothing of the next. Anything else is a want of
/// descriptors or memory, which somebody must give back first.
async fn recover(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "no connection can be taken");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
