use crate::{catalogue::site, words::grouped};
use leptos::prelude::*;

/// Shows how many lines were added and removed, by sign, colour and text.
#[component]
pub(crate) fn Counts(added: u64, removed: u64) -> impl IntoView {
    view! {
        <span class="counts">
            <span data-kind="insert">
                <span aria-hidden="true">"+" {grouped(added)}</span>
                <span class="visually-hidden">{site::lines_added(added)}</span>
            </span>
            <span data-kind="delete">
                <span aria-hidden="true">"−" {grouped(removed)}</span>
                <span class="visually-hidden">{site::lines_removed(removed)}</span>
            </span>
        </span>
    }
}

/// Breadcrumbs.
#[component]
pub(crate) fn Crumbs(
    /// Paths and labels, from the top.
    steps: Vec<(String, String)>,
) -> impl IntoView {
    let step =
        |(path, words): (String, String)| view! { <li><a href=path><bdi>{words}</bdi></a></li> };
    view! {
        <ol class="crumbs" aria-label=site::breadcrumbs()>
            {steps.into_iter().map(step).collect_view()}
        </ol>
    }
}
