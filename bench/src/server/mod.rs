//! The real server as a separate process, and a lightweight client.

mod api;
mod binary;
mod http;
mod process;

pub(crate) use api::Session;
pub(crate) use binary::Server;
pub(crate) use http::{Connection, Response, request};
pub(crate) use process::Process;
