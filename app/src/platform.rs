//! What pages ask of the place they run in. The server and the browser each provide one of these
//! as context; pages know neither, and so have one source for both.

use crate::{api::documents::OpenedDocument, editor::EditorView, flash::Flash, upload::Uploads};
use izanagi_shared::time::Timestamp;
use leptos::{prelude::*, web_sys::FileList};

/// The functions of a place. What a place cannot do, it leaves as in [`Platform::NOWHERE`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Platform {
    /// Sets the HTTP status of the page being rendered.
    pub(crate) set_status: fn(u16),
    /// Leads to another own path: 303 from the server, navigation in the browser.
    pub(crate) redirect: fn(&str),
    /// What the page has to say once; only the server knows before the first rendering.
    pub(crate) take_flash: fn() -> Option<Flash>,
    /// A title as the page's head takes it: the server writes it into markup, as it is.
    pub(crate) title: fn(String) -> String,
    /// Markup as text, for `noscript`. A browser that runs this has no use for it.
    pub(crate) markup: fn(AnyView) -> String,
    /// A time in the reader's zone and words.
    pub(crate) local_time: fn(Timestamp) -> Option<String>,
    /// Makes an editor out of the page that was rendered for one.
    pub(crate) edit: fn(OpenedDocument, EditorView),
    /// Sends files, one request each.
    pub(crate) upload: fn(FileList, Uploads),
    /// Puts a text on the clipboard.
    pub(crate) copy: fn(String),
    /// Gives a text to the person as a file of this name.
    pub(crate) save_file: fn(&str, &str),
}

impl Platform {
    /// A place that can do nothing: where routes are listed, and tests.
    pub(crate) const NOWHERE: Self = Self {
        set_status: |_| {},
        redirect: |_| {},
        take_flash: || None,
        title: |title| title,
        markup: |_| String::new(),
        local_time: |_| None,
        edit: |_, _| {},
        upload: |_, _| {},
        copy: |_| {},
        save_file: |_, _| {},
    };

    /// The place that this runs in.
    #[must_use]
    pub(crate) fn here() -> Self {
        use_context().unwrap_or(Self::NOWHERE)
    }
}
