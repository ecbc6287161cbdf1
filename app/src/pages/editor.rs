use super::address::document_id;
use crate::{
    api::documents::{OpenedDocument, RestoreDocument, open_document},
    components::{
        Alert, CommitDialog, CommitWithoutScript, Icon, Load, Main, TitleForm, TroubleAlert,
        counted, kind_name,
    },
    editor::EditorView,
    flash::Notice,
    platform::Platform,
    rendering::render_as,
    writes::Writes,
};
use izanagi_shared::{
    markdown,
    permission::{Action, Verdict, decide},
    rules::DocumentKind,
    wire::DocumentView,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;

/// The preview of a longer text comes once there is an editor: neither the server's other work nor
/// the first sight of the page waits for it. In bytes.
const RENDERED_AT_ONCE: usize = 256 * 1024;

/// As much of a text is there to read until there is an editor, or without JavaScript. In bytes.
const SHOWN_AT_ONCE: usize = 64 * 1024;

const TOO_LONG: &str =
    "A document can hold 10 MiB of text, and this would be more. Nothing was changed.";

/// `/documents/{id}`: the editor. Without JavaScript the text is there to read, and a form to
/// commit it.
#[component]
pub(crate) fn EditorPage() -> impl IntoView {
    let id = document_id();
    let opened = Resource::new(move || id.get(), |id| async move { open_document(id?).await });
    view! {
        <Load from=opened let:opened>
            {if decide(opened.standing, Action::Edit) == Verdict::Allowed {
                view! { <Editing opened/> }.into_any()
            } else {
                // Who may only read is better served by the page for reading.
                (Platform::here().redirect)(&format!("/documents/{}/read", opened.document.id));
                ().into_any()
            }}
        </Load>
    }
}

#[component]
fn Editing(opened: OpenedDocument) -> impl IntoView {
    let document = opened.document.clone();
    let text = opened.text();
    let preview = if text.len() <= RENDERED_AT_ONCE {
        render_as(document.kind, &text).html
    } else {
        String::new()
    };
    let view = EditorView::new(preview, markdown::counts(&text));
    let beginning = text[..text.floor_char_boundary(SHOWN_AT_ONCE)].to_owned();
    let is_cut = beginning.len() < text.len();
    Effect::new({
        let opened = StoredValue::new(Some(opened));
        move || {
            // Once: the session takes the document over.
            let host = view.host.get();
            if let Some(opened) = host.and_then(|_| opened.try_update_value(Option::take).flatten())
            {
                (Platform::here().edit)(opened, view);
            }
        }
    });
    let writes = Writes::here();
    Effect::new(move || {
        if view.too_long.get() > 0 {
            writes.say(Notice::new(TOO_LONG), true);
        }
    });
    let tab = RwSignal::new("write");
    let has_preview = document.kind != DocumentKind::Text;
    let preview_on = view.preview_on;
    preview_on.set(has_preview);
    let is_trashed = document.deleted_at.is_some();
    // Counted, not owned by the page: the server writes the head once that is done.
    let head_title = ArcRwSignal::new(document.title.clone());
    let title = RwSignal::from(head_title.clone());
    view! {
        <Title text=move || head_title.get()/>
        <Main
            class="editor-page"
            attr:data-tab=tab
            attr:data-preview=move || if preview_on.get() { "on" } else { "off" }
        >
            <h1 class="visually-hidden">"Edit “" <bdi>{title}</bdi> "”"</h1>
            <Head document=document.clone() title view tab has_preview/>
            {is_trashed.then(|| view! { <InTrash id=document.id.to_string()/> })}
            <TroubleAlert view title kind=document.kind/>
            {(!is_trashed).then(|| view! { <CommitWithoutScript id=document.id/> })}
            <div class="editor-panes">
                <section class="editor-pane" data-pane="write" aria-label="Text">
                    <div class="editor-host" node_ref=view.host>
                        <pre>{beginning}</pre>
                        {is_cut.then(|| view! {
                            <p class="editor-cut">
                                "This is the beginning of a long text. "
                                <a href=format!("/documents/{}/read", document.id)>"Read all of it"</a>
                            </p>
                        })}
                    </div>
                </section>
                <section class="editor-pane" data-pane="preview" aria-label="Preview" tabindex="0" node_ref=view.preview_pane>
                    <div class="prose" inner_html=view.preview></div>
                </section>
            </div>
            <div class="status-bar">
                <ul class="meta">
                    <li>{move || counted(view.counts.get().words as u64, "word", "words")}</li>
                    <li>{move || counted(view.counts.get().characters as u64, "character", "characters")}</li>
                </ul>
                <p>{kind_name(document.kind)}</p>
            </div>
            <CommitDialog id=document.id view/>
        </Main>
    }
}

/// Title, save state, and what can be done.
#[component]
fn Head(
    document: DocumentView,
    title: RwSignal<String>,
    view: EditorView,
    tab: RwSignal<&'static str>,
    has_preview: bool,
) -> impl IntoView {
    let path = format!("/documents/{}", document.id);
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
            {if document.deleted_at.is_some() {
                // Nothing is changed in the trash.
                view! { <p class="title-form title-shown"><bdi>{title}</bdi></p> }.into_any()
            } else {
                view! { <TitleForm id=document.id title/> }.into_any()
            }}
            <p class="save-state" role="status" data-state=move || state().map(|state| state.variant())>{words}</p>
            <div class="editor-tools" role="group" aria-label="Document">
                {has_preview.then(|| view! {
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

#[component]
fn InTrash(id: String) -> impl IntoView {
    let action = Writes::here().button_action::<RestoreDocument>();
    // The page was made for a document in the trash: it is made anew.
    Effect::new(move || {
        if action.value().with(|value| matches!(value, Some(Ok(_)))) {
            let _ = window().location().reload();
        }
    });
    view! {
        <Alert variant="warning">
            <p>"This document is in the trash. It can be read, but not changed."</p>
            <ActionForm action>
                <input type="hidden" name="id" value=id/>
                <button class="button">
                    <Icon name="restore"/>
                    "Restore"
                </button>
            </ActionForm>
        </Alert>
    }
}
