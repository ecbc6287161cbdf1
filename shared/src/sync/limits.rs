use super::{BadFrame, CloseCode};
use std::time::Duration;

/// The longest reason of a close frame, in bytes (RFC 6455, section 5.5).
pub(super) const MAX_REASON: usize = 123;

/// Bounds of a connection (PRODUCT C5). All can be configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an update.
    pub update: usize,
    /// Bytes of a message of the Yjs protocol. The absence of an offline client is one step 2.
    pub yjs_frame: usize,
    /// Bytes of a message of the JSON protocol, where an update is in base64.
    pub json_frame: usize,
    /// Messages per second, averaged over a burst.
    pub messages_per_second: u32,
    /// Messages that may arrive at once.
    pub message_burst: u32,
    /// Interval of pings.
    pub ping_every: Duration,
    /// A connection that is silent for this long is closed.
    pub idle_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            update: 1024 * 1024,
            yjs_frame: 16 * 1024 * 1024,
            json_frame: 1_468_006,
            messages_per_second: 500,
            message_burst: 5_000,
            ping_every: Duration::from_secs(30),
            idle_after: Duration::from_secs(120),
        }
    }
}

impl BadFrame {
    /// The code with which a connection is closed that received the frame.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::TooLarge(_) => CloseCode::TooLarge,
            Self::Malformed(_) => CloseCode::BadFrame,
        }
    }
}
