use super::{Icon, isolate_quoted};
use crate::{
    api::documents::RestoreDocument,
    flash::Notice,
    writes::{Toast, Writes},
};
use leptos::{form::ActionForm, prelude::*};
use std::time::Duration;

/// How long a toast stays; long enough to reach its button by keyboard (WCAG 2.2.1 asks for 20 s).
const STAYS: Duration = Duration::from_secs(20);

/// What there is to say, at the edge of the page; the page's polite live region.
#[component]
pub(crate) fn Toasts() -> impl IntoView {
    let writes = Writes::here();
    let toasts = writes.toasts();
    // It outlives the toast that its button stands in.
    let undo = writes.button_action::<RestoreDocument>();
    view! {
        <div class="toasts" role="status">
            <For each=move || toasts.get() key=|toast| toast.id let(toast)>
                <ToastView toast undo/>
            </For>
        </div>
    }
}

#[component]
fn ToastView(toast: Toast, undo: ServerAction<RestoreDocument>) -> impl IntoView {
    let writes = Writes::here();
    let Toast { id, notice: Notice { notice, link, undo_trash }, is_problem, times, .. } = toast;
    let again =
        (times > 1).then(|| view! { <span class="soft">{format!(" ({times} times)")}</span> });
    let dismiss = move || writes.toasts().update(|toasts| toasts.retain(|toast| toast.id != id));
    if !is_problem {
        Effect::new(move || {
            let timer = set_timeout_with_handle(dismiss, STAYS);
            on_cleanup(move || {
                if let Ok(timer) = timer {
                    timer.clear();
                }
            });
        });
    }
    let undo = undo_trash.map(|document| {
        view! {
            <ActionForm action=undo>
                <input type="hidden" name="id" value=document.to_string()/>
                <button class="button" data-variant="quiet" on:click=move |_| set_timeout(dismiss, Duration::ZERO)>
                    <Icon name="restore"/>
                    "Undo"
                </button>
            </ActionForm>
        }
    });
    view! {
        <div class="toast">
            <p>{isolate_quoted(&notice)} {again}</p>
            {link.map(|path| view! { <a class="button" data-variant="quiet" href=path>"Open"</a> })}
            {undo}
            <button
                class="icon-button"
                data-variant="quiet"
                type="button"
                aria-label="Dismiss"
                on:click=move |_| dismiss()
            >
                <Icon name="close"/>
            </button>
        </div>
    }
}
