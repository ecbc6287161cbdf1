//! Request bodies that are read to their end even if the request is rejected first.
//!
//! Most clients read the response only after they have sent the whole body. If the server closed
//! the connection before, the kernel would reset it and the client would lose the response
//! (RFC 9112, section 9.6).

use axum::body::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{runtime::Handle, time::timeout};

/// Maximum number of bytes of a rejected body that are read and discarded, and the time for it.
/// Clients that go on beyond them lose the response.
const MAX_DISCARDED: u64 = 256 * 1024 * 1024;
const TIME: Duration = Duration::from_secs(30);

/// A request body. If it is dropped before its end, the rest is read and discarded.
pub(crate) struct DiscardUnread {
    /// `None` after the end.
    body: Option<Incoming>,
    /// Whether the client sends the body: it does not wait for "100 Continue", or hyper has sent
    /// that. Otherwise its next bytes could be its next request, and hyper closes the connection.
    is_sent: bool,
    /// Maximum time between two parts of the body.
    idle: Duration,
    /// Says that the request is in progress.
    request: Arc<()>,
}

impl DiscardUnread {
    /// Wraps the body of a request with these headers. `idle` is the time between two parts after
    /// which the rest is given up; `request` is dropped at the end of the body.
    pub(crate) fn new(
        body: Incoming,
        request: Arc<()>,
        headers: &HeaderMap,
        idle: Duration,
    ) -> Self {
        Self { body: Some(body), is_sent: !headers.contains_key(header::EXPECT), idle, request }
    }
}

impl Body for DiscardUnread {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        // The first poll makes hyper send "100 Continue".
        self.is_sent = true;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        if !matches!(frame, Some(Ok(_))) {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for DiscardUnread {
    fn drop(&mut self) {
        let unread = self.body.take().filter(|body| self.is_sent && !body.is_end_stream());
        let (Some(mut body), Ok(runtime)) = (unread, Handle::try_current()) else { return };
        if body.size_hint().lower() > MAX_DISCARDED {
            return;
        }
        let (idle, request) = (self.idle, Arc::clone(&self.request));
        runtime.spawn(timeout(TIME, async move {
            let _in_progress = request;
            let mut discarded = 0;
            while let Ok(Some(Ok(frame))) = timeout(idle, body.frame()).await {
                discarded += frame.data_ref().map_or(0, |data| data.len() as u64);
                if discarded > MAX_DISCARDED {
                    break;
                }
            }
        }));
    }
}
