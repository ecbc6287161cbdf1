//! The WebAssembly entry: hands the page that the server rendered over to the app.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once this module has been compiled.
#[wasm_bindgen]
pub fn hydrate() {
    izanagi_app::browser::hydrate();
}
