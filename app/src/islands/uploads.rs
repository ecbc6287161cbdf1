//! Uploads as shown on a page.

use crate::browser;
use leptos::prelude::*;

/// State of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UploadState {
    /// In progress, with the percentage sent.
    Sending(u8),
    /// Now a document.
    Done,
    /// Rejected or failed.
    Failed(String),
}

/// A file being uploaded.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) id: u32,
    pub(super) name: String,
    /// State.
    pub(super) state: RwSignal<UploadState>,
    /// Called when the user cancels it.
    pub(super) cancel: StoredValue<Option<Box<dyn Fn()>>, LocalStorage>,
}

/// The uploads of a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Uploads {
    rows: RwSignal<Vec<Upload>>,
    /// Id of the next row. Ids are never reused, or a new row would be confused with an old one.
    next_id: StoredValue<u32>,
}

impl Uploads {
    pub(super) fn new() -> Self {
        Self { rows: RwSignal::new(Vec::new()), next_id: StoredValue::new(1) }
    }

    pub(super) fn rows(self) -> RwSignal<Vec<Upload>> {
        self.rows
    }

    /// Adds a row for a file.
    #[must_use]
    pub(super) fn begin(self, name: String) -> Upload {
        let id = self.next_id.get_value();
        self.next_id.set_value(id + 1);
        let state = RwSignal::new(UploadState::Sending(0));
        let upload = Upload { id, name, state, cancel: StoredValue::new_local(None) };
        self.rows.update(|rows| rows.push(upload.clone()));
        upload
    }

    /// Returns whether a file should still be sent: the user has not cancelled it. Leaving the page
    /// does not cancel it.
    #[must_use]
    pub(super) fn holds(self, upload: &Upload) -> bool {
        let is_there = |rows: &Vec<Upload>| rows.iter().any(|row| row.id == upload.id);
        self.rows.try_with_untracked(is_there).unwrap_or(true)
    }

    /// Marks a file as uploaded and refreshes the document list.
    pub(super) fn made_document(self) {
        browser::refresh_list();
    }

    pub(super) fn remove(self, id: u32) {
        self.rows.update(|rows| rows.retain(|row| row.id != id));
    }
}
