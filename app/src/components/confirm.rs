use leptos::prelude::*;

/// A button that reveals an explanation and a second button, to prevent accidents. Works without
/// JavaScript.
#[component]
pub(crate) fn Confirm(
    /// Label of the first button.
    #[prop(into)]
    words: String,
    /// What the button applies to, for screen readers: a page may have several of these buttons.
    #[prop(optional, into)]
    about: String,
    /// What will happen.
    #[prop(into)]
    warning: String,
    #[prop(optional)] variant: Option<&'static str>,
    /// Whether it is initially open.
    #[prop(optional)]
    open: bool,
    /// Form with the second button.
    children: Children,
) -> impl IntoView {
    view! {
        <details class="menu" name="confirm" open=open>
            <summary class="button" data-variant=variant>
                {words}
                <span class="visually-hidden">{about}</span>
            </summary>
            <ul class="menu-list">
                <li class="menu-note">{warning}</li>
                <li data-divide="">{children()}</li>
            </ul>
        </details>
    }
}
