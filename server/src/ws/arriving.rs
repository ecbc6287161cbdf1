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
    pub(crate) fn new(budget: Budget, longest: usize) -> Arc<Self> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::poll_fn;
    use izanagi_domain::budget::BudgetSettings;
    use tokio::time::{advance, timeout};

    const LONGEST: usize = 1024 * 1024;
    /// How long a message waits for memory.
    const WAIT: Duration = Duration::from_secs(5);

    /// Memory for this many long messages.
    fn budget(messages: usize) -> Budget {
        let body_bytes = messages * LONGEST;
        Budget::new(BudgetSettings { body_bytes, wait: WAIT, ..BudgetSettings::default() }).unwrap()
    }

    fn arriving(budget: &Budget) -> Arriving {
        Arriving::new(Allowance::new(budget.clone(), LONGEST))
    }

    async fn ready(arriving: &mut Arriving) -> io::Result<()> {
        poll_fn(|context| arriving.poll_ready(context)).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_message_has_a_minute_to_arrive() {
        let mut socket = arriving(&budget(1));
        socket.arrived(FREE);
        ready(&mut socket).await.unwrap();
        // What is short may take any time.
        advance(10 * AT_MOST).await;
        ready(&mut socket).await.unwrap();
        socket.arrived(1);
        ready(&mut socket).await.unwrap();
        advance(AT_MOST - Duration::from_millis(2)).await;
        socket.arrived(1);
        ready(&mut socket).await.unwrap();
        advance(Duration::from_millis(2)).await;
        let error = ready(&mut socket).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn each_message_has_its_own_minute() {
        let mut socket = arriving(&budget(1));
        for _ in 0..3 {
            socket.arrived(FREE + 1);
            ready(&mut socket).await.unwrap();
            advance(AT_MOST / 2).await;
            ready(&mut socket).await.unwrap();
            socket.allowance.message_read();
            ready(&mut socket).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn long_messages_wait_for_memory_and_short_ones_do_not() {
        let budget = budget(2);
        let mut long: Vec<_> = (0..3).map(|_| arriving(&budget)).collect();
        long.iter().for_each(|socket| socket.arrived(FREE + 1));
        let [first, second, third] = long.as_mut_slice() else { panic!() };
        ready(first).await.unwrap();
        ready(second).await.unwrap();
        assert!(timeout(WAIT / 2, ready(third)).await.is_err());
        for _ in 0..100 {
            let mut short = arriving(&budget);
            short.arrived(FREE);
            ready(&mut short).await.unwrap();
        }
        // A message that has been read gives its memory back.
        first.allowance.message_read();
        ready(first).await.unwrap();
        ready(third).await.unwrap();
        // So does a connection that has ended.
        first.arrived(FREE + 1);
        let refused = ready(first).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::Other);
        long.truncate(1);
        let [first] = long.as_mut_slice() else { panic!() };
        ready(first).await.unwrap();
    }
}
