//! A comparison, unified. Each line says what it is by words, by a sign and by colour.

use super::{Counts, Icon, counted, load::Alert};
use crate::api::versions::{ComparedVersions, Fold};
use izanagi_shared::text::diff::{DiffLine, Hunk, LineKind, Span};
use leptos::{
    ev,
    prelude::*,
    wasm_bindgen::JsCast as _,
    web_sys::{Element, HtmlElement},
};

/// What differs between two texts, hunk by hunk, with what is equal folded away.
#[component]
pub(crate) fn DiffView(
    compared: ComparedVersions,
    /// The address of this comparison without `unfold`; ends in `&` or `?`.
    #[prop(into)]
    address: String,
    /// The unchanged part that was asked for.
    unfolded: Option<usize>,
    /// Options, for the bar.
    children: Children,
) -> impl IntoView {
    let ComparedVersions { diff, folds, .. } = compared;
    let (count, coarse) = (diff.hunks.len(), diff.coarse);
    let (added, removed) = (diff.added as u64, diff.removed as u64);
    let current = RwSignal::new(0_usize);
    let mut folds = folds.into_iter().enumerate();
    let mut fold = move || {
        let address = address.clone();
        folds.next().map(|(index, fold)| {
            view! { <FoldView fold index address is_open=unfolded == Some(index)/> }
        })
    };
    let mut parts = vec![fold().into_any()];
    for (index, hunk) in diff.hunks.into_iter().enumerate() {
        parts.push(view! { <HunkView hunk number=index + 1 current/> }.into_any());
        parts.push(fold().into_any());
    }
    view! {
        <div class="diff-bar" role="group" aria-label="Changes">
            <Counts added removed/>
            {children()}
            <Steps count current/>
        </div>
        {coarse.then(|| view! {
            <Alert variant="warning">
                <p>"Some of these lines differ so much that they were compared as a whole."</p>
            </Alert>
        })}
        <div class="diff">{parts}</div>
    }
}

/// From change to change: links, which need no JavaScript, and the keys n and p, which do.
#[component]
fn Steps(count: usize, current: RwSignal<usize>) -> impl IntoView {
    let next = move || if current.get() < count { current.get() + 1 } else { 1 };
    let previous = move || if current.get() > 1 { current.get() - 1 } else { count };
    let go = move |target: usize| {
        current.set(target);
        if let Some(hunk) = hunk_element(target) {
            hunk.scroll_into_view();
            // What is focused is read aloud; a hunk that has gone meanwhile is not.
            let _ = hunk.focus();
        }
    };
    Effect::new(move || {
        let listener =
            window_event_listener(ev::keydown, move |event| match event.key().as_str() {
                "n" if is_plain(&event) => go(next()),
                "p" if is_plain(&event) => go(previous()),
                _ => {}
            });
        on_cleanup(move || listener.remove());
    });
    let step = move |event: ev::MouseEvent, target: usize| {
        event.prevent_default();
        go(target);
    };
    let words = move || match current.get() {
        0 => counted(count as u64, "change", "changes"),
        number => format!("{number} of {count}"),
    };
    (count > 0).then(|| {
        view! {
            <div class="diff-steps">
                <a
                    class="icon-button"
                    href=move || format!("#change-{}", previous())
                    aria-label="Previous change"
                    aria-keyshortcuts="p"
                    on:click=move |event| step(event, previous())
                >
                    <Icon name="up"/>
                </a>
                <output>{words}</output>
                <a
                    class="icon-button"
                    href=move || format!("#change-{}", next())
                    aria-label="Next change"
                    aria-keyshortcuts="n"
                    on:click=move |event| step(event, next())
                >
                    <Icon name="down"/>
                </a>
            </div>
        }
    })
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
fn FoldView(fold: Fold, index: usize, address: String, is_open: bool) -> impl IntoView {
    let words = counted(fold.count as u64, "unchanged line", "unchanged lines");
    let Fold { old_start, new_start, count, lines } = fold;
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
        Some(lines) => view! {
            <details class="diff-skip" id=id open=is_open>
                <summary>{words}</summary>
                {lines.into_iter().enumerate().map(line).collect_view()}
            </details>
        }
        .into_any(),
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
