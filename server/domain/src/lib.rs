//! Domain logic of Izanagi: accounts, documents, versions, live rooms, jobs. It depends on
//! storage only through traits and not on any transport (DESIGN §1).

pub mod accounts;
pub mod budget;
pub mod contained;
pub mod core;
pub mod documents;
pub mod edits;
pub mod error;
pub mod fsck;
pub mod hash;
pub mod jobs;
pub mod live;
pub mod log_rate;
pub mod moves;
mod patience;
pub mod principal;
pub mod readiness;
pub mod sealing;
pub mod services;
pub mod storage;
pub mod versions;
mod zstd_frame;
