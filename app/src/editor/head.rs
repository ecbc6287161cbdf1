use super::{EditorView, title::TitleForm};
use crate::parts::Icon;
use izanagi_shared::{id::DocumentId, rules::DocumentKind};
use leptos::prelude::*;

/// Title, save state and actions.
#[component]
pub(super) fn Head(
    id: DocumentId,
    kind: DocumentKind,
    is_trashed: bool,
    title: RwSignal<String>,
    rename: String,
    view: EditorView,
    tab: RwSignal<&'static str>,
) -> impl IntoView {
    let path = format!("/documents/{id}");
    let state = move || view.save.get();
    let words = move || state().map_or_else(|| "Read only".to_owned(), |state| state.words());
    let is_asleep = move || view.save.with(Option::is_none);
    let tab_button = move |name: &'static str, words: &'static str| {
        view! {
            <button
                type="button"
                aria-pressed=move || if tab.get() == name { "true" } else { "false" }
                disabled=is_asleep
                on:click=move |_| tab.set(name)
            >
                {words}
            </button>
        }
    };
    let preview_on = view.preview_on;
    view! {
        <div class="editor-head">
            {if is_trashed {
                // A document in the trash is read-only.
                view! { <p class="title-form title-shown"><bdi>{title}</bdi></p> }.into_any()
            } else {
                view! { <TitleForm id title action=rename/> }.into_any()
            }}
            <p class="save-state" role="status" data-state=move || state().map(|state| state.variant())>{words}</p>
            <div class="editor-tools" role="group" aria-label="Document">
                {(kind != DocumentKind::Text).then(|| view! {
                    <div class="segmented pane-tabs" role="group" aria-label="View">
                        {tab_button("write", "Write")}
                        {tab_button("preview", "Preview")}
                    </div>
                    <button
                        class="button preview-toggle"
                        data-variant="quiet"
                        type="button"
                        aria-pressed=move || if preview_on.get() { "true" } else { "false" }
                        disabled=is_asleep
                        on:click=move |_| preview_on.update(|on| *on = !*on)
                    >
                        <Icon name="preview"/>
                        "Preview"
                    </button>
                })}
                <a class="button" data-variant="quiet" href=format!("{path}/read")>
                    <Icon name="read"/>
                    "Read"
                </a>
                <a class="button" data-variant="quiet" href=format!("{path}/history")>
                    <Icon name="history"/>
                    "History"
                </a>
                <button
                    class="button"
                    data-variant="primary"
                    type="button"
                    aria-keyshortcuts="Control+S Meta+S"
                    disabled=is_asleep
                    on:click=move |_| view.commit.update(|asked| *asked += 1)
                >
                    <Icon name="commit"/>
                    "Commit"
                </button>
            </div>
        </div>
    }
}
