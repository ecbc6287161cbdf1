//! Settings of the domain's services, and their conversion to the domain's types.

use super::values::{count, duration, rate, size};
use izanagi_domain::{
    accounts::{self, Rate},
    budget, live, services,
};
use std::time::Duration;

/// Settings of the domain's services.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct ServiceSettings {
    /// Rate limits.
    #[config(nested)]
    pub limits: LimitSettings,

    /// Live editing.
    #[config(nested)]
    pub live: LiveSettings,

    /// Bounds on concurrent work.
    #[config(nested)]
    pub budget: BudgetSettings,

    /// Maximum number of concurrent password hashes; each uses 19 MiB of memory.
    #[config(
        env = "IZANAGI_LIMITS_PASSWORD_HASHES_AT_ONCE", default = "2", deserialize_with = count
    )]
    pub password_hashes_at_once: usize,
}

/// Rate limits.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct LimitSettings {
    /// Sign-ins per account and client address (IPv6: per /64).
    #[config(env = "IZANAGI_LIMITS_SIGN_IN", default = "10/60s", deserialize_with = rate)]
    pub sign_in: Rate,

    /// Sign-ins per account from all client addresses where the account was not signed in lately.
    #[config(env = "IZANAGI_LIMITS_SIGN_IN_UNKNOWN", default = "30/60s", deserialize_with = rate)]
    pub sign_in_unknown: Rate,

    /// Sign-ins per client address, to any account.
    #[config(env = "IZANAGI_LIMITS_SIGN_IN_ADDRESS", default = "60/60s", deserialize_with = rate)]
    pub sign_in_address: Rate,

    /// Sign-ups per client address.
    #[config(env = "IZANAGI_LIMITS_SIGN_UP", default = "20/1h", deserialize_with = rate)]
    pub sign_up: Rate,

    /// Writes per user.
    #[config(
        env = "IZANAGI_LIMITS_WRITES", default = "50/1s burst 2000", deserialize_with = rate
    )]
    pub writes: Rate,

    /// Reads per user.
    #[config(
        env = "IZANAGI_LIMITS_READS", default = "200/1s burst 2000", deserialize_with = rate
    )]
    pub reads: Rate,
}

/// Live editing.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct LiveSettings {
    /// Maximum size of an update from a client.
    #[config(env = "IZANAGI_LIMITS_UPDATE_BYTES", default = "1MiB", deserialize_with = size)]
    pub max_update_bytes: usize,

    /// Number of updates after which a document gets a snapshot.
    #[config(
        env = "IZANAGI_LIVE_SNAPSHOT_UPDATES", default = "200", deserialize_with = count
    )]
    pub snapshot_updates: u64,

    /// Total size of updates after which a document gets a snapshot.
    #[config(env = "IZANAGI_LIVE_SNAPSHOT_BYTES", default = "4MiB", deserialize_with = size)]
    pub snapshot_bytes: usize,

    /// Time after which an update is included in a snapshot.
    #[config(
        env = "IZANAGI_LIVE_SNAPSHOT_AFTER", default = "60s", deserialize_with = duration
    )]
    pub snapshot_after: Duration,

    /// Idle time after which a document is unloaded from memory.
    #[config(env = "IZANAGI_LIVE_IDLE_AFTER", default = "2m", deserialize_with = duration)]
    pub idle_after: Duration,

    /// Maximum number of messages that wait for one connection; a slower reader is closed.
    #[config(env = "IZANAGI_LIVE_SEAT_MESSAGES", default = "4096", deserialize_with = count)]
    pub seat_messages: usize,

    /// Maximum size of the updates that wait for one connection.
    #[config(env = "IZANAGI_LIVE_SEAT_BYTES", default = "8MiB", deserialize_with = size)]
    pub seat_bytes: usize,

    /// Maximum number of connections to one document.
    #[config(env = "IZANAGI_LIVE_SEATS_PER_DOCUMENT", default = "1000", deserialize_with = count)]
    pub seats_per_document: usize,

    /// Maximum number of connections of one user.
    #[config(env = "IZANAGI_LIVE_SEATS_PER_USER", default = "200", deserialize_with = count)]
    pub seats_per_user: usize,

    /// Maximum number of connections from one address (IPv6: from one /64).
    #[config(env = "IZANAGI_LIVE_SEATS_PER_ADDRESS", default = "1000", deserialize_with = count)]
    pub seats_per_address: usize,

    /// How long edits are kept for replay after they are included in a snapshot.
    #[config(env = "IZANAGI_LIVE_KEEP_EDITS", default = "365d", deserialize_with = duration)]
    pub keep_edits: Duration,
}

