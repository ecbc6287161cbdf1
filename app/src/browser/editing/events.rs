//! What a session hears from the window. Dropping it stops the listening.

use super::session::{Session, with};
use leptos::{
    ev,
    leptos_dom::helpers::{IntervalHandle, WindowListenerHandle},
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
};
use std::{rc::Weak, time::Duration};

/// How often to ask what others wrote, while the page is seen.
const POLL_EVERY: Duration = Duration::from_secs(2);

pub(super) struct Listeners {
    window: Vec<Option<WindowListenerHandle>>,
    polling: Option<IntervalHandle>,
    visibility: Closure<dyn Fn()>,
    scrolling: Option<(leptos::web_sys::HtmlElement, Closure<dyn Fn()>)>,
}

impl Listeners {
    pub(super) fn new(session: &Weak<Session>) -> Self {
        let weak = || session.clone();
        let (focus, online, keys, leaving, polled, seen, scrolled) =
            (weak(), weak(), weak(), weak(), weak(), weak(), weak());
        let window = vec![
            Some(window_event_listener(ev::focus, move |_| with(&focus, Session::poll))),
            Some(window_event_listener(ev::online, move |_| with(&online, Session::reconnect))),
            Some(window_event_listener(ev::keydown, move |event| commit_key(&keys, &event))),
            Some(window_event_listener(ev::beforeunload, move |event| {
                with(&leaving, |session| {
                    if session.is_at_risk() {
                        event.prevent_default();
                    }
                });
            })),
        ];
        let polling =
            set_interval_with_handle(move || Session::poll_regularly(&polled), POLL_EVERY).ok();
        let visibility = Closure::new(move || Session::poll_regularly(&seen));
        // Refused only for a listener that is no function.
        let _ = document().add_event_listener_with_callback(
            "visibilitychange",
            visibility.as_ref().unchecked_ref(),
        );
        let scrolling = session.upgrade().and_then(|session| {
            let pane: leptos::web_sys::HtmlElement =
                session.view.preview_pane.try_get_untracked().flatten()?;
            let listener = Closure::<dyn Fn()>::new(move || {
                with(&scrolled, |session| session.scroll_editor());
            });
            let _ =
                pane.add_event_listener_with_callback("scroll", listener.as_ref().unchecked_ref());
            Some((pane, listener))
        });
        Self { window, polling, visibility, scrolling }
    }
}

/// Ctrl-S or Cmd-S outside of the editor, which hears it itself.
fn commit_key(session: &Weak<Session>, event: &ev::KeyboardEvent) {
    let is_save = event.key().eq_ignore_ascii_case("s") && !event.alt_key() && !event.shift_key();
    if is_save && (event.ctrl_key() || event.meta_key()) {
        event.prevent_default();
        with(session, |session| session.view.commit.update(|asked| *asked += 1));
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for listener in self.window.iter_mut().filter_map(Option::take) {
            listener.remove();
        }
        if let Some(polling) = self.polling.take() {
            polling.clear();
        }
        let _ = document().remove_event_listener_with_callback(
            "visibilitychange",
            self.visibility.as_ref().unchecked_ref(),
        );
        if let Some((pane, listener)) = self.scrolling.take() {
            let _ = pane
                .remove_event_listener_with_callback("scroll", listener.as_ref().unchecked_ref());
        }
    }
}
