//! In-process tests of the JSON API through the real router.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "api/auth.rs"]
mod auth;
#[path = "api/budgets.rs"]
mod budgets;
#[path = "api/compression.rs"]
mod compression;
#[path = "api/content.rs"]
mod content;
#[path = "api/cookies.rs"]
mod cookies;
#[path = "api/cors.rs"]
mod cors;
#[path = "api/diff.rs"]
mod diff;
#[path = "api/documents.rs"]
mod documents;
#[path = "api/edge.rs"]
mod edge;
#[path = "api/edits.rs"]
mod edits;
#[path = "api/functions.rs"]
mod functions;
#[path = "api/headers.rs"]
mod headers;
#[path = "api/health.rs"]
mod health;
#[path = "api/languages.rs"]
mod languages;
#[path = "api/log.rs"]
mod log;
#[path = "api/matrix.rs"]
mod matrix;
#[path = "api/openapi.rs"]
mod openapi;
#[path = "api/ops.rs"]
mod ops;
#[path = "api/order.rs"]
mod order;
#[path = "api/owners.rs"]
mod owners;
#[path = "api/patience.rs"]
mod patience;
#[path = "api/public.rs"]
mod public;
#[path = "api/refusals.rs"]
mod refusals;
#[path = "api/sessions.rs"]
mod sessions;
#[path = "api/shapes.rs"]
mod shapes;
#[path = "support/app.rs"]
mod support;
#[path = "api/upload.rs"]
mod upload;
#[path = "api/versions.rs"]
mod versions;
