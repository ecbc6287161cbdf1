use super::EditorView;
use crate::{browser, words};
use izanagi_shared::sync::engine::Lateness;
use leptos::prelude::*;

/// Says that edits have been waiting for a long time. It is below the text, which keeps its place.
#[component]
pub(super) fn UnsavedNotice(view: EditorView) -> impl IntoView {
    let level = Memo::new(move |_| {
        // What prevents saving is explained elsewhere.
        if view.trouble.with(Option::is_some) { Lateness::None } else { view.lateness.get() }
    });
    let is_very_late = move || level.get() == Lateness::VeryLate;
    let text = move || match (level.get(), view.is_kept.get()) {
        (Lateness::None | Lateness::Slow, _) => String::new(),
        (Lateness::Late, true) => words::unsaved_long_kept(),
        (Lateness::Late, false) => words::unsaved_long_unkept(),
        (Lateness::VeryLate, true) => words::unsaved_very_long_kept(),
        (Lateness::VeryLate, false) => words::unsaved_very_long_unkept(),
    };
    view! {
        <div
            class="unsaved-notice"
            role="status"
            data-level=move || match level.get() {
                Lateness::None | Lateness::Slow => None,
                Lateness::Late => Some("late"),
                Lateness::VeryLate => Some("high"),
            }
        >
            <p>{text}</p>
            <button
                class="button"
                type="button"
                hidden=move || !is_very_late()
                on:click=move |_| browser::copy(view.current_text())
            >
                {words::copy_text()}
            </button>
        </div>
    }
}
