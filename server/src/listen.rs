//! Accepts connections and enforces their timeouts.
//!
//! This replaces `axum::serve`, which sets no timer on hyper, and hyper-util's `auto`, which waits
//! for the first bytes without a timeout to detect the HTTP version. Only HTTP/1 is supported.

use crate::{
    config::Patience,
    connections::{ByNetwork, ConnectionGuard},
    head::{Answer, HeadTimeout, Requests},
    host::{self, InvalidHost},
    unread::DiscardUnread,
};
use axum::{Router, body::Body, extract::ConnectInfo};
use http::{Request, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;

/// File descriptors reserved for files, the database and the standard streams.
const OTHER_FILES: usize = 128;
/// Upper limit on open connections.
const MOST_CONNECTIONS: usize = 10_000;

/// Raises the limit of open files to its maximum and returns how many connections fit in it.
/// Without this cap, connections could use up the descriptors that the database needs.
pub(crate) fn most_connections() -> usize {
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limits.maximum, ..limits };
    let limits = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limits };
    let files =
        limits.current.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    files.saturating_sub(OTHER_FILES).clamp(16, MOST_CONNECTIONS)
}

/// Serves until `shutdown` completes, then gives in-flight requests `patience.drain` to finish.
/// Connections beyond `most` wait in the accept queue; those beyond the limit of their network are
/// closed.
#[expect(clippy::significant_drop_tightening, reason = "the place is held by its connection")]
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    patience: Patience,
    most: usize,
    by_network: Arc<ByNetwork>,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(most));
    let (connections, ending) = (TaskTracker::new(), CancellationToken::new());
    // Abort all connections however this function returns.
    let closing = CancellationToken::new();
    let _closed = closing.clone().drop_guard();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            // The semaphore is never closed.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(counted) = by_network.admit(peer.ip()) else {
                    tracing::debug!(%peer, "closed a connection: its network has too many");
                    continue;
                };
                let (ending, closing) = (ending.clone(), closing.clone());
                let held = ConnectionGuard::new(
                    place,
                    counted,
                    connections.token(),
                    ending,
                    closing.clone(),
                );
                let connection = connection(stream, peer, app.clone(), patience, Arc::new(held));
                connections.spawn(closing.run_until_cancelled_owned(connection));
            }
            Err(error) => recover(&error).await,
        }
    }
    drop(listener);
    ending.cancel();
    connections.close();
    if timeout(patience.drain, connections.wait()).await.is_err() {
        let (seconds, open) = (patience.drain.as_secs(), connections.len());
        tracing::warn!(
            seconds,
            open,
            "requests still in flight after the drain timeout; closing their connections"
        );
    }
}

/// Serves one connection. After `held.ending` is cancelled it accepts no further request.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    patience: Patience,
    held: Arc<ConnectionGuard>,
) {
    // Nagle's algorithm would delay small responses.
    let _ = stream.set_nodelay(true);
    let requests = Arc::new(Requests::default());
    let known = Arc::clone(&requests);
    let ending = held.ending.clone();
    let answer = service_fn(move |request: Request<Incoming>| {
        let known = Arc::clone(&known);
        let in_progress = known.begin();
        let (parts, body) = request.into_parts();
        let unread = Arc::clone(&in_progress);
        let body = DiscardUnread::new(body, unread, &parts.headers, patience.body_idle);
        let has_host = host::is_valid(&parts);
        let mut request = Request::from_parts(parts, Body::new(body));
        request.extensions_mut().insert(ConnectInfo(peer));
        // A WebSocket goes on after this function has returned.
        request.extensions_mut().insert(Arc::clone(&held));
        if !has_host {
            request.extensions_mut().insert(InvalidHost);
        }
        let response = app.clone().oneshot(request);
        async move {
            let response = response.await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                known.upgraded();
            }
            Ok::<_, Infallible>(response.map(|body| Answer { body, in_progress }))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience.idle);
    // A client that does not read its response must not keep it in memory forever.
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience.answer_idle));
    let stream = HeadTimeout::new(Box::pin(stream), requests, patience.head);
    let stream = TokioIo::new(stream);
    let served = http.serve_connection(stream, answer);
    let mut served = pin!(served.with_upgrades());
    let result = tokio::select! {
        result = served.as_mut() => result,
        () = ending.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%peer, %error, "connection ended with an error");
    }
}

/// A connection that was closed before it was accepted does not affect the next one. Any other
/// error means that descriptors or memory have run out, so wait before accepting again.
async fn recover(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "cannot accept connections");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
