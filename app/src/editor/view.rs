//! The interface between an editing session and its page.

use super::{
    OpenedText,
    save::{TitleState, with_title},
};
use crate::words;
use izanagi_shared::{markdown::Counts, save_state::SaveState, sync::engine::Lateness};
use leptos::{html::Div, prelude::*};
use send_wrapper::SendWrapper;

/// A problem that prevents saving and that only the user can resolve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The session has ended.
    SignedOut,
    /// The document was moved to the trash.
    Trashed,
    /// The user may no longer edit the document.
    Forbidden,
    /// The document was deleted, or the user may no longer see it.
    Gone,
    /// Another user has signed in in this browser.
    OtherUser,
    /// The document was restored from an earlier state and lacks words of this page.
    Restored,
    /// This device has these words from before the document was restored.
    Former(String),
    /// The server rejects an edit, for this reason.
    Refused(String),
    /// The document is damaged, in these words. It is tried again until it is repaired.
    Damaged(String),
    /// The document cannot be edited, for this reason.
    ReadOnly(String),
    /// The editor could not be loaded.
    NotStarted,
}

impl Trouble {
    /// Returns whether the text is hidden, because its user is not signed in any more.
    #[must_use]
    pub const fn covers(&self) -> bool {
        matches!(self, Self::SignedOut | Self::OtherUser)
    }
}

/// What the user decides about words that the document lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Add them to the document.
    Add,
    /// Go on without them.
    Discard,
}

/// Returns a text.
pub type TextOf = Box<dyn Fn() -> String>;

/// Signals and elements shared by a session and its page.
#[derive(Debug, Clone, Copy)]
pub struct EditorView {
    /// Element in which the editor is mounted.
    pub host: NodeRef<Div>,
    /// Whether the preview lacks images of other hosts.
    pub lacks_images: RwSignal<bool>,
    /// Whether the preview lacks the rest of a text that is too long.
    pub is_cut: RwSignal<bool>,
    /// Whether the preview is visible.
    pub preview_on: RwSignal<bool>,
    /// Length of the text.
    pub counts: RwSignal<Counts>,
    /// Save state; `None` until the text can be edited.
    pub save: RwSignal<Option<SaveState>>,
    /// Where a changed title is.
    pub title_state: RwSignal<TitleState>,
    /// A title that was saved elsewhere, as the session learns it from the server.
    pub title_elsewhere: RwSignal<Option<String>>,
    /// Whether unsaved edits are stored on this device.
    pub is_kept: RwSignal<bool>,
    /// Whether there are edits that the server does not have.
    pub has_unsaved: RwSignal<bool>,
    /// What the user has just decided.
    pub answer: RwSignal<Option<Answer>>,
    /// Problem that prevents saving.
    pub trouble: RwSignal<Option<Trouble>>,
    /// Incremented when an edit is rejected because the text would be too long.
    pub too_long: RwSignal<u32>,
    /// How long edits have been waiting to be saved.
    pub lateness: RwSignal<Lateness>,
    /// Number of the newest version; 0 if there is none.
    pub head_version: RwSignal<u64>,
    /// Element in the head for the people here.
    pub people: NodeRef<Div>,
    /// Incremented when the user asks to send rejected edits again.
    pub retry: RwSignal<u32>,
    /// When this page committed last, in milliseconds since the Unix epoch.
    pub committed_at: StoredValue<f64>,
    /// Incremented when the user asks to commit.
    pub commit: RwSignal<u32>,
    /// Returns the editor's text, including rejected edits. Wrapped when the editor exists, in the
    /// browser only: thread-bound values must not exist in the server, where rendering moves
    /// between threads.
    pub text: StoredValue<Option<SendWrapper<TextOf>>>,
}

impl EditorView {
    /// Creates the view of a page with this text.
    #[must_use]
    pub fn new(opened: &OpenedText, counts: Counts) -> Self {
        Self {
            host: NodeRef::new(),
            lacks_images: RwSignal::new(opened.lacks_images),
            is_cut: RwSignal::new(opened.is_cut),
            preview_on: RwSignal::new(true),
            counts: RwSignal::new(counts),
            save: RwSignal::new(None),
            title_state: RwSignal::new(TitleState::Stored),
            title_elsewhere: RwSignal::new(None),
            is_kept: RwSignal::new(true),
            has_unsaved: RwSignal::new(false),
            answer: RwSignal::new(None),
            trouble: RwSignal::new(None),
            too_long: RwSignal::new(0),
            lateness: RwSignal::new(Lateness::None),
            head_version: RwSignal::new(opened.head_version),
            people: NodeRef::new(),
            retry: RwSignal::new(0),
            committed_at: StoredValue::new(0.0),
            commit: RwSignal::new(0),
            text: StoredValue::new(None),
        }
    }

    /// Returns the save state of text and title; `None` until the text can be edited.
    #[must_use]
    pub fn whole_state(self) -> Option<SaveState> {
        let text = match self.save.get()? {
            SaveState::Saved if self.has_former() => {
                SaveState::Refused { reason: words::reason_former() }
            }
            text => text,
        };
        Some(with_title(text, self.title_state.get()))
    }

    fn has_former(self) -> bool {
        self.trouble.with(|trouble| matches!(trouble, Some(Trouble::Former(_))))
    }

    /// Returns whether the text is hidden, because its user is not signed in any more.
    #[must_use]
    pub fn is_covered(self) -> bool {
        self.trouble.with(|trouble| trouble.as_ref().is_some_and(Trouble::covers))
    }

    /// Returns the editor's text; empty before there is an editor.
    #[must_use]
    pub fn current_text(self) -> String {
        self.text.with_value(|text| text.as_ref().map(|text| text()).unwrap_or_default())
    }
}
