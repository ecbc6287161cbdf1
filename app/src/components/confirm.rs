use leptos::prelude::*;

/// A button behind a button: the first opens the words and the second, so that nobody does this by
/// accident. It needs no JavaScript.
#[component]
pub(crate) fn Confirm(
    /// Words on the first button.
    #[prop(into)]
    words: String,
    /// Whose it is, for those who hear it: several stand on a page.
    #[prop(optional, into)]
    about: String,
    /// What will happen.
    #[prop(into)]
    warning: String,
    #[prop(optional)] variant: Option<&'static str>,
    /// Whether it is open from the start.
    #[prop(optional)]
    open: bool,
    /// The form with the second button.
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
