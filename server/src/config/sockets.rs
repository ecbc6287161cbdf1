//! Settings of WebSockets.

use super::values::{duration, rate, size};
use izanagi_domain::accounts::Rate;
use izanagi_shared::sync::Limits;
use std::time::Duration;

/// WebSockets.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct SocketSettings {
    /// Maximum size of a message of the Yjs protocol. A client that was offline sends all its edits
    /// as one.
    #[config(env = "IZANAGI_LIMITS_YJS_FRAME_BYTES", default = "16MiB", deserialize_with = size)]
    pub yjs_frame_bytes: usize,

    /// Maximum size of a message of the JSON protocol.
    #[config(env = "IZANAGI_LIMITS_JSON_FRAME_BYTES", default = "1434KiB", deserialize_with = size)]
    pub json_frame_bytes: usize,

    /// Messages per WebSocket.
    #[config(
        env = "IZANAGI_LIMITS_SOCKET_MESSAGES", default = "500/1s burst 5000",
        deserialize_with = rate
    )]
    pub messages: Rate,

    /// Interval of pings.
    #[config(env = "IZANAGI_LIMITS_SOCKET_PING", default = "30s", deserialize_with = duration)]
    pub ping: Duration,

    /// A WebSocket on which nothing arrives for this long, not even an answer to a ping, is closed.
    #[config(env = "IZANAGI_LIMITS_SOCKET_IDLE", default = "2m", deserialize_with = duration)]
    pub idle: Duration,
}

impl SocketSettings {
    /// Returns the bounds of a connection, on which updates have at most `update` bytes.
    pub(crate) fn limits(&self, update: usize) -> Limits {
        let per_second = f64::from(self.messages.count.get()) / self.messages.per.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "casts to integers saturate"
        )]
        let messages_per_second = per_second.ceil() as u32;
        Limits {
            update,
            yjs_frame: self.yjs_frame_bytes,
            json_frame: self.json_frame_bytes,
            messages_per_second,
            message_burst: self.messages.burst.get(),
            ping_every: self.ping,
            idle_after: self.idle,
        }
    }
}
