use leptos::prelude::*;
use std::time::Duration;

/// How long a text must last to be announced.
const LASTS: Duration = Duration::from_millis(1_500);

/// Announces a text that the page shows elsewhere to screen readers, once it has lasted, so that they
/// do not hear every change while the user types.
#[component]
pub fn Announcement(
    /// What the text is about. Only another topic is announced, and none twice in a row.
    topic: Signal<String>,
    /// The text.
    text: Signal<String>,
) -> impl IntoView {
    let spoken = RwSignal::new(String::new());
    let topic = Memo::new(move |_| topic.get());
    let last = StoredValue::new(topic.get_untracked());
    let timer = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move || {
        let topic = topic.get();
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        if last.with_value(|last| *last == topic) {
            return;
        }
        let announce = move || {
            last.set_value(topic);
            spoken.set(text.get_untracked());
        };
        timer.set_value(set_timeout_with_handle(announce, LASTS).ok());
    });
    view! { <p class="visually-hidden" role="status">{spoken}</p> }
}
