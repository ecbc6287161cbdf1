//! WebAssembly bundle of the timeline. Its islands are exported functions
//! (`frontend/islands/hydrate.ts`).

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// Called by the page once this module and the texts of its language are loaded.
#[wasm_bindgen]
pub fn start(words: JsValue) {
    izanagi_app::words::set(words);
    leptos::mount::hydrate_islands();
    izanagi_app::browser::start();
}
