//! The time limit for the head of a request, from its first byte on.
//!
//! hyper's own limit also covers the time between two requests, in which a browser or a proxy may
//! keep a connection for the next one. A client that sends a head byte by byte gets less time.

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use parking_lot::Mutex;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// What the reading side of a connection knows about its requests.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    begun: AtomicU64,
    in_progress: Mutex<Weak<()>>,
    is_upgraded: AtomicBool,
}

impl Requests {
    /// Notes that a request's head is complete. Until the result and its clones are dropped, bytes
    /// belong to this request's body.
    pub(crate) fn begin(&self) -> Arc<()> {
        let request = Arc::new(());
        *self.in_progress.lock() = Arc::downgrade(&request);
        self.begun.fetch_add(1, Relaxed);
        request
    }

    /// Notes that the connection leaves HTTP: nothing that arrives is a head any more.
    pub(crate) fn upgraded(&self) {
        self.is_upgraded.store(true, Relaxed);
    }

    /// Returns whether bytes that arrive belong to anything but a head.
    fn is_past_head(&self) -> bool {
        self.is_upgraded.load(Relaxed) || self.in_progress.lock().strong_count() > 0
    }
}

/// The body of a response, until whose end the request is in progress.
pub(crate) struct Answer {
    pub(crate) body: Body,
    #[expect(dead_code, reason = "its drop is the signal")]
    pub(crate) in_progress: Arc<()>,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection on which reading fails if a head takes longer than `limit`.
pub(crate) struct HeadTimeout<S> {
    stream: S,
    requests: Arc<Requests>,
    limit: Duration,
    /// Requests begun when the bytes of a head last arrived.
    begun: u64,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> HeadTimeout<S> {
    pub(crate) fn new(stream: S, requests: Arc<Requests>, limit: Duration) -> Self {
        Self { stream, requests, limit, begun: 0, deadline: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let (begun, is_past_head) =
            (this.requests.begun.load(Relaxed), this.requests.is_past_head());
        if begun != this.begun || is_past_head {
            this.begun = begun;
            this.deadline = None;
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if read.is_ready() {
            if buffer.filled().len() > before && !is_past_head && this.deadline.is_none() {
                this.deadline = Some(Box::pin(sleep(this.limit)));
            }
            return read;
        }
        let Some(deadline) = &mut this.deadline else { return Poll::Pending };
        deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::{Instant, advance, interval, timeout},
    };

    const LIMIT: Duration = Duration::from_secs(10);

    fn connection() -> (DuplexStream, HeadTimeout<DuplexStream>, Arc<Requests>) {
        let (client, server) = duplex(64);
        let requests = Arc::new(Requests::default());
        (client, HeadTimeout::new(server, Arc::clone(&requests), LIMIT), requests)
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_trickles_in_is_cut() {
        let (mut client, mut server, _) = connection();
        advance(6 * LIMIT).await;
        client.write_all(b"G").await.unwrap();
        let start = Instant::now();
        let trickle = async {
            let mut beat = interval(Duration::from_secs(1));
            loop {
                beat.tick().await;
                client.write_all(b"E").await.unwrap();
            }
        };
        let mut head = Vec::new();
        let error = tokio::select! {
            result = server.read_to_end(&mut head) => result.unwrap_err(),
            () = trickle => unreachable!(),
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(start.elapsed().as_secs(), LIMIT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_and_a_pause_between_requests_take_any_time() {
        let (mut client, mut server, requests) = connection();
        let mut bytes = [0; 8];
        for _ in 0..2 {
            client.write_all(b"HEAD").await.unwrap();
            assert_eq!(server.read(&mut bytes).await.unwrap(), 4);
            let request = requests.begin();
            assert!(timeout(2 * LIMIT, server.read(&mut bytes)).await.is_err());
            client.write_all(b"body").await.unwrap();
            assert_eq!(server.read(&mut bytes).await.unwrap(), 4);
            drop(request);
            assert!(timeout(2 * LIMIT, server.read(&mut bytes)).await.is_err());
        }
        client.write_all(b"HE").await.unwrap();
        assert_eq!(server.read(&mut bytes).await.unwrap(), 2);
        let error = server.read(&mut bytes).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn an_upgraded_connection_takes_any_time() {
        let (mut client, mut server, requests) = connection();
        let mut bytes = [0; 8];
        client.write_all(b"HEAD").await.unwrap();
        assert_eq!(server.read(&mut bytes).await.unwrap(), 4);
        let request = requests.begin();
        requests.upgraded();
        drop(request);
        for _ in 0..2 {
            client.write_all(b"frame").await.unwrap();
            assert_eq!(server.read(&mut bytes).await.unwrap(), 5);
            assert!(timeout(2 * LIMIT, server.read(&mut bytes)).await.is_err());
        }
    }
}
