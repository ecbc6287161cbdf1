//! What the editor's page has for the editor before its WebAssembly is loaded
//! (`frontend/editor/start.ts`).

use crate::{
    catalogue::{documents as t, language},
    editor::state_path,
    words::{self, PHRASE_TEXTS, markdown_labels},
};
use izanagi_shared::{
    id::{DocumentId, UserId},
    markdown::{Parts, Place, RenderOptions, escape_text},
    rules::{DocumentKind, MAX_CONTENT_BYTES},
    text::utf16::utf16_len,
};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The server renders a preview only up to this length; of a longer text, it is rendered once the
/// editor has loaded, so that it delays neither this page nor other requests. In bytes.
const RENDERED_AT_ONCE: usize = 256 * 1024;

/// About how many lines of the preview are part of the page: what fits on a tall screen.
const LINES_AT_ONCE: u32 = 150;

/// Number of parts from which some are not in the page (`frontend/editor/parts.ts`).
const MANY: usize = 8;

/// How much of a text is laid out until the editor has loaded. In bytes.
const SHOWN_AT_ONCE: usize = 64 * 1024;

/// Returns the text as HTML: its beginning, which is shown until the editor has loaded, and the rest,
/// which is shown without JavaScript. The editor takes the text from here, so nothing in it may get
/// lost: a parser removes the first line feed, and carriage returns that are not written as
/// references.
pub(super) fn text_html(id: DocumentId, text: &str) -> String {
    let escape = |text: &str| escape_text(text).replace('\r', "&#13;");
    let most = text.floor_char_boundary(SHOWN_AT_ONCE);
    let end =
        if most == text.len() { most } else { text[..most].rfind('\n').map_or(most, |at| at + 1) };
    let (beginning, rest) = text.split_at(end);
    let mut html = format!("<pre dir=\"auto\">\n{}</pre>", escape(beginning));
    if !rest.is_empty() {
        html.push_str(&format!(
            "<p class=\"editor-cut\">{} <a href=\"/documents/{id}/read\">{}</a></p>\
             <pre class=\"editor-rest\" dir=\"auto\">\n{}</pre>",
            t::beginning(),
            t::read_all(),
            escape(rest),
        ));
    }
    html
}

/// The preview as part of the page.
#[derive(Default)]
pub(super) struct FirstScreen {
    pub(super) html: String,
    /// Whether the preview will have so many parts that some are not in the page.
    pub(super) is_partial: bool,
    pub(super) lacks_images: bool,
    pub(super) is_cut: bool,
}

/// Renders the first screen of a preview.
pub(super) fn first_screen(kind: DocumentKind, text: &str, outside_images: bool) -> FirstScreen {
    if kind == DocumentKind::Text || text.len() > RENDERED_AT_ONCE {
        let is_partial = kind != DocumentKind::Text;
        return FirstScreen { is_partial, ..FirstScreen::default() };
    }
    let options =
        RenderOptions { labels: markdown_labels(), outside_images, ..RenderOptions::default() };
    let parts = Parts::new(kind, text, options);
    let mut before = 0;
    let is_first = |place: &Place| {
        before += place.lines;
        before - place.lines < LINES_AT_ONCE
    };
    let ids: HashSet<u32> = parts.list().take_while(is_first).map(|place| place.id).collect();
    let html = parts.html(&ids).into_iter();
    FirstScreen {
        is_partial: parts.list().count() >= MANY,
        html: html.map(|(_, html)| format!("<div class=\"part\">{html}</div>")).collect(),
        lacks_images: parts.has_outside_images(),
        is_cut: parts.is_cut(),
    }
}

/// A document for the editor.
pub(super) struct Start<'a> {
    pub(super) id: DocumentId,
    pub(super) user: Option<UserId>,
    pub(super) title: &'a str,
    pub(super) kind: DocumentKind,
    pub(super) text: &'a str,
    pub(super) is_read_only: bool,
    pub(super) outside_images: bool,
}

/// Returns what the editor needs besides the text, as JSON.
pub(super) fn start_json(start: &Start<'_>) -> String {
    let index = language().index();
    let phrases = PHRASE_TEXTS.iter().map(|it| (it.key.to_owned(), it.texts[index].into()));
    let labels = markdown_labels();
    json!({
        "documentId": start.id,
        "userId": start.user.map(|user| user.to_string()).unwrap_or_default(),
        "kind": start.kind.as_str(),
        "length": utf16_len(start.text),
        "readOnly": start.is_read_only,
        "outsideImages": start.outside_images,
        "maxBytes": MAX_CONTENT_BYTES,
        "state": state_path(start.id),
        "label": words::text_of(start.title),
        "placeholder": words::editor_placeholder(),
        "leaveHint": words::editor_leave_hint(),
        "failure": words::editor_failed(),
        "notSaved": words::not_saved_yet(),
        "phrases": phrases.collect::<Map<String, Value>>(),
        "labels": [
            labels.table, labels.task_done, labels.task_open, labels.footnotes, labels.footnote_back,
        ],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::in_english;

    #[test]
    fn a_text_is_in_the_page_once_and_whole() {
        let id = DocumentId(Default::default());
        let text = "\n<a>\r\n".to_owned() + &"words and more words\n".repeat(10_000) + "end";
        let html = in_english(|| text_html(id, &text));
        assert!(html.starts_with("<pre dir=\"auto\">\n\n&lt;a&gt;&#13;\n"));
        assert!(html.ends_with("end</pre>"));
        assert!(html.len() < text.len() + 500);
        assert_eq!(html.matches("<pre").count(), 2);
    }

    #[test]
    fn a_long_preview_is_not_in_the_page() {
        let text = "A paragraph.\n\n".repeat(10_000);
        let screen = in_english(|| first_screen(DocumentKind::Markdown, &text, false));
        let paragraphs = screen.html.matches("<p").count();
        assert!((100..1_000).contains(&paragraphs), "{paragraphs}");
    }
}
