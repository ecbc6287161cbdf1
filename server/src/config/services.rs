//! Settings of the domain's services, and their one conversion into the domain's own structs.

use super::values::{count, duration, rate, size};
use izanagi_domain::{
    accounts::{self, Rate},
    live, services,
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

    /// Time from the first update that no snapshot holds to the next snapshot.
    #[config(
        env = "IZANAGI_LIVE_SNAPSHOT_AFTER", default = "60s", deserialize_with = duration
    )]
    pub snapshot_after: Duration,

    /// Time without a command after which a document leaves memory.
    #[config(env = "IZANAGI_LIVE_IDLE_AFTER", default = "2m", deserialize_with = duration)]
    pub idle_after: Duration,
}

impl From<ServiceSettings> for services::Settings {
    fn from(given: ServiceSettings) -> Self {
        let ServiceSettings { limits, live, password_hashes_at_once } = given;
        let LimitSettings { sign_in, sign_up, writes, reads } = limits;
        let LiveSettings { max_update_bytes, snapshot_updates, snapshot_after, idle_after } = live;
        Self {
            limits: accounts::LimitSettings { sign_in, sign_up, writes, reads },
            live: live::LiveSettings {
                max_update_bytes,
                snapshot_updates,
                snapshot_after,
                idle_after,
                ..live::LiveSettings::default()
            },
            password_hashes_at_once,
        }
    }
}
