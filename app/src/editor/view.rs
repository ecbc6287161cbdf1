//! What a page shows of an editing session, and what it asks of one.

use izanagi_shared::{markdown::Counts, save_state::SaveState};
use leptos::{
    html::{Div, Section},
    prelude::*,
};
use send_wrapper::SendWrapper;

/// Something that keeps edits from being saved and that only a person can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The sign-in has ended.
    SignedOut,
    /// The server refuses an edit, for this reason.
    Refused(String),
    /// The editor could not be loaded.
    NotStarted,
}

/// Reads a text.
pub type TextOf = Box<dyn Fn() -> String>;

/// The places of the page that a session fills, and the wishes it hears.
#[derive(Debug, Clone, Copy)]
pub struct EditorView {
    /// Where the editor is mounted.
    pub host: NodeRef<Div>,
    /// The box in which the preview scrolls.
    pub preview_pane: NodeRef<Section>,
    /// The text as HTML, a moment after it was typed.
    pub preview: RwSignal<String>,
    /// Whether the preview is seen; it is not rendered unseen.
    pub preview_on: RwSignal<bool>,
    /// How long the text is.
    pub counts: RwSignal<Counts>,
    /// Whether what was typed is safe; `None` as long as nothing can be typed.
    pub save: RwSignal<Option<SaveState>>,
    /// Whether this device has kept what the server has not.
    pub is_kept: RwSignal<bool>,
    /// What keeps it from being saved.
    pub trouble: RwSignal<Option<Trouble>>,
    /// Goes up when an edit was refused because the text would be too long.
    pub too_long: RwSignal<u32>,
    /// Goes up when somebody wants the refused edits to be sent again.
    pub retry: RwSignal<u32>,
    /// Goes up when somebody wants to commit.
    pub commit: RwSignal<u32>,
    /// The text as it is in the editor, refused edits included. Wrapped when there is one, in the
    /// browser: what is bound to a thread must not exist in the server, where pages wander.
    pub text: StoredValue<Option<SendWrapper<TextOf>>>,
}

impl EditorView {
    /// A page with this text.
    #[must_use]
    pub fn new(preview: String, counts: Counts) -> Self {
        Self {
            host: NodeRef::new(),
            preview_pane: NodeRef::new(),
            preview: RwSignal::new(preview),
            preview_on: RwSignal::new(true),
            counts: RwSignal::new(counts),
            save: RwSignal::new(None),
            is_kept: RwSignal::new(true),
            trouble: RwSignal::new(None),
            too_long: RwSignal::new(0),
            retry: RwSignal::new(0),
            commit: RwSignal::new(0),
            text: StoredValue::new(None),
        }
    }

    /// The text as it is in the editor; empty before there is one.
    #[must_use]
    pub fn current_text(self) -> String {
        self.text.with_value(|text| text.as_ref().map(|text| text()).unwrap_or_default())
    }
}
