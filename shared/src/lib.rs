//! Types and logic shared by the server and the page, compiled natively and to WebAssembly (DESIGN
//! §1).
//!
//! This crate does no I/O, reads no clock and generates no random numbers: callers pass these in.

pub mod crdt;
pub mod id;
pub mod json;
pub mod markdown;
pub mod permission;
pub mod problem;
pub mod replay;
pub mod rules;
pub mod save_state;
pub mod sync;
pub mod text;
pub mod time;
pub mod wire;
