use super::{EditorView, title::TitleForm, without_count};
use crate::{
    parts::{Announcement, Icon},
    words,
};
use izanagi_shared::{id::DocumentId, rules::DocumentKind, save_state::SaveState};
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
    let state = move || view.whole_state();
    let save = move || match state() {
        Some(state) => words::save_state(&state),
        None if is_trashed || view.trouble.with(Option::is_some) => words::read_only(),
        // Once something is typed, the editor says that it is not saved (`frontend/editor/start.ts`).
        None => words::getting_ready(),
    };
    // A page that has just loaded has nothing to announce.
    let lasting = move || {
        let state = state().map_or(SaveState::Saved, without_count);
        words::save_state(&state)
    };
    let is_asleep = move || view.save.with(Option::is_none);
    let tab_button = move |name: &'static str, label: String| {
        view! {
            <button
                type="button"
                aria-pressed=move || if tab.get() == name { "true" } else { "false" }
                disabled=is_asleep
                on:click=move |_| tab.set(name)
            >
                {label}
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
                let details = format!("{path}/details");
                view! {
                    <TitleForm id title action=rename view/>
                    <a class="icon-button" data-variant="quiet" href=details aria-label=words::edit_details()>
                        <Icon name="info"/>
                    </a>
                }
                .into_any()
            }}
            <p class="save-state" data-state=move || state().map(|state| state.variant())>{save}</p>
            <Announcement topic=Signal::derive(lasting) text=Signal::derive(save)/>
            // Filled by the editor (`frontend/editor/peers/`).
            <div class="editor-people" node_ref=view.people></div>
            <div class="editor-tools" role="group" aria-label=words::document_tools()>
                {(kind != DocumentKind::Text).then(|| view! {
                    <div class="segmented pane-tabs" role="group" aria-label=words::view()>
                        {tab_button("write", words::write())}
                        {tab_button("preview", words::preview())}
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
                        {words::preview()}
                    </button>
                })}
                <a class="button" data-variant="quiet" href=format!("{path}/read")>
                    <Icon name="read"/>
                    {words::read()}
                </a>
                <a class="button" data-variant="quiet" href=format!("{path}/history")>
                    <Icon name="history"/>
                    {words::history()}
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
                    {words::commit()}
                </button>
            </div>
        </div>
    }
}
