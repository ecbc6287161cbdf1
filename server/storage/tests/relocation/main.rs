//! Moving the relational database to another place while people write (DESIGN §10).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
#[path = "../contract/fixtures.rs"]
mod fixtures;
#[allow(dead_code)]
#[path = "../contract/pg_server.rs"]
mod pg_server;
#[path = "../contract/services.rs"]
mod services;

mod kills;
mod moves;
mod world;
