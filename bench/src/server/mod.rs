//! The real server as a separate process, and a lightweight client.

mod api;
mod http;
mod process;

pub(crate) use api::Session;
pub(crate) use http::{Connection, Response, request};
pub(crate) use process::Server;
