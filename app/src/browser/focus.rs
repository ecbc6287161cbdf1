//! Where the focus goes when a form has reloaded its page: to the row that it was about, to the next
//! one if that is gone, or to the heading.

use leptos::{
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{Element, HtmlElement, HtmlFormElement, HtmlInputElement, Storage},
};

/// Key in the storage of the tab.
const KEY: &str = "focus";
/// Rows of a list whose forms reload it.
const ROW: &str = "li[id^=row-]";

/// Remembers what a form is about, for the page at `path` that follows.
pub(super) fn remember(form: &HtmlFormElement, path: &str) {
    let mut ids = Vec::new();
    // Also a form outside the list may be about one of its rows, such as a message with Undo.
    let named = form.query_selector("input[name=id]").ok().flatten();
    if let Some(field) = named.and_then(|field| field.dyn_into::<HtmlInputElement>().ok()) {
        ids.push(format!("row-{}", field.value()));
    }
    if let Ok(Some(row)) = form.closest(ROW) {
        let neighbours = [row.next_element_sibling(), row.previous_element_sibling()];
        let neighbours = neighbours.into_iter().flatten().map(|row| row.id());
        ids.extend(neighbours.filter(|id| !id.is_empty()));
    }
    let is_same = window().location().pathname().is_ok_and(|here| here == path_of(path));
    if let Some(storage) = storage() {
        // Fails only if the storage is full.
        let _ = storage.set_item(KEY, &format!("{}\n{is_same}\n{}", path_of(path), ids.join(" ")));
    }
}

/// Moves the focus on the page that follows.
pub(super) fn restore() {
    let Some(storage) = storage() else { return };
    let Ok(Some(remembered)) = storage.get_item(KEY) else { return };
    // Fails never.
    let _ = storage.remove_item(KEY);
    let mut parts = remembered.split('\n');
    let path = parts.next().unwrap_or_default();
    if window().location().pathname().is_ok_and(|here| here != path) {
        return;
    }
    let is_same = parts.next() == Some("true");
    let ids: Vec<&str> = parts.next().unwrap_or_default().split_whitespace().collect();
    // A new page starts at its top, as after any link.
    if !focus_first(&ids)
        && is_same
        && let Ok(Some(heading)) = document().query_selector("h1")
    {
        focus(&heading);
    }
}

/// Focuses the first of these elements that is on the page. Returns whether there is one.
pub(super) fn focus_first(ids: &[&str]) -> bool {
    let found = ids.iter().find_map(|id| document().get_element_by_id(id));
    found.as_ref().map(focus).is_some()
}

/// Returns the id of the row in this list that has the focus.
pub(super) fn focused_row(list: &Element) -> Option<String> {
    let focused = document().active_element().filter(|focused| list.contains(Some(focused)))?;
    Some(focused.closest(ROW).ok()??.id())
}

fn focus(element: &Element) {
    // Cannot fail: the name is valid.
    let _ = element.set_attribute("tabindex", "-1");
    if let Some(element) = element.dyn_ref::<HtmlElement>() {
        // Fails only if it has been removed from the page.
        let _ = element.focus();
    }
}

fn path_of(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path)
}

/// A browser may refuse it.
fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}
