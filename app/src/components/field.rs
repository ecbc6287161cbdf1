//! Fields of forms, their errors, and the button that sends them.

use super::{FormState, load::Alert};
use izanagi_shared::problem::FieldError;
use leptos::{
    ev::{Event, FocusEvent, MouseEvent},
    html::Input,
    prelude::*,
    wasm_bindgen::JsCast as _,
    web_sys::Element,
};

/// A field with one line.
#[component]
pub(crate) fn Field(
    form: FormState,
    /// As the server function calls it, and the field of a problem.
    name: &'static str,
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    #[prop(optional)] hint: Option<&'static str>,
    #[prop(default = "off")] autocomplete: &'static str,
    /// What stands in it when nothing was typed yet.
    #[prop(optional)]
    start: String,
    /// The rule of the field, the server's own; asked when one goes on to another field, and then
    /// at every change until it is kept.
    #[prop(optional)]
    rule: Option<fn(&str) -> Option<FieldError>>,
) -> impl IntoView {
    let refused = form.about(name);
    let found = RwSignal::new(None::<String>);
    // What the server says holds until the field is changed; then the rule has the word.
    let changed = RwSignal::new(false);
    Effect::new(move || {
        refused.track();
        changed.set(false);
    });
    let error = Signal::derive(move || if changed.get() { found.get() } else { refused.get() });
    let check = move |text: String| {
        changed.set(true);
        found.set(rule.and_then(|rule| rule(&text)).map(|error| error.message));
    };
    let on_input = move |event: Event| {
        if error.with_untracked(Option::is_some) {
            check(event_target_value(&event));
        }
    };
    let on_leave = move |event: FocusEvent| {
        // A message that appears while a button is being pressed would push the button away.
        if rule.is_some() && goes_to_field(&event) {
            check(event_target_value(&event));
        }
    };
    let input = NodeRef::<Input>::new();
    Effect::new(move || {
        // What was typed stays after a refusal, but for passwords (DESIGN §7).
        if kind == "password"
            && form.problem().with(Option::is_some)
            && let Some(input) = input.get_untracked()
        {
            input.set_value("");
        }
    });
    let id = form.id(name);
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let described = {
        let (hint_id, error_id) = (hint.map(|_| hint_id.clone()), error_id.clone());
        move || {
            let ids: Vec<String> = hint_id
                .clone()
                .into_iter()
                .chain(error.with(Option::is_some).then(|| error_id.clone()))
                .collect();
            (!ids.is_empty()).then(|| ids.join(" "))
        }
    };
    // A password is never sent back to a page.
    let value = if kind == "password" { String::new() } else { form.typed(name).unwrap_or(start) };
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            {hint.map(|hint| view! { <p class="field-hint" id=hint_id>{hint}</p> })}
            <input
                class="input"
                id=id
                name=name
                type=kind
                value=value
                autocomplete=autocomplete
                dir=(kind == "text").then_some("auto")
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described
                on:input=on_input
                on:focusout=on_leave
                node_ref=input
            />
            {move || {
                let id = error_id.clone();
                error.get().map(|message| view! { <p class="field-error" id=id>{message}</p> })
            }}
        </div>
    }
}

/// Whether the focus goes on to another field.
fn goes_to_field(event: &FocusEvent) -> bool {
    let next = event.related_target().and_then(|next| next.dyn_into::<Element>().ok());
    next.is_some_and(|next| matches!(next.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"))
}

/// What is wrong with a form, at its top: a list of links to its fields, or one sentence.
#[component]
pub(crate) fn ErrorSummary(form: FormState) -> impl IntoView {
    let summary = NodeRef::<leptos::html::Div>::new();
    Effect::new(move || {
        if form.problem().with(Option::is_some)
            && let Some(summary) = summary.get()
        {
            // The browser may have taken the page away meanwhile; then there is nothing to focus.
            let _ = summary.focus();
        }
    });
    move || {
        form.problem().get().map(|problem| {
            if problem.errors.is_empty() {
                return view! {
                    <div node_ref=summary role="alert" tabindex="-1">
                        <Alert variant="danger"><p>{problem.detail}</p></Alert>
                    </div>
                }
                .into_any();
            }
            let title = match problem.errors.len() {
                1 => "One field needs a change".to_owned(),
                n => format!("{n} fields need a change"),
            };
            let link = |error: FieldError| {
                let target = format!("#{}", form.id(&error.field));
                view! { <li><a href=target>{error.message}</a></li> }
            };
            view! {
                <div class="error-summary" node_ref=summary role="alert" tabindex="-1" aria-labelledby="error-summary">
                    <h2 id="error-summary">{title}</h2>
                    <ul>{problem.errors.into_iter().map(link).collect_view()}</ul>
                </div>
            }
            .into_any()
        })
    }
}

/// Sends the form; not twice at a time.
#[component]
pub(crate) fn SubmitButton(
    form: FormState,
    words: &'static str,
    /// `l` for the one button of a page.
    #[prop(optional)]
    size: Option<&'static str>,
) -> impl IntoView {
    // Not `disabled`, which would take the focus away.
    let busy = move || form.pending().get().then_some("true");
    let hold = move |event: MouseEvent| {
        if form.pending().get_untracked() {
            event.prevent_default();
        }
    };
    view! {
        <button class="button" type="submit" data-variant="primary" data-size=size aria-disabled=busy on:click=hold>
            {words}
        </button>
    }
}
