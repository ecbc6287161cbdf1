use crate::parts::{Icon, counted, grouped};
use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::JsCast as _,
    web_sys::{Element, HtmlElement},
};
use serde::{Deserialize, Serialize};

/// Which changes a page of a comparison has, and where the others are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// How many changes there are, on all pages.
    pub changes: usize,
    /// The first change on this page.
    pub first: usize,
    /// The last one; below `first` when there is none.
    pub last: usize,
    /// The page on which the change before those here begins.
    pub page_before: usize,
    /// The page on which the change after those here begins.
    pub page_after: usize,
    /// How many pages there are.
    pub pages: usize,
    /// The address of the comparison without `page`; ends in `&` or `?`.
    pub address: String,
}

impl Place {
    /// The change after this one, or the first after the last; on the way to a page, that page's.
    fn next(&self, current: usize) -> usize {
        match current {
            0 => self.first,
            current if current < self.changes => current + 1,
            _ => 1,
        }
    }

    fn previous(&self, current: usize) -> usize {
        match current {
            0 => (self.first + self.changes - 2) % self.changes + 1,
            1 => self.changes,
            current => current - 1,
        }
    }

    /// The link to a change that comes after or before those here.
    fn link(&self, target: usize) -> String {
        let page = match target {
            target if (self.first..=self.last).contains(&target) => {
                return format!("#change-{target}");
            }
            target if target == self.last + 1 => self.page_after,
            target if target + 1 == self.first => self.page_before,
            1 => 1,
            _ => self.pages,
        };
        format!("{}page={page}#change-{target}", self.address)
    }
}

/// From change to change: links, which need no JavaScript, and the keys n and p, which do.
#[island]
pub fn Steps(place: Place) -> impl IntoView {
    let current = RwSignal::new(0_usize);
    let (changes, place) = (place.changes, StoredValue::new(place));
    let next = move || place.with_value(|place| place.next(current.get()));
    let previous = move || place.with_value(|place| place.previous(current.get()));
    let link = move |target: usize| place.with_value(|place| place.link(target));
    // Whether the change is on this page.
    let go = move |target: usize| {
        let Some(hunk) = hunk_element(target) else { return false };
        mark(current.get_untracked(), false);
        mark(target, true);
        current.set(target);
        hunk.scroll_into_view();
        // What is focused is read aloud.
        let _ = hunk.focus();
        true
    };
    // An address may name a change, from another page or in this one.
    let follow = move || {
        let hash = window().location().hash().unwrap_or_default();
        let number = hash.strip_prefix("#change-").and_then(|number| number.parse().ok());
        number.is_some_and(go)
    };
    Effect::new(move || {
        follow();
        window_event_listener(ev::hashchange, move |_| {
            follow();
        });
        window_event_listener(ev::keydown, move |event| {
            let target = match event.key().as_str() {
                "n" if is_plain(&event) => untrack(next),
                "p" if is_plain(&event) => untrack(previous),
                _ => return,
            };
            if !go(target) {
                // Refused only for an address that is none.
                let _ = window().location().assign(&link(target));
            }
        });
    });
    let step = move |event: ev::MouseEvent, target: usize| {
        if go(target) {
            event.prevent_default();
        }
    };
    let words = move || match current.get() {
        0 => counted(changes as u64, "change", "changes"),
        number => format!("{} of {}", grouped(number as u64), grouped(changes as u64)),
    };
    view! {
        <div class="diff-steps">
            <a
                class="icon-button"
                href=move || link(previous())
                aria-label="Previous change"
                aria-keyshortcuts="p"
                on:click=move |event| step(event, untrack(previous))
            >
                <Icon name="up"/>
            </a>
            <output>{words}</output>
            <a
                class="icon-button"
                href=move || link(next())
                aria-label="Next change"
                aria-keyshortcuts="n"
                on:click=move |event| step(event, untrack(next))
            >
                <Icon name="down"/>
            </a>
        </div>
    }
}

fn hunk_element(number: usize) -> Option<HtmlElement> {
    document().get_element_by_id(&format!("change-{number}"))?.dyn_into().ok()
}

/// Says which change one is at.
fn mark(number: usize, is_current: bool) {
    if let Some(hunk) = hunk_element(number) {
        // Refused only for a name that is none.
        let _ = hunk.toggle_attribute_with_force("data-current", is_current);
    }
}

/// Whether a key was pressed alone, and not while typing.
fn is_plain(event: &ev::KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let types = target.is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA")
    });
    !(types || event.ctrl_key() || event.meta_key() || event.alt_key())
}
