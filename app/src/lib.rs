//! The pages of Izanagi (DESIGN §7). The server renders each page in full; only islands are
//! hydrated, from one of three WebAssembly bundles. Reads are resources of server functions; writes
//! are forms that also work without JavaScript. Features only choose which modules are compiled:
//! `ssr` all of them, `pages`, `editor` and `timeline` the islands of one bundle.

#![recursion_limit = "256"]
#![expect(unreachable_pub, reason = "`#[component]` always generates a `pub` function")]
// Components own their properties even if they only borrow them.
#![allow(clippy::needless_pass_by_value)]
// Errors contain the whole problem document: they are rare, and every page shows it.
#![allow(clippy::result_large_err)]

pub mod browser;
pub mod error;
pub mod flash;
pub mod own_path;
pub mod parts;
pub mod toasts;
pub mod words;

#[cfg(feature = "ssr")]
mod api;
#[cfg(feature = "ssr")]
mod app;
#[cfg(feature = "ssr")]
mod catalogue;
#[cfg(feature = "ssr")]
mod components;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
pub mod ssr;

#[cfg(any(feature = "ssr", feature = "editor"))]
pub mod editor;
#[cfg(any(feature = "ssr", feature = "pages"))]
pub mod islands;
#[cfg(any(feature = "ssr", feature = "timeline"))]
pub mod timeline;
