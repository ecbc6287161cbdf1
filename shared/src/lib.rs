//! The pure half of Izanagi: what the server and the page must agree on, compiled natively and
//! to WebAssembly (DESIGN §1). Nothing here does I/O, reads a clock or draws a random number;
//! what a function needs from outside is passed in.

pub mod crdt;
pub mod id;
pub mod json;
pub mod markdown;
pub mod permission;
pub mod problem;
pub mod rules;
pub mod save_state;
pub mod text;
pub mod time;
pub mod wire;
