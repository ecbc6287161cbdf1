//! What the whole page listens for.

use crate::own_path::page_path;
use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
    web_sys::{Element, Event, HtmlAnchorElement, HtmlDetailsElement, HtmlElement, KeyboardEvent},
};

/// Menus are disclosures. Escape, a click elsewhere and a choice in one close them.
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
                // Refused only when the menu has left the page.
                let _ = summary.focus();
            }
        }
    });
}

/// Some links are the browser's. One to a place in the same page, as it moves the focus as well,
/// which the router would not. One that leads to no page, for the router would show that there is
/// nothing. And one whose path the browser would take for another site's when the router hands it
/// over: it refuses that, and the page would break. The router listens further out,
/// so stopping the event here keeps it away.
pub(super) fn keep_from_router() {
    on_document("click", |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
        let Some(link) = link.and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok()) else {
            return;
        };
        let here = window().location();
        let is_same = here.pathname().is_ok_and(|path| path == link.pathname())
            && here.search().is_ok_and(|search| search == link.search())
            && here.host().is_ok_and(|host| host == link.host());
        let is_fragment = is_same && !link.hash().is_empty();
        if is_fragment || page_path(&link.pathname()).is_none() {
            event.stop_propagation();
        }
    });
}

fn open_menus() -> Vec<HtmlDetailsElement> {
    let Ok(found) = document().query_selector_all("details.menu[open]") else { return Vec::new() };
    let menus = (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok());
    menus.collect()
}

/// For as long as the page lasts.
fn on_document(name: &str, listener: impl Fn(Event) + 'static) {
    let listener = Closure::<dyn Fn(Event)>::new(listener);
    // Refused only for a listener that is no function.
    let _ = document().add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    listener.forget();
}
