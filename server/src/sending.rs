//! Responses that hold the memory budget until they are sent.
//!
//! A response can be many megabytes, and hyper takes a body's data as soon as it is there, however
//! slowly the client reads. So the body gives it small copies, and keeps the rest together with its
//! reservation until the client has taken it, or until its time is over.

use axum::{
    Error,
    body::{Body, Bytes},
    response::Response,
};
use hyper::body::{Body as _, Frame, SizeHint};
use izanagi_domain::budget::Held;
use parking_lot::Mutex;
use std::{
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Size of the copies.
const COPY: usize = 64 * 1024;
/// A client must read this many bytes per second on average, not counting the first seconds.
const SLOWEST: u64 = 16 * 1024;
const GRACE: Duration = Duration::from_secs(30);
/// Time between two checks of that.
const CHECKED_EVERY: Duration = Duration::from_secs(10);

/// Makes the response hold the budgets in its extensions until it has been sent.
pub(crate) fn hold_until_sent(mut response: Response) -> Response {
    let held = response.extensions_mut().remove::<Held>();
    let Some(held) = held.filter(|held| !held.is_empty()) else { return response };
    response.map(|body| Body::new(Sending::new(body, held)))
}

/// What is still to be sent.
struct Rest {
    body: Body,
    data: Bytes,
    /// Bytes that hyper has taken. It takes no more while the client does not read.
    taken: u64,
    _held: Held,
}

impl Rest {
    /// Returns the next part.
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        while self.data.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)?) else {
                return Poll::Ready(None);
            };
            match frame.into_data() {
                Ok(data) => self.data = data,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        let part = self.data.split_to(self.data.len().min(COPY));
        self.taken += part.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(&part)))))
    }
}

struct Sending {
    /// `None` once the client was too slow.
    rest: Arc<Mutex<Option<Rest>>>,
    _timer: DropGuard,
}

impl Sending {
    fn new(body: Body, held: Held) -> Self {
        let rest = Rest { body, data: Bytes::new(), taken: 0, _held: held };
        let rest = Arc::new(Mutex::new(Some(rest)));
        let sent = CancellationToken::new();
        tokio::spawn(drop_if_slow(Arc::downgrade(&rest), sent.clone()));
        Self { rest, _timer: sent.drop_guard() }
    }
}

/// Drops what is still to be sent when the client is too slow. hyper does not ask for more then, so
/// the body itself would not notice.
async fn drop_if_slow(rest: Weak<Mutex<Option<Rest>>>, sent: CancellationToken) {
    let start = Instant::now();
    while tokio::time::timeout(CHECKED_EVERY, sent.cancelled()).await.is_err() {
        let Some(rest) = rest.upgrade() else { return };
        let expected = start.elapsed().saturating_sub(GRACE).as_secs().saturating_mul(SLOWEST);
        let slow = rest.lock().take_if(|rest| rest.taken < expected);
        if slow.is_some() {
            tracing::debug!("a response is given up: the client reads too slowly");
            return;
        }
    }
}

impl hyper::body::Body for Sending {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.rest.lock().as_mut().map_or_else(
            || Poll::Ready(Some(Err(Error::new("the client reads too slowly")))),
            |rest| rest.poll_next(context),
        )
    }

    fn is_end_stream(&self) -> bool {
        let is_over = |rest: &Rest| rest.data.is_empty() && rest.body.is_end_stream();
        self.rest.lock().as_ref().is_some_and(is_over)
    }

    fn size_hint(&self) -> SizeHint {
        let Some((of_body, data)) =
            self.rest.lock().as_ref().map(|rest| (rest.body.size_hint(), rest.data.len() as u64))
        else {
            return SizeHint::default();
        };
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower() + data);
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + data);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use izanagi_domain::budget::{Budget, BudgetSettings, in_request};

    const MIB: usize = 1024 * 1024;

    async fn response(budget: &Budget) -> Response {
        let (_, held) = in_request(async { drop(budget.work(MIB).await.unwrap()) }).await;
        let mut response = Response::new(Body::from(vec![b'x'; MIB]));
        response.extensions_mut().insert(held);
        hold_until_sent(response)
    }

    fn budget() -> Budget {
        let (wait, work_bytes) = (Duration::from_millis(10), MIB);
        Budget::new(BudgetSettings { wait, work_bytes, ..BudgetSettings::default() }).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn holds_the_budget_until_everything_is_taken() {
        let budget = budget();
        let mut body = response(&budget).await.into_body();
        assert_eq!(body.size_hint().exact(), Some(MIB as u64));
        let mut taken = 0;
        while taken < MIB {
            assert!(budget.work(MIB).await.is_err(), "{taken} bytes are taken");
            taken += body.frame().await.unwrap().unwrap().into_data().unwrap().len();
        }
        assert!(body.is_end_stream() && body.frame().await.is_none());
        drop(body);
        assert!(budget.work(MIB).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_client_loses_the_rest() {
        let budget = budget();
        let mut body = response(&budget).await.into_body();
        for _ in 0..4 {
            body.frame().await.unwrap().unwrap();
            tokio::time::advance(Duration::from_secs(8)).await;
        }
        assert!(budget.work(MIB).await.is_err(), "it reads quickly enough");
        tokio::time::advance(GRACE).await;
        assert!(budget.work(MIB).await.is_ok());
        assert!(body.frame().await.unwrap().is_err());
    }
}
