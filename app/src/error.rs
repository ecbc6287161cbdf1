//! The one error of server functions: a problem document, as everywhere else (DESIGN §8).

use izanagi_shared::problem::Problem;
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

/// Why a server function refuses or fails, in words for the person who asked. On the wire it is
/// the [`Problem`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}", .0.detail)]
#[serde(transparent)]
pub struct AppError(pub Problem);

impl AppError {
    /// A problem that the page or the transport found.
    #[must_use]
    pub fn new(status: u16, code: &str, title: &str, detail: &str) -> Self {
        Self(Problem {
            kind: "about:blank".to_owned(),
            title: title.to_owned(),
            status,
            detail: detail.to_owned(),
            code: code.to_owned(),
            request_id: String::new(),
            errors: Vec::new(),
            current: None,
        })
    }

    /// There is nothing at this address.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "not_found", "Not found", "There is nothing at this address.")
    }

    /// The server is there no more, or was never.
    #[must_use]
    pub fn unreachable() -> Self {
        let detail = "The server cannot be reached. Try again in a moment.";
        Self::new(0, "unreachable", "No connection", detail)
    }

    /// What came back is not what this page understands.
    #[must_use]
    pub fn unexpected_answer() -> Self {
        let detail = "The server's answer makes no sense to this page. Reload it, then try again.";
        Self::new(0, "unexpected_answer", "Unexpected answer", detail)
    }

    /// The same for those who typed something, which stays where it is.
    #[must_use]
    pub fn with_what_was_typed(mut self) -> Self {
        if self.0.code == "unreachable" {
            self.0.detail.push_str(" What you typed is still here.");
        }
        self
    }

    /// Whether signing in would help.
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
                Self::new(422, "invalid", "Invalid fields", detail)
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
