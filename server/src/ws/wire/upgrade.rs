//! The opening handshake (RFC 6455 §4.2).

use super::{FrameReader, FrameWriter};
use crate::problem::{plain, respond};
use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{ReadHalf, WriteHalf, split};
use tungstenite::handshake::derive_accept_key;

/// Both halves of a socket.
pub(in crate::ws) type Halves =
    (FrameReader<ReadHalf<TokioIo<Upgraded>>>, FrameWriter<WriteHalf<TokioIo<Upgraded>>>);

/// A valid request to open a WebSocket.
pub(in crate::ws) struct Upgrade {
    on_upgrade: OnUpgrade,
    accept: HeaderValue,
}

/// The request is not one to open a WebSocket of version 13.
#[derive(Debug, Clone, Copy)]
pub(in crate::ws) struct NoUpgrade;

impl IntoResponse for NoUpgrade {
    fn into_response(self) -> Response {
        let mut response = respond(plain(
            StatusCode::UPGRADE_REQUIRED,
            "upgrade_required",
            "WebSocket required",
            "This address is for WebSockets. Connect with a WebSocket client of version 13.",
        ));
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        response
    }
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = NoUpgrade;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NoUpgrade> {
        let accept = accept(&parts.method, &parts.headers).ok_or(NoUpgrade)?;
        let on_upgrade = parts.extensions.remove().ok_or(NoUpgrade)?;
        Ok(Self { on_upgrade, accept })
    }
}

impl Upgrade {
    /// Accepts, and serves the socket in a task of its own. Its messages have at most `longest` bytes.
    pub(in crate::ws) fn accept<F>(
        self,
        longest: usize,
        serve: impl FnOnce(Halves) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let on_upgrade = self.on_upgrade;
        tokio::spawn(async move {
            match on_upgrade.await {
                Ok(upgraded) => {
                    let (reading, writing) = split(TokioIo::new(upgraded));
                    let halves = (FrameReader::new(reading, longest), FrameWriter::new(writing));
                    serve(halves).await;
                }
                Err(error) => tracing::debug!(%error, "a client left before its socket was open"),
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, self.accept);
        response
    }
}

/// Returns the value that proves that the server has understood; `None` if the request is another one.
fn accept(method: &Method, headers: &HeaderMap) -> Option<HeaderValue> {
    let has = |name: HeaderName, token: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|it| it.trim().eq_ignore_ascii_case(token))
    };
    let is_asked = *method == Method::GET
        && has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
        && headers.get(header::SEC_WEBSOCKET_VERSION)? == "13";
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    // 16 bytes in base64.
    let is_key = key.len() == 24 && key.as_bytes().ends_with(b"==");
    (is_asked && is_key).then(|| derive_accept_key(key.as_bytes()).parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), HeaderValue::from_static(value))
        };
        given.iter().map(pair).collect()
    }

    #[test]
    fn accepts_the_example_of_rfc_6455() {
        let given = [
            (header::CONNECTION, "keep-alive, Upgrade"),
            (header::UPGRADE, "WebSocket"),
            (header::SEC_WEBSOCKET_VERSION, "13"),
            (header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let accepted = accept(&Method::GET, &headers(&given));
        assert_eq!(accepted.unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(accept(&Method::POST, &headers(&given)).is_none());
        for missing in 0..given.len() {
            let mut some = given.to_vec();
            some.remove(missing);
            assert!(accept(&Method::GET, &headers(&some)).is_none(), "{missing}");
        }
        for (name, wrong) in [
            (header::SEC_WEBSOCKET_VERSION, "8"),
            (header::SEC_WEBSOCKET_KEY, "short=="),
            (header::UPGRADE, "h2c"),
        ] {
            let mut other = headers(&given);
            other.insert(name, HeaderValue::from_static(wrong));
            assert!(accept(&Method::GET, &other).is_none(), "{wrong}");
        }
    }
}
