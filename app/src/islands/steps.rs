use crate::{
    parts::{Announcement, Icon},
    words::{self, grouped},
};
use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::JsCast as _,
    web_sys::{Element, HtmlElement},
};
use serde::{Deserialize, Serialize};

/// Changes on a page of a comparison, and the position of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Number of changes on all pages.
    pub changes: usize,
    /// First change on this page.
    pub first: usize,
    /// Last change on this page; less than `first` if there is none.
    pub last: usize,
    /// Page on which the change before these starts.
    pub page_before: usize,
    /// Page on which the change after these starts.
    pub page_after: usize,
    /// Number of pages.
    pub pages: usize,
    /// URL of the comparison without `page`; ends in `&` or `?`.
    pub address: String,
}

impl Place {
    /// Returns the change after `current`, wrapping around at the end. Without a current change
    /// (0), this is the first on the page.
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

    /// Returns the link to a change before or after those on this page.
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

/// Navigation between changes: links, which work without JavaScript, and the keys n and p.
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
        // Screen readers announce the focused element.
        let _ = hunk.focus();
        true
    };
    // The URL may name a change, after navigation from another page or within this one.
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
                // Fails only for an invalid URL.
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
        0 => words::changes(changes as u64),
        number => words::change_of(&grouped(number as u64), &grouped(changes as u64)),
    };
    view! {
        <div class="diff-steps">
            <a
                class="icon-button"
                href=move || link(previous())
                aria-label=words::previous_change()
                aria-keyshortcuts="p"
                on:click=move |event| step(event, untrack(previous))
            >
                <Icon name="up"/>
            </a>
            <span class="diff-place">{words}</span>
            <Announcement topic=Signal::derive(words) text=Signal::derive(words)/>
            <a
                class="icon-button"
                href=move || link(next())
                aria-label=words::next_change()
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

/// Marks the current change.
fn mark(number: usize, is_current: bool) {
    if let Some(hunk) = hunk_element(number) {
        // Fails only for an invalid attribute name.
        let _ = hunk.toggle_attribute_with_force("data-current", is_current);
    }
}

/// Returns whether a key was pressed without modifiers and outside text fields.
fn is_plain(event: &ev::KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let types = target.is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA")
    });
    !(types || event.ctrl_key() || event.meta_key() || event.alt_key())
}
