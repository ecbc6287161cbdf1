//! The error of server functions: a problem document, as in the API (DESIGN §8).

use izanagi_shared::problem::Problem;
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// Why a server function failed, in user-readable words. Serialised as its [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", .0.detail)]
#[serde(transparent)]
pub struct AppError(pub Problem);

impl AppError {
    /// Creates a problem found by the page or the transport.
    #[must_use]
    pub fn new(status: u16, code: &str, title: &str, detail: &str) -> Self {
        Self(Problem {
            kind: "about:blank".to_owned(),
            title: title.to_owned(),
            status,
            detail: detail.to_owned(),
            code: code.to_owned(),
            request_id: String::new(),
            args: Vec::new(),
            errors: Vec::new(),
            current: None,
        })
    }

    /// Nothing exists at this address.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "not_found", "Not found", "There is nothing at this address.")
    }

    /// The server is unreachable.
    #[must_use]
    pub fn unreachable() -> Self {
        let detail = "The server cannot be reached. Try again in a moment.";
        Self::new(0, "unreachable", "No connection", detail)
    }

    /// The response has an unexpected form.
    #[must_use]
    pub fn unexpected_answer() -> Self {
        let detail =
            "This page does not understand the server's response. Reload it, then try again.";
        Self::new(0, "unexpected_answer", "Unexpected response", detail)
    }

    /// Adds that the user's input is preserved.
    #[must_use]
    pub fn with_what_was_typed(mut self) -> Self {
        if self.0.code == "unreachable" {
            self.0.code.push_str("_typed");
        }
        self
    }

    /// Returns whether the same request may succeed later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(self.0.status, 0 | 408 | 429 | 500..)
    }

    /// Returns whether signing in would help.
    #[must_use]
    pub fn needs_sign_in(&self) -> bool {
        self.0.status == 401 && self.0.code != "invalid_credentials"
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::unreachable(),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                let detail = "Something in this request is missing or has the wrong form.";
                Self::new(422, "invalid_form", "Invalid request", detail)
            }
            ServerFnErrorErr::Deserialization(_) => Self::unexpected_answer(),
            ServerFnErrorErr::Registration(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_)
            | ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_)
            | ServerFnErrorErr::Serialization(_)
            | ServerFnErrorErr::Response(_) => {
                Self::new(500, "internal", "Internal error", "Something went wrong on our side.")
            }
        }
    }
}
