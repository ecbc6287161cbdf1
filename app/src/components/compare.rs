//! A comparison, unified. Each line says what it is by words, by a sign and by colour.

use super::{Counts, Icon, Pagination, counted, load::Alert, meta::grouped};
use crate::api::versions::{Comparison, Fold};
use izanagi_shared::text::diff::{DiffLine, Hunk, LineKind, Span};
use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::JsCast as _,
    web_sys::{Element, HtmlElement},
};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use std::ops::RangeInclusive;

/// What differs between two texts, hunk by hunk, with what is equal folded away.
#[component]
pub(crate) fn DiffView(
    comparison: Comparison,
    /// The address of this comparison without `page` and `unfold`; ends in `&` or `?`.
    #[prop(into)]
    address: String,
    /// The unchanged part that was asked for.
    unfolded: Option<usize>,
    /// Options, for the bar.
    children: Children,
) -> impl IntoView {
    let Comparison { added, removed, page, pages, changes, .. } = comparison;
    let current = RwSignal::new(0_usize);
    let place = Place::of(&comparison, address.clone());
    let of_page = format!("{address}page={page}&");
    let fold = |fold: Fold| {
        let is_open = unfolded == Some(fold.index);
        view! { <FoldView fold address=of_page.clone() is_open/> }.into_any()
    };
    let mut parts = Vec::new();
    for part in comparison.parts {
        parts.extend(part.fold.map(fold));
        let (hunk, number) = (part.hunk, part.number);
        parts.push(view! { <HunkView hunk number current/> }.into_any());
    }
    parts.extend(comparison.tail.map(fold));
    let words = counted(changes as u64, "change", "changes");
    view! {
        <div class="diff-bar" role="group" aria-label="Changes">
            <Counts added=added as u64 removed=removed as u64/>
            {children()}
            <Steps place current/>
        </div>
        {comparison.is_coarse.then(|| view! {
            <Alert variant="warning">
                <p>"Some of these lines differ so much that they were compared as a whole."</p>
            </Alert>
        })}
        {comparison.is_shortened.then(|| view! {
            <Alert>
                <p>"Very long lines are shown in part: “…” stands for what is left out."</p>
            </Alert>
        })}
        <div class="diff">{parts}</div>
        <Pagination
            label="Pages of this comparison"
            page=u32::try_from(page).unwrap_or(u32::MAX)
            page_size=1
            total=pages as u64
            words
            start=format!("{address}page=")
        />
    }
}

/// Where one is among all changes.
#[derive(Clone)]
struct Place {
    changes: usize,
    /// The changes on this page.
    here: RangeInclusive<usize>,
    page_before: usize,
    page_after: usize,
    pages: usize,
    /// Without `page`.
    address: StoredValue<String>,
}

impl Place {
    fn of(comparison: &Comparison, address: String) -> Self {
        let numbers = || comparison.parts.iter().map(|part| part.number);
        let here = numbers().next().unwrap_or(1)..=numbers().next_back().unwrap_or(0);
        let Comparison { changes, page_before, page_after, pages, .. } = *comparison;
        let address = StoredValue::new(address);
        Self { changes, here, page_before, page_after, pages, address }
    }

    /// The change after this one, or the first after the last; on the way to a page, that page's.
    fn next(&self, current: usize) -> usize {
        match current {
            0 => *self.here.start(),
            current if current < self.changes => current + 1,
            _ => 1,
        }
    }

    fn previous(&self, current: usize) -> usize {
        match current {
            0 => (self.here.start() + self.changes - 2) % self.changes + 1,
            1 => self.changes,
            current => current - 1,
        }
    }

    /// The link to a change that comes after or before those here.
    fn link(&self, target: usize) -> String {
        let page = match target {
            target if self.here.contains(&target) => return format!("#change-{target}"),
            target if target == self.here.end() + 1 => self.page_after,
            target if target + 1 == *self.here.start() => self.page_before,
            1 => 1,
            _ => self.pages,
        };
        format!("{}page={page}#change-{target}", self.address.get_value())
    }
}

/// From change to change: links, which need no JavaScript, and the keys n and p, which do.
#[component]
fn Steps(place: Place, current: RwSignal<usize>) -> impl IntoView {
    let (changes, place) = (place.changes, StoredValue::new(place));
    let next = move || place.with_value(|place| place.next(current.get()));
    let previous = move || place.with_value(|place| place.previous(current.get()));
    let link = move |target: usize| place.with_value(|place| place.link(target));
    // Whether the change is on this page.
    let go = move |target: usize| {
        let Some(hunk) = hunk_element(target) else { return false };
        current.set(target);
        hunk.scroll_into_view();
        // What is focused is read aloud.
        let _ = hunk.focus();
        true
    };
    let navigate = use_navigate();
    Effect::new(move || {
        // Who comes from another page, or by an address, comes to a change.
        let follow = move || {
            let hash = window().location().hash().unwrap_or_default();
            let number = hash.strip_prefix("#change-").and_then(|number| number.parse().ok());
            number.is_some_and(go)
        };
        // Not before the page and its address are there.
        request_animation_frame(move || {
            follow();
        });
        let followed = window_event_listener(ev::hashchange, move |_| {
            follow();
        });
        on_cleanup(move || followed.remove());
        let navigate = navigate.clone();
        let listener = window_event_listener(ev::keydown, move |event| {
            let target = match event.key().as_str() {
                "n" if is_plain(&event) => next(),
                "p" if is_plain(&event) => previous(),
                _ => return,
            };
            if !go(target) {
                navigate(&link(target), NavigateOptions::default());
            }
        });
        on_cleanup(move || listener.remove());
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
                on:click=move |event| step(event, previous())
            >
                <Icon name="up"/>
            </a>
            <output>{words}</output>
            <a
                class="icon-button"
                href=move || link(next())
                aria-label="Next change"
                aria-keyshortcuts="n"
                on:click=move |event| step(event, next())
            >
                <Icon name="down"/>
            </a>
        </div>
    }
}

fn hunk_element(number: usize) -> Option<HtmlElement> {
    document().get_element_by_id(&format!("change-{number}"))?.dyn_into().ok()
}

/// Whether a key was pressed alone, and not while typing.
fn is_plain(event: &ev::KeyboardEvent) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let types = target.is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA")
    });
    !(types || event.ctrl_key() || event.meta_key() || event.alt_key())
}

