use super::Icon;
use leptos::prelude::*;

/// A message within a page.
#[component]
pub fn Alert(
    /// `success`, `warning` or `danger`; `None` for a neutral note.
    #[prop(optional)]
    variant: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let icon = match variant {
        Some("success") => "check",
        Some(_) => "warning",
        None => "info",
    };
    view! {
        <div class="alert" data-variant=variant>
            <Icon name=icon/>
            {children()}
        </div>
    }
}
