//! The real server as a process of its own, and a client that costs as little as possible.

mod api;
mod http;
mod process;

pub(crate) use api::Session;
pub(crate) use http::{Connection, Response, request};
pub(crate) use process::Server;
