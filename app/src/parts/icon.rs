use leptos::prelude::*;

/// A decorative icon next to text, or inside a control with its own name.
#[component]
pub fn Icon(
    /// Id in `public/icons.svg`.
    name: &'static str,
) -> impl IntoView {
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=format!("/icons.svg#{name}")></use>
        </svg>
    }
}
