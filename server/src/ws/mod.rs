//! WebSockets (API.md): a thin shell around the connections of [`izanagi_shared::sync`]. It upgrades,
//! moves messages, and carries out effects on the live document.
//!
//! Whatever is wrong with the handshake itself fails before the upgrade. Sign-in and rights are
//! answered after it, by close code, because browsers do not tell scripts the status of a handshake.

mod notice;
mod reader;
mod refusal;
mod socket;
mod wire;
mod writer;

use crate::{connections::ConnectionGuard, extract::BadToken, state::AppState};
use axum::{
    Extension, Router,
    extract::{FromRequestParts, Path, Query, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use izanagi_domain::{accounts::Device, principal::Principal};
use izanagi_shared::sync::connection::Protocol;
use serde::Deserialize;
use socket::Opened;
use std::sync::Arc;
use tower_http::request_id::RequestId;
use tracing::{Instrument as _, field::Empty};
use wire::{NoUpgrade, Upgrade};

/// Returns the routes of both protocols.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/ws/documents/{id}", get(open_json)).route("/ws/yjs/{id}", get(open_yjs))
}

/// The query of a socket. The middleware reads `token`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SocketParams {
    /// `1`: acknowledge durable frames (Yjs protocol).
    acks: Option<String>,
    /// The lineage of the client's replica.
    lineage: Option<String>,
    /// The name to show to others (JSON protocol). The account's is used without it.
    display_name: Option<String>,
}

/// A request to open a socket.
#[derive(FromRequestParts)]
#[from_request(state(AppState))]
struct Handshake {
    #[from_request(via(State))]
    app: AppState,
    #[from_request(via(Path))]
    document: String,
    #[from_request(via(Query))]
    params: SocketParams,
    request_id: Option<Extension<RequestId>>,
    who: Option<Extension<Principal>>,
    bad_token: Option<Extension<BadToken>>,
    device: Option<Extension<Device>>,
    held: Option<Extension<Arc<ConnectionGuard>>>,
    upgrade: Result<Upgrade, NoUpgrade>,
}

async fn open_json(handshake: Handshake) -> Response {
    handshake.open(Protocol::Json)
}

async fn open_yjs(handshake: Handshake) -> Response {
    let acks = handshake.params.acks.as_deref() == Some("1");
    handshake.open(Protocol::Yjs { acks })
}

impl Handshake {
    fn open(self, protocol: Protocol) -> Response {
        let (Ok(upgrade), Some(Extension(held))) = (self.upgrade, self.held) else {
            return NoUpgrade.into_response();
        };
        let config = &self.app.config;
        let limits = config.sockets.limits(config.settings.live.max_update_bytes);
        let longest = match protocol {
            Protocol::Yjs { .. } => limits.yjs_frame,
            Protocol::Json => limits.json_frame,
        };
        // A little more than the limit, so that a message which is slightly too long gets a reason.
        let longest = longest.saturating_add(longest / 4);
        let span = tracing::info_span!(
            "socket",
            requestId = self
                .request_id
                .and_then(|Extension(id)| Some(id.header_value().to_str().ok()?.to_owned())),
            docId = self.document,
            userId = Empty,
        );
        let who = match self.bad_token {
            None => Some(self.who.map(|Extension(who)| who).unwrap_or_default()),
            Some(_) => None,
        };
        let opened = Opened {
            app: self.app,
            document: self.document.parse().ok(),
            protocol,
            limits,
            lineage: self.params.lineage,
            display_name: self.params.display_name,
            who,
            device: self.device.map(|Extension(device)| device),
            held,
        };
        upgrade.accept(longest, move |halves| opened.serve(halves).instrument(span))
    }
}
