//! Settings of the domain's services, and their one conversion into the domain's own structs.

use super::values::{count, duration, rate, size};
use izanagi_domain::{
    accounts::{self, Rate},
    budget, live, services,
};
use std::time::Duration;

/// Settings of the domain's services.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct ServiceSettings {
    /// How often clients may ask.
    #[config(nested)]
    pub limits: LimitSettings,

    /// Live editing.
    #[config(nested)]
    pub live: LiveSettings,

    /// How much work may be in progress.
    #[config(nested)]
    pub budget: BudgetSettings,

    /// Passwords hashed at the same time, 19 MiB of memory each.
    #[config(
        env = "IZANAGI_LIMITS_PASSWORD_HASHES_AT_ONCE", default = "2", deserialize_with = count
    )]
    pub password_hashes_at_once: usize,
}

/// How often clients may ask.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct LimitSettings {
    /// Sign-ins to an account from an address.
    #[config(env = "IZANAGI_LIMITS_SIGN_IN", default = "10/60s", deserialize_with = rate)]
    pub sign_in: Rate,

    /// Sign-ups from an address.
    #[config(env = "IZANAGI_LIMITS_SIGN_UP", default = "20/1h", deserialize_with = rate)]
    pub sign_up: Rate,

    /// Writes of a user.
    #[config(
        env = "IZANAGI_LIMITS_WRITES", default = "50/1s burst 2000", deserialize_with = rate
    )]
    pub writes: Rate,

    /// Reads of a user.
    #[config(
        env = "IZANAGI_LIMITS_READS", default = "200/1s burst 2000", deserialize_with = rate
    )]
    pub reads: Rate,
}

/// Live editing.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct LiveSettings {
    /// Largest update from a client.
    #[config(env = "IZANAGI_LIMITS_UPDATE_BYTES", default = "1MiB", deserialize_with = size)]
    pub max_update_bytes: usize,

    /// Updates after which a document gets a snapshot.
    #[config(
        env = "IZANAGI_LIVE_SNAPSHOT_UPDATES", default = "200", deserialize_with = count
    )]
    pub snapshot_updates: u64,

    /// Bytes of updates after which a document gets a snapshot.
    #[config(env = "IZANAGI_LIVE_SNAPSHOT_BYTES", default = "4MiB", deserialize_with = size)]
    pub snapshot_bytes: usize,

    /// Time from the first update that no snapshot holds to the next snapshot.
    #[config(
        env = "IZANAGI_LIVE_SNAPSHOT_AFTER", default = "60s", deserialize_with = duration
    )]
    pub snapshot_after: Duration,

    /// Time without a command after which a document leaves memory.
    #[config(env = "IZANAGI_LIVE_IDLE_AFTER", default = "2m", deserialize_with = duration)]
    pub idle_after: Duration,

    /// Time that edits are kept for replay after a snapshot holds them.
    #[config(env = "IZANAGI_LIVE_KEEP_EDITS", default = "365d", deserialize_with = duration)]
    pub keep_edits: Duration,
}

impl From<ServiceSettings> for services::Settings {
    fn from(given: ServiceSettings) -> Self {
        let ServiceSettings { limits, live, budget, password_hashes_at_once } = given;
        let LimitSettings { sign_in, sign_up, writes, reads } = limits;
        let LiveSettings {
            max_update_bytes,
            snapshot_updates,
            snapshot_bytes,
            snapshot_after,
            idle_after,
            keep_edits,
        } = live;
        Self {
            limits: accounts::LimitSettings { sign_in, sign_up, writes, reads },
            live: live::LiveSettings {
                max_update_bytes,
                snapshot_updates,
                snapshot_bytes,
                snapshot_after,
                idle_after,
                keep_edits,
                ..live::LiveSettings::default()
            },
            budget: budget.into(),
            password_hashes_at_once,
        }
    }
}

/// How much work may be in progress.
#[derive(Debug, Clone, Copy, confique::Config)]
pub struct BudgetSettings {
    /// Threads for long work such as comparing and rendering. They run at low priority.
    #[config(env = "IZANAGI_BUDGET_THREADS", default = "8", deserialize_with = count)]
    pub threads: usize,

    /// Jobs that may wait for a thread.
    #[config(env = "IZANAGI_BUDGET_QUEUE", default = "512", deserialize_with = count)]
    pub queue: usize,

    /// Time a request waits for a budget before it is refused with 503.
    #[config(env = "IZANAGI_BUDGET_WAIT", default = "5s", deserialize_with = duration)]
    pub wait: Duration,

    /// Bytes of request bodies in flight.
    #[config(env = "IZANAGI_BUDGET_BODY_BYTES", default = "96MiB", deserialize_with = size)]
    pub body_bytes: usize,

    /// Bytes that comparing, rendering, creating and committing may hold.
    #[config(env = "IZANAGI_BUDGET_WORK_BYTES", default = "192MiB", deserialize_with = size)]
    pub work_bytes: usize,

    /// Documents that may be loaded at the same time.
    #[config(env = "IZANAGI_BUDGET_LOADS", default = "2", deserialize_with = count)]
    pub loads: usize,

    /// Documents in memory.
    #[config(env = "IZANAGI_BUDGET_ROOMS", default = "10000", deserialize_with = count)]
    pub rooms: usize,

    /// Estimated bytes of all documents in memory.
    #[config(env = "IZANAGI_BUDGET_ROOM_BYTES", default = "256MiB", deserialize_with = size)]
    pub room_bytes: usize,

    /// Separate edits that a document may consist of.
    #[config(env = "IZANAGI_BUDGET_DOCUMENT_ITEMS", default = "400000", deserialize_with = count)]
    pub document_items: usize,

    /// Bytes of the editing state of a document.
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
