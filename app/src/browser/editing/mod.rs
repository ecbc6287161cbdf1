//! An editing session: CodeMirror on one side, the server on the other, and a replica of the
//! document in between (DESIGN §6).

mod bindings;
mod clock;
mod events;
mod kept;
mod session;
mod shown;
mod sync;
mod transport;

use crate::{
    api::documents::OpenedDocument,
    editor::{EditorView, Trouble},
};
use leptos::{prelude::*, task::spawn_local};
use session::Session;
use std::rc::Rc;

pub(super) use transport::refresh_session;

/// Begins a session on a page that was rendered for it; it ends with the page.
pub(super) fn start(opened: OpenedDocument, view: EditorView) {
    let running = StoredValue::new_local(None::<Rc<Session>>);
    on_cleanup(move || {
        if let Some(session) = running.try_update_value(Option::take).flatten() {
            session.close();
        }
    });
    Effect::new(move || {
        if view.retry.get() > 0 {
            running.with_value(|session| {
                if let Some(session) = session {
                    session.try_again();
                }
            });
        }
    });
    Effect::new(move || {
        if view.preview_on.get() {
            running.with_value(|session| {
                if let Some(session) = session {
                    session.show_soon();
                }
            });
        }
    });
    spawn_local(async move {
        let document = opened.document.id;
        // What belongs to the page ends with it.
        let is_left = move || running.try_with_value(|_| ()).is_none();
        match Session::begin(opened, view, is_left).await {
            Ok(Some(session)) => running.set_value(Some(session)),
            Ok(None) => {}
            Err(error) => {
                leptos::logging::error!("the editor of {document} does not start: {error:?}");
                let _ = view.trouble.try_set(Some(Trouble::NotStarted));
            }
        }
    });
}
