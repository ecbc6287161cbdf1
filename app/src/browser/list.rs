//! Refreshes the page's list in place.

use super::focus;
use gloo_net::http::Request;
use leptos::{
    prelude::*,
    task::spawn_local,
    web_sys::{DomParser, SupportedType},
};
use std::cell::Cell;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Rewrites the page's times in the reader's time zone (`components/times.js`).
    #[wasm_bindgen(js_name = showLocalTimes)]
    fn show_local_times();
}

/// Id of the element that holds the list.
const LIST: &str = "list";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Refresh {
    Idle,
    Running,
    /// Something changed after the current request was sent.
    Outdated,
}

thread_local! {
    static REFRESH: Cell<Refresh> = const { Cell::new(Refresh::Idle) };
}

/// Reloads the list from the server; the rest of the page is unchanged.
pub fn refresh_list() {
    if REFRESH.get() != Refresh::Idle {
        return REFRESH.set(Refresh::Outdated);
    }
    spawn_local(async {
        loop {
            REFRESH.set(Refresh::Running);
            if let Some(html) = fetch_page().await {
                replace_list(&html);
            }
            if REFRESH.replace(Refresh::Idle) == Refresh::Running {
                break;
            }
        }
    });
}

async fn fetch_page() -> Option<String> {
    let address = window().location().href().ok()?;
    let answer = Request::get(&address).header("accept", "text/html").send().await.ok()?;
    answer.text().await.ok()
}

fn replace_list(html: &str) {
    let page = DomParser::new().and_then(|it| it.parse_from_string(html, SupportedType::TextHtml));
    let new = page.ok().and_then(|page| page.get_element_by_id(LIST));
    let old = document().get_element_by_id(LIST);
    let (Some(new), Some(old)) = (new, old) else { return };
    let focused = focus::focused_row(&old);
    old.set_inner_html(&new.inner_html());
    show_local_times();
    if let Some(id) = focused {
        focus::focus_first(&[&id]);
    }
}
