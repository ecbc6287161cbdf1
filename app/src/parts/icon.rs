use leptos::prelude::*;

/// A picture beside words, or inside a control that has a name of its own.
#[component]
pub fn Icon(
    /// Its id in `public/icons.svg`.
    name: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=format!("/icons.svg#{name}")></use>
        </svg>
    }
}
