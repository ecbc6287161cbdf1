use crate::parts::{counted, grouped};
use leptos::prelude::*;

/// How many lines were added and removed: sign, colour and words agree.
#[component]
pub(crate) fn Counts(added: u64, removed: u64) -> impl IntoView {
    view! {
        <span class="counts">
            <span data-kind="insert">
                <span aria-hidden="true">"+" {grouped(added)}</span>
                <span class="visually-hidden">{counted(added, "line added, ", "lines added, ")}</span>
            </span>
            <span data-kind="delete">
                <span aria-hidden="true">"−" {grouped(removed)}</span>
                <span class="visually-hidden">{counted(removed, "line removed", "lines removed")}</span>
            </span>
        </span>
    }
}

/// The way back up.
#[component]
pub(crate) fn Crumbs(
    /// Paths and their words, from the top.
    steps: Vec<(String, String)>,
) -> impl IntoView {
    let step =
        |(path, words): (String, String)| view! { <li><a href=path><bdi>{words}</bdi></a></li> };
    view! {
        <ol class="crumbs" aria-label="Where you are">
            {steps.into_iter().map(step).collect_view()}
        </ol>
    }
}
