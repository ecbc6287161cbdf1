//! Where the focus is after a route changed: at the new page, so that a screen reader begins there
//! and the next Tab goes on there (WCAG 2.4.3). A page that the browser loaded needs no help.

use leptos::{prelude::*, web_sys::HtmlElement};

/// Which page was shown last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Focus {
    path: StoredValue<Option<String>>,
    has_moved: StoredValue<bool>,
}

impl Focus {
    /// Makes it and provides it as context.
    pub(crate) fn provide() {
        provide_context(Self { path: StoredValue::new(None), has_moved: StoredValue::new(false) });
    }

    /// The landmark of a page has been made: a place-holder's, or that of the page itself.
    pub(crate) fn page_shown(self, path: String, main: HtmlElement) {
        let before = self.path.try_update_value(|last| last.replace(path.clone())).flatten();
        if before.is_some_and(|before| before != path) {
            self.has_moved.set_value(true);
        }
        if self.has_moved.get_value() {
            // A moment later it stands in the document, and what it takes the place of does not.
            request_animation_frame(move || focus_unless_inside(&main));
        }
    }
}

/// Leads the focus to a page, unless something in it has it: a field, a message.
fn focus_unless_inside(main: &HtmlElement) {
    let is_inside = document()
        .active_element()
        .is_some_and(|element| element.closest("main").ok().flatten().is_some());
    if main.is_connected() && !is_inside {
        // Refused only when it has left the page.
        let _ = main.focus();
    }
}
