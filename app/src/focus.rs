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

    /// The landmark of a page has been put in place: a place-holder, or the page itself.
    pub(crate) fn page_shown(self, path: String, main: &HtmlElement) {
        let before = self.path.try_update_value(|last| last.replace(path.clone())).flatten();
        if before.is_some_and(|before| before != path) {
            self.has_moved.set_value(true);
        }
        // A page that takes the place of its place-holder, or is read again, leaves the focus nowhere.
        let is_nowhere =
            document().active_element().is_none_or(|element| element.tag_name() == "BODY");
        let is_left = document()
            .active_element()
            .is_some_and(|element| element.closest("main").ok().flatten().is_none());
        if self.has_moved.get_value() && (is_nowhere || is_left) {
            // Refused only when it has left the page.
            let _ = main.focus();
        }
    }
}
