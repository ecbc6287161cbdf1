//! The rules of Izanagi: accounts, documents, versions, live rooms, jobs. It knows storage as
//! traits and transports not at all (DESIGN §1).

pub mod accounts;
pub mod budget;
mod contained;
pub mod core;
pub mod documents;
pub mod edits;
pub mod error;
pub mod fsck;
pub mod hash;
pub mod live;
mod patience;
pub mod principal;
pub mod services;
pub mod storage;
pub mod versions;
