//! Bounds the memory of messages that have not arrived completely. The WebSocket library collects a
//! message before it hands it on, so a client that sends large messages slowly would hold memory that
//! no budget knows of.

use futures::{FutureExt as _, future::BoxFuture};
use izanagi_domain::{
    budget::{Budget, Reservation},
    error::Result,
};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// Bytes of a message that may arrive without a reservation.
const FREE: usize = 64 * 1024;
/// How long a message may take from there.
const AT_MOST: Duration = Duration::from_secs(60);

/// What the reader of a socket and the stream below it share.
#[derive(Debug)]
pub(crate) struct Allowance {
    budget: Budget,
    /// Bytes of the longest message.
    longest: usize,
    /// Bytes that have arrived since the last complete message.
    unread: AtomicUsize,
}

impl Allowance {
    /// Creates the allowance of a socket, whose messages have at most `longest` bytes.
    pub(super) fn new(budget: Budget, longest: usize) -> Arc<Self> {
        Arc::new(Self { budget, longest, unread: AtomicUsize::new(0) })
    }

    /// Notes that a message is complete.
    pub(super) fn message_read(&self) {
        self.unread.store(0, Relaxed);
    }
}

/// The bytes that arrive on a socket.
pub(crate) struct Arriving {
    allowance: Arc<Allowance>,
    asking: Option<BoxFuture<'static, Result<Reservation>>>,
    held: Option<Reservation>,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Arriving {
    pub(crate) const fn new(allowance: Arc<Allowance>) -> Self {
        Self { allowance, asking: None, held: None, deadline: None }
    }

    /// Ready when more may be read.
    ///
    /// # Errors
    /// The message has taken too long, or there is no memory for it.
    pub(crate) fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.allowance.unread.load(Relaxed) <= FREE {
            (self.asking, self.held, self.deadline) = (None, None, None);
            return Poll::Ready(Ok(()));
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(AT_MOST)));
        if deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if self.held.is_some() {
            return Poll::Ready(Ok(()));
        }
        let asking = self.asking.get_or_insert_with(|| {
            let allowance = Arc::clone(&self.allowance);
            async move { allowance.budget.body(allowance.longest).await }.boxed()
        });
        let held = ready!(asking.as_mut().poll(context));
        self.asking = None;
        self.held = Some(held.map_err(|error| io::Error::other(error.to_string()))?);
        Poll::Ready(Ok(()))
    }

    /// Notes that bytes have arrived.
    pub(crate) fn arrived(&self, bytes: usize) {
        self.allowance.unread.fetch_add(bytes, Relaxed);
    }
}
