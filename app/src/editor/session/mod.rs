//! An editing session: connects CodeMirror and the server through a replica of the document (DESIGN
//! §6).

mod backup;
mod bindings;
mod clock;
mod driver;
mod events;
mod former;
mod http;
mod incoming;
mod kept;
mod open;
mod peers;
mod rebase;
mod shown;
mod start;
mod stops;
mod transport;
mod user;

use super::{EditorView, OpenedText, Trouble};
use bindings::EditorModule;
use leptos::{prelude::*, task::spawn_local};
use open::{Session, Stop};
use std::rc::Rc;

pub use transport::state_path;

/// Starts a session on a rendered page; it lives as long as the page.
pub(super) fn start(opened: OpenedText, view: EditorView) {
    let running = StoredValue::new_local(None::<Rc<Session>>);
    let with_session = move |call: fn(&Rc<Session>)| {
        running.with_value(|session| {
            if let Some(session) = session {
                call(session);
            }
        });
    };
    Effect::new(move || {
        if view.retry.get() > 0 {
            with_session(Session::try_again);
        }
    });
    Effect::new(move || {
        if let Some(answer) = view.answer.get() {
            view.answer.set(None);
            running.with_value(|session| {
                if let Some(session) = session {
                    session.answer(answer);
                }
            });
        }
    });
    spawn_local(async move {
        let document = opened.id;
        let stop = match Session::begin(opened, view).await {
            Ok(session) => return running.set_value(Some(session)),
            Err(stop) => stop,
        };
        // It took keys before there was a session.
        if let Ok(module) = EditorModule::load().await {
            module.fail();
        }
        match stop {
            Stop::Refused(reason) => view.trouble.set(Some(Trouble::ReadOnly(reason))),
            Stop::Failed(error) => {
                leptos::logging::error!("cannot start the editor of {document}: {error:?}");
                view.trouble.set(Some(Trouble::NotStarted));
            }
        }
    });
}
