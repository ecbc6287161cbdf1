//! WebAssembly bundle of the editor page. Each island has its own exported function
//! (`frontend/islands/hydrate.ts`).

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once this module is loaded.
#[wasm_bindgen]
pub fn start() {
    leptos::mount::hydrate_islands();
    izanagi_app::browser::start();
}
