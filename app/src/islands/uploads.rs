//! Files on their way to the server, as a page shows them.

use crate::browser;
use leptos::prelude::*;

/// How far a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UploadState {
    /// On its way; so many of a hundred parts are sent.
    Sending(u8),
    /// It is a document now.
    Done,
    /// It was refused, or did not arrive.
    Failed(String),
}

/// A file on its way.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) id: u32,
    pub(super) name: String,
    /// How far it is.
    pub(super) state: RwSignal<UploadState>,
    /// Called when somebody gives it up.
    pub(super) cancel: StoredValue<Option<Box<dyn Fn()>>, LocalStorage>,
}

/// The files of a page that are on their way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Uploads {
    rows: RwSignal<Vec<Upload>>,
    /// The id of the next row. None is given twice, or an old file would go for a new one.
    next_id: StoredValue<u32>,
}

impl Uploads {
    pub(super) fn new() -> Self {
        Self { rows: RwSignal::new(Vec::new()), next_id: StoredValue::new(1) }
    }

    pub(super) fn rows(self) -> RwSignal<Vec<Upload>> {
        self.rows
    }

    /// A row for one more file.
    #[must_use]
    pub(super) fn begin(self, name: String) -> Upload {
        let id = self.next_id.get_value();
        self.next_id.set_value(id + 1);
        let state = RwSignal::new(UploadState::Sending(0));
        let upload = Upload { id, name, state, cancel: StoredValue::new_local(None) };
        self.rows.update(|rows| rows.push(upload.clone()));
        upload
    }

    /// Whether a file is still to be sent: nobody has given it up. Leaving the page does not.
    #[must_use]
    pub(super) fn holds(self, upload: &Upload) -> bool {
        let is_there = |rows: &Vec<Upload>| rows.iter().any(|row| row.id == upload.id);
        self.rows.try_with_untracked(is_there).unwrap_or(true)
    }

    /// A file has become a document, which belongs into the list.
    pub(super) fn made_document(self) {
        browser::refresh_list();
    }

    pub(super) fn remove(self, id: u32) {
        self.rows.update(|rows| rows.retain(|row| row.id != id));
    }
}
