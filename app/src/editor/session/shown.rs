//! Views of the text besides the editor: preview and counts, refreshed after typing pauses, and
//! synchronised scrolling.

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

/// Minimum delay after typing.
const PAUSE_MS: f64 = 200.0;
/// Maximum delay.
const LONGEST_PAUSE_MS: f64 = 20_000.0;
/// Delay as a multiple of the last refresh's duration: refreshing a long text is slow and must not
/// block typing often.
const PAUSE_FACTOR: f64 = 8.0;

#[derive(Default)]
pub(super) struct Shown {
    timer: RefCell<Option<TimeoutHandle>>,
    /// Duration of the last refresh in milliseconds.
    took: Cell<f64>,
    /// Preview position set by the session, to ignore the scroll event that follows.
    expected: Cell<i32>,
}

impl Session {
    /// Schedules a refresh.
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
        // Signals are disposed once the page has been left.
        let _ = self.view.counts.try_set(counts);
        if self.view.preview_on.try_get_untracked() == Some(true) {
            let rendered = render_as(self.kind, &text, self.outside_images);
            let _ = self.view.lacks_images.try_set(rendered.has_outside_images);
            let _ = self.view.is_cut.try_set(rendered.truncated);
            let _ = self.view.preview.try_set(rendered.html);
        }
        self.shown.took.set(clock::now() - began);
    }

    /// Scrolls the preview to match the editor.
    pub(super) fn scroll_preview(&self, fraction: f64) {
        let Some(pane) = self.view.preview_pane.try_get_untracked().flatten() else { return };
        let range = f64::from(pane.scroll_height() - pane.client_height());
        #[expect(clippy::cast_possible_truncation, reason = "a height in pixels")]
        pane.set_scroll_top((range * fraction).round() as i32);
        self.shown.expected.set(pane.scroll_top());
    }

    /// Scrolls the editor to match the preview.
    pub(super) fn scroll_editor(&self) {
        let Some(pane) = self.view.preview_pane.try_get_untracked().flatten() else { return };
        let (top, range) = (pane.scroll_top(), pane.scroll_height() - pane.client_height());
        let is_ours = (top - self.shown.expected.replace(-1)).abs() <= 1;
        if !is_ours && range > 0 {
            self.with_editor(|editor| editor.scroll_to(f64::from(top) / f64::from(range)));
        }
    }
}
