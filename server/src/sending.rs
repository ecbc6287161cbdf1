//! Responses that hold the memory budget until they are sent.
//!
//! A response can be many megabytes, and hyper takes a body's data as soon as it is there, however
//! slowly the client reads. So the body gives it small copies, and keeps the rest together with its
//! reservation until the client has taken it, or until its time is over.

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use hyper::body::{Body as _, Frame, SizeHint};
use izanagi_domain::budget::Held;
use parking_lot::Mutex;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Size of the copies.
const COPY: usize = 64 * 1024;
/// A client must read faster than this many bytes per second, after a while that it gets anyway.
const SLOWEST: u64 = 16 * 1024;
const GRACE: Duration = Duration::from_secs(60);

/// Makes the response hold the budgets in its extensions until it has been sent.
pub(crate) fn hold_until_sent(mut response: Response) -> Response {
    let held = response.extensions_mut().remove::<Held>();
    let Some(held) = held.filter(|held| !held.is_empty()) else { return response };
    response.map(|body| Body::new(Sending::new(body, held)))
}

/// What is still to be sent; `None` after its time.
type Rest = Arc<Mutex<Option<(Bytes, Held)>>>;

struct Sending {
    body: Body,
    rest: Rest,
    _timer: DropGuard,
}

impl Sending {
    fn new(body: Body, held: Held) -> Self {
        let bytes = body.size_hint().exact().unwrap_or(held.work_bytes() as u64);
        let time = GRACE + Duration::from_secs(bytes / SLOWEST);
        let rest: Rest = Arc::new(Mutex::new(Some((Bytes::new(), held))));
        let sent = CancellationToken::new();
        let timer = (Arc::clone(&rest), sent.clone());
        tokio::spawn(async move {
            let (rest, sent) = timer;
            if tokio::time::timeout(time, sent.cancelled()).await.is_err() {
                rest.lock().take();
            }
        });
        Self { body, rest, _timer: sent.drop_guard() }
    }

    /// Returns a copy of the next part of the data; it is empty when more data is needed.
    fn next_part(&self) -> Result<Bytes, axum::Error> {
        let part = self.rest.lock().as_mut().map(|(data, _)| data.split_to(data.len().min(COPY)));
        let part = part.ok_or_else(|| axum::Error::new("the client reads too slowly"))?;
        Ok(Bytes::copy_from_slice(&part))
    }
}

impl hyper::body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            let part = self.next_part()?;
            if !part.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(part))));
            }
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)?) else {
                return Poll::Ready(None);
            };
            match frame.into_data() {
                Ok(more) => {
                    if let Some((data, _)) = self.rest.lock().as_mut() {
                        *data = more;
                    }
                }
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_empty = |rest: &(Bytes, Held)| rest.0.is_empty();
        self.body.is_end_stream() && self.rest.lock().as_ref().is_some_and(is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.lock().as_ref().map_or(0, |(data, _)| data.len() as u64);
        let of_body = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(of_body.lower() + rest);
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
        body.frame().await.unwrap().unwrap();
        tokio::time::advance(GRACE + Duration::from_secs(65)).await;
        assert!(budget.work(MIB).await.is_ok());
        assert!(body.frame().await.unwrap().is_err());
    }
}
