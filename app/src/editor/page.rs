use super::{
    EditorView, commit::CommitDialog, head::Head, session, trouble::TroubleAlert,
    unsaved_notice::UnsavedNotice,
};
use crate::{
    flash::Notice,
    parts::{Alert, Icon, kind_name},
    toasts::{Message, say},
    words::{self, around},
};
use izanagi_shared::{
    id::{DocumentId, UserId},
    markdown::Counts,
    rules::DocumentKind,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// A document as passed to the editor, which fetches the state of the text itself (`state_path`): the
/// page already has the text to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedText {
    /// Id of the document.
    pub id: DocumentId,
    /// Title.
    pub title: String,
    /// Format of its text.
    pub kind: DocumentKind,
    /// Whether it is in the trash, and therefore read-only.
    pub is_trashed: bool,
    /// Revision of the metadata.
    pub revision: u64,
    /// Length of the text in bytes.
    pub length: usize,
    /// The signed-in user, if any.
    pub user: Option<UserId>,
    /// The name by which others see the user.
    pub user_name: String,
    /// Number of the newest version; 0 if there is none.
    pub head_version: u64,
    /// Whether the preview lacks images of other hosts.
    pub lacks_images: bool,
    /// Whether the preview lacks the rest of a text that is too long.
    pub is_cut: bool,
    /// Whether some of the preview is not in the page.
    pub is_partial: bool,
    /// Number of words in the text.
    pub words: usize,
    /// Number of characters in the text.
    pub characters: usize,
    /// URL for changing the title.
    pub rename: String,
    /// URL for restoring from the trash.
    pub restore: String,
    /// URL for committing a version.
    pub commit: String,
}

/// Content rendered only by the server. It is passed as context, so that it is not serialised for
/// hydration, which leaves this markup unchanged.
#[derive(Debug, Clone, Default)]
pub struct EditorHtml {
    /// The text, shown until the editor has loaded.
    pub text: String,
    /// What the editor needs besides, as JSON.
    pub start: String,
    /// The first screen of the preview.
    pub preview: String,
    /// Form that commits without JavaScript.
    pub without_script: String,
}

/// The area around the text: title, editor, preview, committing.
#[island]
pub fn Editor(opened: OpenedText) -> impl IntoView {
    let EditorHtml { text, start, preview, without_script } = use_context().unwrap_or_default();
    let OpenedText { id, kind, is_trashed, words, characters, .. } = opened.clone();
    let opened_partially = opened.is_partial;
    let view = EditorView::new(&opened, Counts { words, characters });
    let with_images = format!("/documents/{id}?images=1");
    let title = RwSignal::new(opened.title.clone());
    let (rename, restore) = (opened.rename.clone(), opened.restore.clone());
    let restore_path = restore.clone();
    let commit = opened.commit.clone();
    Effect::new({
        let opened = StoredValue::new(Some(opened));
        move || {
            // Only once: the session takes ownership of the document.
            let host = view.host.get();
            if let Some(opened) = host.and_then(|_| opened.try_update_value(Option::take).flatten())
            {
                session::start(opened, view);
            }
        }
    });
    Effect::new(move || {
        if view.too_long.get() > 0 {
            say(Message { notice: Notice::new(words::too_long()), is_problem: true, kind: None });
        }
    });
    let tab = RwSignal::new("write");
    let has_preview = kind != DocumentKind::Text;
    let preview_on = view.preview_on;
    preview_on.set(has_preview);
    view! {
        <main
            id="main"
            class="editor-page"
            tabindex="-1"
            data-tab=tab
            data-covered=move || view.is_covered().then_some("")
            data-preview=move || if preview_on.get() { "on" } else { "off" }
        >
            <h1 class="visually-hidden">{around(&words::edit_title(), view! { <bdi>{title}</bdi> })}</h1>
            <Head id kind is_trashed title rename view tab/>
            {is_trashed.then(|| view! { <InTrash id=id.to_string() restore/> })}
            <TroubleAlert id view title kind restore=restore_path/>
            <noscript inner_html=without_script></noscript>
            <div class="editor-panes">
                <section class="editor-pane" data-pane="write" aria-label=words::text_area()>
                    <div class="editor-host" node_ref=view.host data-start=start inner_html=text></div>
                </section>
                <section class="editor-pane" data-pane="preview" aria-label=words::preview() tabindex="0">
                    // Hidden rather than left out, so that hydration finds the same elements.
                    <p class="preview-note" hidden=move || !view.lacks_images.get()>
                        {words::images_left_out()} " " <a href=with_images>{words::load_images()}</a>
                    </p>
                    // Later shown and hidden by the preview (`frontend/editor/parts.ts`).
                    <p class="preview-note" data-show-all="" hidden=!opened_partially>
                        {words::parts_left_out()} " " <button class="button" type="button">{words::show_all()}</button>
                    </p>
                    <div class="prose" data-kind=kind.as_str() inner_html=preview></div>
                    <p class="preview-note" hidden=move || !view.is_cut.get()>{words::truncated()}</p>
                </section>
            </div>
            <UnsavedNotice view/>
            <div class="status-bar">
                <ul class="meta">
                    <li>{move || words::words(view.counts.get().words as u64)}</li>
                    <li>{move || words::characters(view.counts.get().characters as u64)}</li>
                    <li>{move || version_now(view.head_version.get())}</li>
                </ul>
                <p>{kind_name(kind)}</p>
            </div>
            <CommitDialog id view action=commit/>
        </main>
    }
}

fn version_now(number: u64) -> String {
    if number == 0 { words::no_version() } else { words::version_now(&number.to_string()) }
}

#[component]
fn InTrash(id: String, restore: String) -> impl IntoView {
    view! {
        <Alert variant="warning">
            <p>{words::in_trash()}</p>
            <form method="post" action=restore data-send="">
                <input type="hidden" name="id" value=id/>
                <button class="button">
                    <Icon name="restore"/>
                    {words::restore()}
                </button>
            </form>
        </Alert>
    }
}
