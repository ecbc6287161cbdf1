//! A comparison in unified form. Text, sign and colour each mark added and removed lines.

use super::{
    Counts, Pagination,
    signs::{Piece, is_whole, pieces},
};
use crate::{
    api::versions::{Comparison, Fold},
    catalogue::compare as t,
    islands::{Place, Steps},
    parts::Alert,
    words,
};
use izanagi_shared::text::diff::{DiffLine, Hunk, LineKind, MAX_LINES};
use leptos::prelude::*;

/// Shows the differences between two texts hunk by hunk, with unchanged lines folded.
#[component]
pub(crate) fn DiffView(
    comparison: Comparison,
    /// URL of this comparison without `page` and `unfold`; ends in `&` or `?`.
    #[prop(into)]
    address: String,
    /// Index of the unchanged part to unfold.
    unfolded: Option<usize>,
    /// Options shown in the toolbar.
    children: Children,
) -> impl IntoView {
    let Comparison { added, removed, page, pages, changes, .. } = comparison;
    let place = place_of(&comparison, address.clone());
    let of_page = format!("{address}page={page}&");
    let fold = |fold: Fold| {
        let is_open = unfolded == Some(fold.index);
        view! { <FoldView fold address=of_page.clone() is_open/> }.into_any()
    };
    let mut parts = Vec::new();
    for part in comparison.parts {
        parts.extend(part.fold.map(fold));
        let (hunk, number) = (part.hunk, part.number);
        parts.push(view! { <HunkView hunk number/> }.into_any());
    }
    parts.extend(comparison.tail.map(fold));
    let total = words::changes(changes as u64);
    view! {
        <div class="diff-bar" role="group" aria-label=t::changes()>
            <Counts added=added as u64 removed=removed as u64/>
            {children()}
            <Steps place/>
        </div>
        {comparison.is_coarse.then(|| view! {
            <Alert variant="warning">
                <p>{t::coarse()}</p>
            </Alert>
        })}
        {comparison.only_line_ends.then(|| view! {
            <Alert>
                <p>{t::only_line_ends()}</p>
            </Alert>
        })}
        {comparison.is_shortened.then(|| view! {
            <Alert>
                <p>{t::shortened()}</p>
            </Alert>
        })}
        {comparison.is_truncated.then(|| view! {
            <Alert variant="warning">
                <p>{t::truncated(&words::grouped(MAX_LINES as u64))}</p>
            </Alert>
        })}
        <div class="diff">{parts}</div>
        <Pagination
            label=t::pages()
            page=u32::try_from(page).unwrap_or(u32::MAX)
            page_size=1
            total=pages as u64
            words=total
            start=format!("{address}page=")
        />
    }
}

/// Returns which of all changes are on this page.
fn place_of(comparison: &Comparison, address: String) -> Place {
    let numbers = || comparison.parts.iter().map(|part| part.number);
    let (first, last) = (numbers().next().unwrap_or(1), numbers().next_back().unwrap_or(0));
    let Comparison { changes, page_before, page_after, pages, .. } = *comparison;
    Place { changes, first, last, page_before, page_after, pages, address }
}

#[component]
fn HunkView(hunk: Hunk, number: usize) -> impl IntoView {
    let id = format!("change-{number}");
    let title_id = format!("{id}-title");
    let labelled_by = title_id.clone();
    let title = hunk_title(&hunk);
    view! {
        <section class="hunk" id=id aria-labelledby=labelled_by tabindex="-1">
            <div class="hunk-head">
                <h2 id=title_id>{title}</h2>
            </div>
            {hunk.lines.into_iter().map(line_view).collect_view()}
        </section>
    }
}

/// Formats a hunk's position, such as `Lines 11–15, now lines 11–17`.
fn hunk_title(hunk: &Hunk) -> String {
    let lines = |start: usize, count: usize| match count {
        0 => t::after_line(&start.to_string()),
        1 => t::line(&start.to_string()),
        count => t::lines(&start.to_string(), &(start + count - 1).to_string()),
    };
    let (old, new) = (lines(hunk.old_start, hunk.old_lines), lines(hunk.new_start, hunk.new_lines));
    let mut title = match (hunk.old_start, hunk.new_start) {
        (0, _) => t::only_new(&new),
        (_, 0) => t::all_removed(&old),
        _ if old == new => old,
        _ => t::moved(&old, &new),
    };
    if let Some(first) = title.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    title
}

fn line_view(line: DiffLine) -> impl IntoView {
    let (kind, spoken) = match line.kind {
        LineKind::Equal => ("equal", None),
        LineKind::Insert => ("insert", Some(t::added())),
        LineKind::Delete => ("delete", Some(t::removed())),
    };
    // A line without a counterpart is already marked as a whole.
    let is_whole = is_whole(&line);
    let spans = line.spans.iter().zip(pieces(&line));
    let spans: Vec<AnyView> = spans
        .map(|(span, pieces)| {
            let parts = pieces.into_iter().map(piece_view).collect_view();
            match line.kind {
                LineKind::Insert if span.changed && !is_whole => {
                    view! { <ins>{parts}</ins> }.into_any()
                }
                LineKind::Delete if span.changed && !is_whole => {
                    view! { <del>{parts}</del> }.into_any()
                }
                _ => parts.into_any(),
            }
        })
        .collect();
    let note = line.no_newline.then(|| view! { <p class="diff-note">{t::no_newline()}</p> });
    view! {
        <div class="diff-line" data-kind=kind data-old=line.old data-new=line.new>
            {spoken.map(|spoken| view! { <span class="visually-hidden">{spoken}</span> })}
            <span class="diff-text" dir="auto">{spans}</span>
        </div>
        {note}
    }
}

/// A part of a changed line. The sign itself is generated from the attribute, so that only the text is
/// copied.
fn piece_view(piece: Piece<'_>) -> AnyView {
    match piece {
        Piece::Text(text) => text.to_owned().into_any(),
        Piece::Sign(sign) => {
            let kind = if sign.is_blank { "blank" } else { "mark" };
            let (text, words) = (sign.text.to_owned(), sign.words);
            view! {
                <span class="diff-sign" data-kind=kind data-sign=sign.sign>
                    <bdi class="visually-hidden">{words}</bdi>
                    {text}
                </span>
            }
            .into_any()
        }
    }
}

#[component]
fn FoldView(fold: Fold, address: String, is_open: bool) -> impl IntoView {
    let words = t::unchanged(fold.count as u64);
    let Fold { index, old_start, new_start, count, lines } = fold;
    let line = move |(offset, text): (usize, String)| {
        view! {
            <div class="diff-line" data-kind="equal" data-old=old_start + offset data-new=new_start + offset>
                <span class="diff-text" dir="auto">{text}</span>
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
                        <p class="diff-note">{t::more(more as u64)}</p>
                    })}
                </details>
            }
            .into_any()
        }
        None => view! {
            <p class="diff-note" id=id.clone()>
                {words} " " <a href=format!("{address}unfold={index}#{id}")>{t::show_lines()}</a>
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
    #[case("", "a\n", "New: line 1")]
    #[case("a\nb\n", "", "Removed: lines 1–2")]
    fn a_hunk_is_named_by_its_lines(#[case] old: &str, #[case] new: &str, #[case] title: &str) {
        let diff = diff_lines(old, new, &DiffOptions::default());
        assert_eq!(hunk_title(&diff.hunks[0]), title);
    }
}
