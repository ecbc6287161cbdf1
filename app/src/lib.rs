//! The pages of Izanagi, rendered by the server and hydrated in the browser from one source
//! (DESIGN §7). Reads are resources of GET server functions; writes are forms that also work
//! without JavaScript. A feature only chooses which half is compiled beside the pages: [`ssr`] or
//! the browser's.

#![recursion_limit = "256"]
#![expect(unreachable_pub, reason = "`#[component]` writes a `pub` function, wherever it stands")]
// A component owns its properties, whether it uses them up or not.
#![allow(clippy::needless_pass_by_value)]
// A refusal carries its problem document whole: it is rare, and every page shows it.
#![allow(clippy::result_large_err)]

mod api;
mod app;
mod components;
pub mod editor;
pub mod error;
pub mod flash;
mod focus;
mod own_path;
mod pages;
mod platform;
mod rendering;
pub mod upload;
mod writes;

#[cfg(feature = "hydrate")]
pub mod browser;
#[cfg(feature = "ssr")]
pub mod ssr;

pub use app::App;
pub use own_path::page_path;
