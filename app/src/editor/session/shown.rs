//! What the page shows of the text besides the editor. The preview itself belongs to the editor
//! module: a worker renders it (`frontend/editor/preview.ts`).

use super::{
    bindings::get,
    open::{Session, with},
};
use izanagi_shared::markdown::Counts;
use leptos::prelude::*;
use std::rc::Rc;
use wasm_bindgen::{JsValue, closure::Closure};

impl Session {
    /// Starts the preview, which tells the session what it shows.
    pub(super) fn start_preview(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        let on_shown = Closure::<dyn Fn(JsValue)>::new(move |shown: JsValue| {
            with(&weak, |session| session.show(&shown));
        });
        self.module().start_preview(&on_shown);
        // It lives as long as the page.
        on_shown.forget();
    }

    fn show(&self, shown: &JsValue) {
        let number = |name| {
            let number = get(shown, name).as_f64().unwrap_or_default();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "counts of a text of 10 MiB"
            )]
            let number = number as usize;
            number
        };
        let counts = Counts { words: number("words"), characters: number("characters") };
        // Signals are disposed once the page has been left.
        let _ = self.view.counts.try_set(counts);
        let _ = self.view.lacks_images.try_set(get(shown, "lacksImages").is_truthy());
        let _ = self.view.is_cut.try_set(get(shown, "isCut").is_truthy());
    }
}
