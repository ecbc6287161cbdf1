//! Randomness and time from the browser.

use izanagi_shared::sync::engine::Moment;
use js_sys::Date;
use leptos::prelude::{TimeoutHandle, set_timeout_with_handle, window};
use std::time::Duration;

/// Returns random bytes. There is no fallback, because every browser with WebAssembly has them.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Ok(crypto) = window().crypto() {
        // Fails only above 64 KiB.
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes
}

/// Returns a random client id (`1..=u32::MAX`).
pub(super) fn random_client_id() -> u64 {
    u64::from(u32::from_le_bytes(random())).max(1)
}

/// Returns a unique id: 128 random bits in hex.
pub(super) fn random_id() -> String {
    random::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a random number from 0 to 1.
pub(super) fn jitter() -> f64 {
    f64::from(u32::from_le_bytes(random())) / f64::from(u32::MAX)
}

/// Returns milliseconds since the Unix epoch.
pub(super) fn now() -> f64 {
    Date::now()
}

/// Returns the time since the page was opened, and a random number, for the engine.
pub(super) fn moment() -> Moment {
    let now = window().performance().map(|it| it.now()).unwrap_or_default();
    Moment { now: Duration::from_secs_f64(now / 1_000.0), jitter: jitter() }
}

/// Calls a function later, unless the handle is cleared.
pub(super) fn later(after: Duration, call: impl FnOnce() + 'static) -> Option<TimeoutHandle> {
    set_timeout_with_handle(call, after).ok()
}
