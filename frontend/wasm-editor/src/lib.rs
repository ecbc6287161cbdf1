//! The WebAssembly of the editor's page. Each island exports a function of its own
//! (`frontend/islands/hydrate.ts`).

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once this module has been compiled.
#[wasm_bindgen]
pub fn start() {
    leptos::mount::hydrate_islands();
    izanagi_app::browser::start();
}