#[component]
fn HunkView(hunk: Hunk, number: usize, current: RwSignal<usize>) -> impl IntoView {
    let id = format!("change-{number}");
    let title_id = format!("{id}-title");
    let labelled_by = title_id.clone();
    let title = hunk_title(&hunk);
    let is_current = move || (current.get() == number).then_some("");
    view! {
        <section class="hunk" id=id aria-labelledby=labelled_by tabindex="-1" data-current=is_current>
            <div class="hunk-head">
                <h2 id=title_id>{title}</h2>
            </div>
            {hunk.lines.into_iter().map(line_view).collect_view()}
        </section>
    }
}

/// `Lines 11–15, now lines 11–17`.
fn hunk_title(hunk: &Hunk) -> String {
    let lines = |start: usize, count: usize| match count {
        0 => format!("after line {start}"),
        1 => format!("line {start}"),
        count => format!("lines {start}–{}", start + count - 1),
    };
    let (old, new) = (lines(hunk.old_start, hunk.old_lines), lines(hunk.new_start, hunk.new_lines));
    let mut title = if old == new { old } else { format!("{old}, now {new}") };
    if let Some(first) = title.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    title
}

fn line_view(line: DiffLine) -> impl IntoView {
    let (kind, spoken) = match line.kind {
        LineKind::Equal => ("equal", None),
        LineKind::Insert => ("insert", Some("added: ")),
        LineKind::Delete => ("delete", Some("removed: ")),
    };
    // A line without a counterpart is marked as a whole already.
    let is_whole = matches!(line.spans.as_slice(), [Span { changed: true, .. }]);
    let spans: Vec<AnyView> = line
        .spans
        .into_iter()
        .map(|span| match line.kind {
            LineKind::Insert if span.changed && !is_whole => {
                view! { <ins>{span.text}</ins> }.into_any()
            }
            LineKind::Delete if span.changed && !is_whole => {
                view! { <del>{span.text}</del> }.into_any()
            }
            _ => span.text.into_any(),
        })
        .collect();
    let note =
        line.no_newline.then(|| view! { <p class="diff-note">"No line break at the end"</p> });
    view! {
        <div class="diff-line" data-kind=kind data-old=line.old data-new=line.new>
            <span class="diff-text">
                {spoken.map(|spoken| view! { <span class="visually-hidden">{spoken}</span> })}
                {spans}
            </span>
        </div>
        {note}
    }
}

#[component]
fn FoldView(fold: Fold, address: String, is_open: bool) -> impl IntoView {
    let words = counted(fold.count as u64, "unchanged line", "unchanged lines");
    let Fold { index, old_start, new_start, count, lines } = fold;
    let line = move |(offset, text): (usize, String)| {
        view! {
            <div class="diff-line" data-kind="equal" data-old=old_start + offset data-new=new_start + offset>
                <span class="diff-text">{text}</span>
            </div>
        }
    };
    let id = format!("fold-{index}");
    match lines {
        _ if count == 0 => ().into_any(),
        Some(lines) => {
            let more = count - lines.len();
            view! {
                <details class="diff-skip" id=id open=is_open>
                    <summary>{words}</summary>
                    {lines.into_iter().enumerate().map(line).collect_view()}
                    {(more > 0).then(|| view! {
                        <p class="diff-note">"And " {counted(more as u64, "more line", "more lines")} "."</p>
                    })}
                </details>
            }
            .into_any()
        }
        None => view! {
            <p class="diff-note" id=id.clone()>
                {words} " " <a href=format!("{address}unfold={index}#{id}")>"Show them"</a>
            </p>
        }
        .into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::text::diff::{DiffOptions, diff_lines};
    use rstest::rstest;

    #[rstest]
    #[case("a\nb\n", "a\nc\n", "Lines 1–2")]
    #[case("a\n", "a\nb\nc\n", "Line 1, now lines 1–3")]
    #[case("", "a\n", "After line 0, now line 1")]
    fn a_hunk_is_named_by_its_lines(#[case] old: &str, #[case] new: &str, #[case] title: &str) {
        let diff = diff_lines(old, new, &DiffOptions::default());
        assert_eq!(hunk_title(&diff.hunks[0]), title);
    }
}
