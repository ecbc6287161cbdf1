//! Randomness and time of the browser.

use js_sys::Date;
use leptos::prelude::{TimeoutHandle, set_timeout_with_handle, window};
use std::time::Duration;

/// Random bytes. Falls back on nothing: every browser that runs WebAssembly has them.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if let Ok(crypto) = window().crypto() {
        // Refused only for more than 64 KiB.
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes
}

/// A client id that no other replica has (`1..=u32::MAX`).
pub(super) fn random_client_id() -> u64 {
    u64::from(u32::from_le_bytes(random())).max(1)
}

/// An id that nobody else makes: 128 random bits in hex.
pub(super) fn random_id() -> String {
    random::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// From 0 to 1.
pub(super) fn jitter() -> f64 {
    f64::from(u32::from_le_bytes(random())) / f64::from(u32::MAX)
}

/// Milliseconds since the epoch.
pub(super) fn now() -> f64 {
    Date::now()
}

/// Calls something later, unless the handle is cleared.
pub(super) fn later(after: Duration, call: impl FnOnce() + 'static) -> Option<TimeoutHandle> {
    set_timeout_with_handle(call, after).ok()
}
