//! Words of the error pages that the server sends without the app.

use crate::{
    catalogue::{in_language_of, language, problems as t},
    components::Words,
};
use http::HeaderMap;
use izanagi_shared::problem::Problem;

/// What an error page says, in the language of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Language tag of the page.
    pub language: &'static str,
    /// Heading.
    pub title: &'static str,
    /// What happened and what to do next.
    pub advice: String,
    /// The status in words; `{}` is its number.
    pub error: &'static str,
    /// Label of the link to the home page.
    pub home: &'static str,
    /// Label of the request id, which is `{}`.
    pub request: &'static str,
}

/// Words a problem for the client that sent these headers.
#[must_use]
pub fn failure(headers: &HeaderMap, problem: &Problem) -> Failure {
    in_language_of(headers, || {
        let Words { title, advice, .. } = Words::of(problem);
        let (error, home, request) = (t::error(), t::to_home(), t::request());
        Failure { language: language().tag(), title, advice, error, home, request }
    })
}
