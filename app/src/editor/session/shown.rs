//! What is shown of the text besides the editor: preview and counts, a moment after the typing
//! pauses, and panes that scroll together.

use super::{
    clock,
    open::{Session, with},
};
use crate::editor::render_as;
use izanagi_shared::markdown;
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

/// How long the typing must have paused, at least.
const PAUSE_MS: f64 = 200.0;
/// At most.
const LONGEST_PAUSE_MS: f64 = 20_000.0;
/// The pause, in times of what showing took last: a long text takes long, and typing must not wait
/// for it often.
const PAUSE_FACTOR: f64 = 8.0;

#[derive(Default)]
pub(super) struct Shown {
    timer: RefCell<Option<TimeoutHandle>>,
    /// How long it took last, in milliseconds.
    took: Cell<f64>,
    /// Where the preview was scrolled to by us: the event that follows is no news.
    expected: Cell<i32>,
}

impl Session {
    /// Shows the text as it is, in a moment.
    pub(super) fn show_soon(self: &Rc<Self>) {
        if let Some(timer) = self.shown.timer.borrow_mut().take() {
            timer.clear();
        }
        let pause = (self.shown.took.get() * PAUSE_FACTOR).clamp(PAUSE_MS, LONGEST_PAUSE_MS);
        let pause = Duration::from_secs_f64(pause / 1_000.0);
        let weak = Rc::downgrade(self);
        *self.shown.timer.borrow_mut() =
            clock::later(pause, move || with(&weak, |session| session.show()));
    }

    fn show(&self) {
        let began = clock::now();
        let text = self.doc.borrow().text();
        let counts = markdown::counts(&text);
        // Signals are gone once the page has been left.
        let _ = self.view.counts.try_set(counts);
        if self.view.preview_on.try_get_untracked() == Some(true) {
            let _ = self.view.preview.try_set(render_as(self.kind, &text).html);
        }
        self.shown.took.set(clock::now() - began);
    }

    /// The editor was scrolled: the preview follows.
    pub(super) fn scroll_preview(&self, fraction: f64) {
        let Some(pane) = self.view.preview_pane.try_get_untracked().flatten() else { return };
        let range = f64::from(pane.scroll_height() - pane.client_height());
        #[expect(clippy::cast_possible_truncation, reason = "a height in pixels")]
        pane.set_scroll_top((range * fraction).round() as i32);
        self.shown.expected.set(pane.scroll_top());
    }

    /// The preview was scrolled: the editor follows.
    pub(super) fn scroll_editor(&self) {
        let Some(pane) = self.view.preview_pane.try_get_untracked().flatten() else { return };
        let (top, range) = (pane.scroll_top(), pane.scroll_height() - pane.client_height());
        let is_ours = (top - self.shown.expected.replace(-1)).abs() <= 1;
        if !is_ours && range > 0 {
            self.with_editor(|editor| editor.scroll_to(f64::from(top) / f64::from(range)));
        }
    }
}