impl From<ServiceSettings> for services::Settings {
    fn from(given: ServiceSettings) -> Self {
        let ServiceSettings { limits, live, budget, password_hashes_at_once } = given;
        let LimitSettings { sign_in, sign_in_unknown, sign_in_address, .. } = limits;
        let LimitSettings { sign_up, writes, reads, .. } = limits;
        let LiveSettings {
            max_update_bytes,
            snapshot_updates,
            snapshot_bytes,
            snapshot_after,
            idle_after,
            seat_messages,
            seat_bytes,
            seats_per_document,
            seats_per_user,
            seats_per_address,
            keep_edits,
        } = live;
        Self {
            limits: accounts::LimitSettings {
                sign_in,
                sign_in_unknown,
                sign_in_address,
                sign_up,
                writes,
                reads,
            },
            live: live::LiveSettings {
                max_update_bytes,
                snapshot_updates,
                snapshot_bytes,
                snapshot_after,
                idle_after,
                seat_messages,
                seat_bytes,
                seats_per_document,
                seats_per_user,
                seats_per_address,
                keep_edits,
                ..live::LiveSettings::default()
            },
            budget: budget.into(),
            password_hashes_at_once,
        }
    }
}

/// Bounds on concurrent work.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct BudgetSettings {
    /// Number of low-priority threads for expensive work such as comparing and rendering.
    #[config(env = "IZANAGI_BUDGET_THREADS", default = "8", deserialize_with = count)]
    pub threads: usize,

    /// Maximum number of jobs that wait for a thread.
    #[config(env = "IZANAGI_BUDGET_QUEUE", default = "512", deserialize_with = count)]
    pub queue: usize,

    /// How long a request waits for a budget before it is rejected with 503.
    #[config(env = "IZANAGI_BUDGET_WAIT", default = "5s", deserialize_with = duration)]
    pub wait: Duration,

    /// Maximum total size of request bodies in flight.
    #[config(env = "IZANAGI_BUDGET_BODY_BYTES", default = "96MiB", deserialize_with = size)]
    pub body_bytes: usize,

    /// Maximum memory for comparing, rendering, creating, committing, and large responses until they are sent.
    #[config(env = "IZANAGI_BUDGET_WORK_BYTES", default = "128MiB", deserialize_with = size)]
    pub work_bytes: usize,

    /// Maximum number of documents loaded concurrently.
    #[config(env = "IZANAGI_BUDGET_LOADS", default = "2", deserialize_with = count)]
    pub loads: usize,

    /// Maximum number of documents in memory.
    #[config(env = "IZANAGI_BUDGET_ROOMS", default = "10000", deserialize_with = count)]
    pub rooms: usize,

    /// Maximum estimated size of all documents in memory.
    #[config(env = "IZANAGI_BUDGET_ROOM_BYTES", default = "128MiB", deserialize_with = size)]
    pub room_bytes: usize,

    /// Maximum number of items (separate edits) of a document.
    #[config(env = "IZANAGI_BUDGET_DOCUMENT_ITEMS", default = "400000", deserialize_with = count)]
    pub document_items: usize,

    /// Maximum size of a document's editing state.
    #[config(env = "IZANAGI_BUDGET_DOCUMENT_BYTES", default = "48MiB", deserialize_with = size)]
    pub document_bytes: usize,
}

impl From<BudgetSettings> for budget::BudgetSettings {
    fn from(given: BudgetSettings) -> Self {
        let BudgetSettings { threads, queue, wait, body_bytes, work_bytes, .. } = given;
        let BudgetSettings { loads, rooms, room_bytes, document_items, document_bytes, .. } = given;
        Self {
            threads,
            queue,
            wait,
            body_bytes,
            work_bytes,
            loads,
            rooms,
            room_bytes,
            document_items,
            document_bytes,
        }
    }
}
