//! Contract tests of the storage traits: one suite per trait, run on every provider with the same
//! test names (DESIGN §4). Looser behaviour of a provider is a bug.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod pg_server;
mod provider;
mod services;
#[macro_use]
mod suite;
mod fixtures;

mod audit;
mod bus;
mod cache;
mod catalog;
mod catalog_list;
mod changes;
mod commits;
mod copies;
mod doctor;
mod edits;
mod inspect;
mod intents;
mod keys;
mod limits;
mod live_log;
mod live_tail;
mod live_text;
mod moves;
mod outbox;
mod owners;
mod records;
mod redis_faults;
mod redis_server;
mod revocations;
mod routing;
mod sessions;
mod upkeep;
mod users;
mod versions;
mod watch;

mod mongo_faults;
mod mongo_restarts;
mod mongo_server;
mod pg_faults;
mod pg_feed;
mod pg_open;
mod pg_pooler;
mod pg_programs;
mod pg_proxy;
mod pg_records;
mod pg_replica;
mod pg_replicas;
mod pg_schema;
mod pg_silence;
mod sqlite_file;
