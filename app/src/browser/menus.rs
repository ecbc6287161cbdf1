//! Closes menus automatically.

use super::on_document;
use leptos::{
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{Element, FocusEvent, HtmlDetailsElement, HtmlElement, KeyboardEvent},
};

/// Menus are disclosures. Escape, a click elsewhere, choosing an item or leaving with the keyboard
/// closes them.
pub(super) fn close_menus() {
    on_document("click", |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let chosen = target.as_ref().and_then(|target| target.closest(".menu-item").ok().flatten());
        for menu in open_menus() {
            let is_inside = target.as_ref().is_some_and(|target| menu.contains(Some(target)));
            if !is_inside || chosen.is_some() {
                menu.set_open(false);
            }
        }
    });
    on_document("focusout", |event| {
        let next = event.dyn_ref::<FocusEvent>().and_then(FocusEvent::related_target);
        // Without a next element, the focus has left the page, as when another window is used.
        let Some(next) = next.and_then(|next| next.dyn_into::<Element>().ok()) else { return };
        let left = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        for menu in open_menus() {
            let was_inside = left.as_ref().is_some_and(|left| menu.contains(Some(left)));
            if was_inside && !menu.contains(Some(&next)) {
                menu.set_open(false);
            }
        }
    });
    on_document("keydown", |event| {
        let is_escape =
            event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key() == "Escape");
        if !is_escape {
            return;
        }
        for menu in open_menus() {
            let had_focus =
                document().active_element().is_some_and(|focused| menu.contains(Some(&focused)));
            menu.set_open(false);
            let summary = menu.query_selector("summary").ok().flatten();
            if let Some(summary) = summary.filter(|_| had_focus)
                && let Ok(summary) = summary.dyn_into::<HtmlElement>()
            {
                // Fails only if the menu has been removed from the page.
                let _ = summary.focus();
            }
        }
    });
}

fn open_menus() -> Vec<HtmlDetailsElement> {
    let Ok(found) = document().query_selector_all("details.menu[open]") else { return Vec::new() };
    let menus = (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok());
    menus.collect()
}
