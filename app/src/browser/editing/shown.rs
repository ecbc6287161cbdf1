//! What is shown of the text besides the editor: preview and counts, a moment after the typing
//! pauses, and panes that scroll together.

use super::{
    clock,
    session::{Session, with},
};
use crate::rendering::render_as;
use izanagi_shared::markdown;
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

/// Long enough that typing does not wait for it.
const PAUSE: Duration = Duration::from_millis(200);
/// The same for a long text, which takes longer to render.
const LONG_PAUSE: Duration = Duration::from_secs(1);
const LONG_TEXT: usize = 200_000;

#[derive(Default)]
pub(super) struct Shown {
    timer: RefCell<Option<TimeoutHandle>>,
    /// The characters last counted.
    length: Cell<usize>,
    /// Where the preview was scrolled to by us: the event that follows is no news.
    expected: Cell<i32>,
}

impl Shown {
    pub(super) fn stop(&self) {
        if let Some(timer) = self.timer.borrow_mut().take() {
            timer.clear();
        }
    }
}

impl Session {
    /// Shows the text as it is, in a moment.
    pub(super) fn show_soon(self: &Rc<Self>) {
        self.shown.stop();
        if self.is_closed() {
            return;
        }
        let pause = if self.shown.length.get() > LONG_TEXT { LONG_PAUSE } else { PAUSE };
        let weak = Rc::downgrade(self);
        *self.shown.timer.borrow_mut() =
            clock::later(pause, move || with(&weak, |session| session.show()));
    }

    fn show(&self) {
        let text = self.doc.borrow().text();
        let counts = markdown::counts(&text);
        self.shown.length.set(counts.characters);
        // Signals are gone once the page has been left.
        let _ = self.view.counts.try_set(counts);
        if self.view.preview_on.try_get_untracked() == Some(true) {
            let _ = self.view.preview.try_set(render_as(self.kind, &text).html);
        }
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
