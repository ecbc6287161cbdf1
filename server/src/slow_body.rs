//! Bodies that must keep arriving.

use axum::{BoxError, body::Bytes};
use hyper::body::{Body, Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::Instant;

/// A body must arrive faster than this many bytes per second on average, not counting its first
/// seconds. Bodies that reserve memory must be faster ([`crate::extract`]); the others are small,
/// but each keeps a connection and what its handler holds.
const SLOWEST: u64 = 64;
const GRACE: Duration = Duration::from_secs(20);

/// The error of a body that arrives too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the body arrives too slowly")]
pub(crate) struct TooSlow;

/// A body that fails with [`TooSlow`] if it arrives too slowly. It is checked whenever a part
/// arrives; `TimeoutBody` bounds the time between two parts.
pub(crate) struct KeepsArriving<B> {
    body: B,
    since: Option<Instant>,
    arrived: u64,
}

impl<B> KeepsArriving<B> {
    pub(crate) const fn new(body: B) -> Self {
        Self { body, since: None, arrived: 0 }
    }
}

impl<B> Body for KeepsArriving<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(Into::into)?;
        self.arrived += frame.data_ref().map_or(0, |data| data.len() as u64);
        let seconds = since.elapsed().saturating_sub(GRACE).as_secs();
        if self.arrived < seconds.saturating_mul(SLOWEST) && !self.body.is_end_stream() {
            return Poll::Ready(Some(Err(TooSlow.into())));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{StreamExt as _, stream};
    use http_body_util::{BodyExt as _, StreamBody};
    use tokio::time::interval_at;

    /// Returns after how many seconds a body is cut that sends this many bytes per second.
    async fn cut_after(bytes: usize) -> Option<u64> {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let beat = interval_at(start + second, second);
        let parts = stream::unfold(beat, move |mut beat| async move {
            beat.tick().await;
            let part = Frame::data(Bytes::from(vec![b' '; bytes]));
            Some((Ok::<_, BoxError>(part), beat))
        });
        let parts = parts.take(300);
        let mut body = KeepsArriving::new(StreamBody::new(Box::pin(parts)));
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(_) => {}
                Err(error) if error.is::<TooSlow>() => return Some(start.elapsed().as_secs()),
                Err(error) => panic!("{error}"),
            }
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_in_is_cut() {
        assert_eq!(cut_after(1).await, Some(21));
        assert_eq!(cut_after(32).await, Some(41));
        assert_eq!(cut_after(64).await, None);
    }
}
