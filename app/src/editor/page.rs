use super::{EditorView, commit::CommitDialog, head::Head, session, trouble::TroubleAlert};
use crate::{
    flash::Notice,
    parts::{Alert, Icon, counted, kind_name},
    toasts::{Message, say},
};
use izanagi_shared::{
    id::{DocumentId, UserId},
    markdown::Counts,
    rules::DocumentKind,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

const TOO_LONG: &str =
    "A document can hold 10 MiB of text, and this would be more. Nothing was changed.";

/// A document as the editor takes it over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedText {
    /// Which document.
    pub id: DocumentId,
    /// Its title.
    pub title: String,
    /// What its text is.
    pub kind: DocumentKind,
    /// It lies in the trash, and so can only be read.
    pub is_trashed: bool,
    /// The whole CRDT state: a Yjs update (v1) in base64.
    pub state_b64: String,
    /// The last update in that state.
    pub seq: u64,
    /// Who opened it, if anybody is signed in.
    pub user: Option<UserId>,
    /// How many words the text has.
    pub words: usize,
    /// How many characters it has.
    pub characters: usize,
    /// Where a new title is sent.
    pub rename: String,
    /// Where the button that takes it out of the trash is sent.
    pub restore: String,
    /// Where the message of a version is sent.
    pub commit: String,
}

/// What only the server draws: as context, so that it is not sent a second time for hydration,
/// which leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct EditorHtml {
    /// The beginning of the text, until there is an editor.
    pub text: String,
    /// The text rendered.
    pub preview: String,
    /// A form that commits without JavaScript.
    pub without_script: String,
}

/// The page around the text: its title, the editor, the preview, committing.
#[island]
pub fn Editor(opened: OpenedText) -> impl IntoView {
    let EditorHtml { text, preview, without_script } = use_context().unwrap_or_default();
    let OpenedText { id, kind, is_trashed, words, characters, .. } = opened.clone();
    let view = EditorView::new(preview, Counts { words, characters });
    let title = RwSignal::new(opened.title.clone());
    let (rename, restore) = (opened.rename.clone(), opened.restore.clone());
    let commit = opened.commit.clone();
    Effect::new({
        let opened = StoredValue::new(Some(opened));
        move || {
            // Once: the session takes the document over.
            let host = view.host.get();
            if let Some(opened) = host.and_then(|_| opened.try_update_value(Option::take).flatten())
            {
                session::start(opened, view);
            }
        }
    });
    Effect::new(move || {
        if view.too_long.get() > 0 {
            say(Message { notice: Notice::new(TOO_LONG), is_problem: true, kind: None });
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
            data-preview=move || if preview_on.get() { "on" } else { "off" }
        >
            <h1 class="visually-hidden">"Edit “" <bdi>{title}</bdi> "”"</h1>
            <Head id kind is_trashed title rename view tab/>
            {is_trashed.then(|| view! { <InTrash id=id.to_string() restore/> })}
            <TroubleAlert view title kind/>
            <noscript inner_html=without_script></noscript>
            <div class="editor-panes">
                <section class="editor-pane" data-pane="write" aria-label="Text">
                    <div class="editor-host" node_ref=view.host inner_html=text></div>
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
                <p>{kind_name(kind)}</p>
            </div>
            <CommitDialog id view action=commit/>
        </main>
    }
}

#[component]
fn InTrash(id: String, restore: String) -> impl IntoView {
    view! {
        <Alert variant="warning">
            <p>"This document is in the trash. It can be read, but not changed."</p>
            <form method="post" action=restore data-send="">
                <input type="hidden" name="id" value=id/>
                <button class="button">
                    <Icon name="restore"/>
                    "Restore"
                </button>
            </form>
        </Alert>
    }
}
