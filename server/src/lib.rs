//! The server of Izanagi: axum around the domain. `router` lists every route, `middleware` all
//! layers in order; a handler extracts, calls a service, responds (DESIGN §1).

// The type of a page is as deeply nested as its markup.
#![recursion_limit = "512"]

pub mod allocator;
mod area;
pub mod cli;
mod compress;
pub mod config;
mod connections;
mod cors;
mod doctor;
mod extract;
mod head;
mod headers;
mod health;
mod host;
mod http;
pub mod keys;
mod listen;
pub mod logging;
mod middleware;
pub mod migrate_store;
mod openapi;
mod origin;
mod pages;
mod problem;
mod problem_page;
pub mod router;
pub mod run;
mod sending;
pub mod site;
mod slow_body;
mod state;
mod target;
mod unread;
mod ws;

pub use state::AppState;
