use super::MAX_REASON;

/// Why a WebSocket is closed (API.md, “WebSockets”).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// 1001: the server stops, or the connection was idle.
    GoingAway,
    /// 1013: a store is down, or a budget is exhausted.
    TryLater,
    /// 4400: a message is malformed, or an update was refused.
    BadFrame,
    /// 4401: the sign-in has ended.
    SignedOut,
    /// 4403: the right is missing or was taken away.
    Forbidden,
    /// 4404: the document does not exist, or is in the trash.
    Gone,
    /// 4408: the client reads too slowly. It reconnects and fetches what it lacks.
    TooSlow,
    /// 4409: the client's replica belongs to another lineage.
    Resync,
    /// 4413: a message is too large.
    TooLarge,
    /// 4429: too many messages.
    RateLimited,
}

impl CloseCode {
    const ALL: [Self; 10] = [
        Self::GoingAway,
        Self::TryLater,
        Self::BadFrame,
        Self::SignedOut,
        Self::Forbidden,
        Self::Gone,
        Self::TooSlow,
        Self::Resync,
        Self::TooLarge,
        Self::RateLimited,
    ];

    /// The number in the close frame.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::TryLater => 1013,
            Self::BadFrame => 4400,
            Self::SignedOut => 4401,
            Self::Forbidden => 4403,
            Self::Gone => 4404,
            Self::TooSlow => 4408,
            Self::Resync => 4409,
            Self::TooLarge => 4413,
            Self::RateLimited => 4429,
        }
    }

    /// The reason for a number; `None` if the server does not use it.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|close| close.code() == code)
    }
}

/// Cuts a text to the length that fits a close frame (RFC 6455: 123 bytes).
#[must_use]
pub fn close_reason(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_REASON)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back() {
        for close in CloseCode::ALL {
            assert_eq!(CloseCode::from_code(close.code()), Some(close));
        }
        assert_eq!(CloseCode::from_code(1006), None);
    }

    #[test]
    fn a_reason_fits_a_close_frame() {
        assert_eq!(close_reason("short"), "short");
        let reason = close_reason(&"島".repeat(60)).len();
        assert_eq!(reason, 123);
    }
}
