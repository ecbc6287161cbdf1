//! Page events that a session listens to.

use super::open::{Session, with};
use izanagi_shared::sync::SyncEngine;
use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
    web_sys::EventTarget,
};
use std::{rc::Weak, time::Duration};

/// Polling interval while the page is visible.
const POLL_EVERY: Duration = Duration::from_secs(2);

pub(super) fn listen(session: &Weak<Session>) {
    let weak = || session.clone();
    let (focus, online, keys, leaving, gone, polled, seen) =
        (weak(), weak(), weak(), weak(), weak(), weak(), weak());
    let (back, thawed, offline) = (weak(), weak(), weak());
    window_event_listener(ev::focus, move |_| {
        with(&focus, |session| {
            session.poll();
            if session.backup.is_asked() {
                // The user may have answered in another tab.
                session.rebase_soon();
            }
        });
    });
    window_event_listener(ev::offline, move |_| {
        with(&offline, |session| session.drive(SyncEngine::offline));
    });
    window_event_listener(ev::online, move |_| with(&online, Session::reconnect));
    window_event_listener(ev::keydown, move |event| commit_key(&keys, &event));
    window_event_listener(ev::beforeunload, move |event| {
        with(&leaving, |session| {
            if session.is_at_risk() {
                event.prevent_default();
            }
        });
    });
    window_event_listener(ev::pagehide, move |_| {
        with(&gone, |session| {
            session.back_up();
            session.send_last();
            session.say_goodbye();
        });
    });
    window_event_listener(ev::pageshow, move |event| {
        if event.persisted() {
            with(&back, Session::thaw);
        }
    });
    on(&document(), "resume", move || with(&thawed, Session::thaw));
    Session::listen_to_users(session);
    set_interval(move || Session::poll_regularly(&polled), POLL_EVERY);
    on(&document(), "visibilitychange", move || with(&seen, Session::visibility_changed));
}

fn on(target: &EventTarget, name: &str, listener: impl Fn() + 'static) {
    let listener = Closure::<dyn Fn()>::new(listener);
    // Cannot fail: the listener is a function.
    let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    listener.forget();
}

/// Ctrl-S or Cmd-S outside the editor, which handles its own.
fn commit_key(session: &Weak<Session>, event: &ev::KeyboardEvent) {
    let is_save = event.key().eq_ignore_ascii_case("s") && !event.alt_key() && !event.shift_key();
    if is_save && (event.ctrl_key() || event.meta_key()) {
        event.prevent_default();
        with(session, |session| session.view.commit.update(|asked| *asked += 1));
    }
}
