//! Clients of live documents, all on one thread.

mod client;
mod dialect;
mod websocket;

pub(crate) use client::{Client, Link, Receiver};
pub(crate) use dialect::{Dialect, Received};
