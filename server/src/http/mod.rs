//! The JSON API (API.md), one file per resource. Handlers extract, call a service, respond.

pub(crate) mod auth;
pub(crate) mod content;
pub(crate) mod diff;
pub(crate) mod documents;
pub(crate) mod edits;
pub(crate) mod health;
pub(crate) mod me;
pub(crate) mod ops;
pub(crate) mod owners;
pub(crate) mod restore;
pub(crate) mod sessions;
pub(crate) mod upload;
pub(crate) mod versions;

/// Limit for the JSON bodies of calls without document text.
pub(crate) const SMALL_BODY: usize = 64 * 1024;
