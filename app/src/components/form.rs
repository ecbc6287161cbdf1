//! Forms with fields. Pages describe a form; scripts submit it and show its errors
//! (`browser::forms`, `browser::fields`).

use crate::{
    catalogue::site,
    flash::is_secret,
    parts::{MessageField, Rule, field_id, refusal_html},
    words,
};
use izanagi_shared::problem::Problem;
use leptos::prelude::*;
use std::collections::BTreeMap;

/// Target of a form, and the outcome of its last submission without JavaScript.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FormStart {
    /// Path of the server function.
    pub(crate) action: &'static str,
    /// Prefix of its field ids, for pages with several forms.
    pub(crate) scope: &'static str,
    /// Submitted values if it was rejected, without secrets.
    pub(crate) typed: BTreeMap<String, String>,
    /// Why it was rejected.
    pub(crate) problem: Option<Problem>,
}

/// The parts of a form, from top to bottom.
#[derive(Debug, Default)]
pub(crate) struct FormSpec {
    pub(crate) start: FormStart,
    pub(crate) class: &'static str,
    /// Names and values of its hidden fields.
    pub(crate) hidden: Vec<(&'static str, String)>,
    /// Its visible fields.
    pub(crate) fields: Vec<Part>,
    /// Label of its button.
    pub(crate) submit: &'static str,
    pub(crate) foot: Foot,
}

/// A field of a form.
#[derive(Debug)]
pub(crate) enum Part {
    /// A single line of text.
    Line(Line),
    /// One of several options.
    Choice(Choice),
    /// The message of a version.
    Message,
}

impl Part {
    const fn name(&self) -> &'static str {
        match self {
            Self::Line(line) => line.name,
            Self::Choice(choice) => choice.name,
            Self::Message => "message",
        }
    }
}

/// A choice between options.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// Name of the server function's argument and of the problem's field.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// Values and labels.
    pub(crate) options: Vec<(&'static str, String)>,
    /// Initial value; the first option if empty.
    pub(crate) start: &'static str,
}

/// A single-line field.
#[derive(Debug)]
pub(crate) struct Line {
    /// Name of the server function's argument and of the problem's field.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// `type` of the `input`; [`Line::secret`] for a password.
    pub(crate) kind: &'static str,
    /// Hint shown below its label.
    pub(crate) hint: Option<&'static str>,
    pub(crate) autocomplete: &'static str,
    /// Initial value.
    pub(crate) start: String,
    /// Rule checked when the user moves to another field, and then on every change until it passes.
    pub(crate) rule: Option<Rule>,
}

impl Line {
    /// Returns a field for any text.
    pub(crate) fn new(name: &'static str, label: &'static str) -> Self {
        let (kind, autocomplete, start) = ("text", "off", String::new());
        Self { name, label, kind, hint: None, autocomplete, start, rule: None }
    }

    /// Returns a field for a secret. Its name must be that of one, so that the server does not keep
    /// what was typed ([`is_secret`]).
    pub(crate) fn secret(name: &'static str, label: &'static str) -> Self {
        debug_assert!(is_secret(name), "{name}");
        Self { kind: "password", ..Self::new(name, label) }
    }
}

/// Position of a form's button.
#[derive(Debug, Default)]
pub(crate) enum Foot {
    /// On its own below the fields.
    #[default]
    Button,
    /// The same, as the page's primary action.
    LargeButton,
    /// At the end of a row.
    End,
    /// Before a link that cancels.
    Cancel(String),
}

#[component]
pub(crate) fn Form(spec: FormSpec) -> impl IntoView {
    let FormSpec { start, class, hidden, fields, submit, foot } = spec;
    let (action, scope) = (start.action, start.scope);
    let names: Vec<_> = fields.iter().map(Part::name).collect();
    let refusal = start.problem.as_ref().map(|problem| refusal_html(problem, scope, &names));
    let hidden = hidden
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> })
        .collect_view();
    let fields = fields.into_iter().map(|part| part_view(part, &start)).collect_view();
    let large = matches!(foot, Foot::LargeButton).then_some("l");
    let button = view! {
        <button class="button" type="submit" data-variant="primary" data-size=large>
            {submit}
        </button>
    };
    let foot = match foot {
        Foot::Button | Foot::LargeButton => button.into_any(),
        Foot::End => view! { <div class="cluster" data-justify="end">{button}</div> }.into_any(),
        Foot::Cancel(path) => view! {
            <div class="cluster">
                {button} <a class="button" data-variant="quiet" href=path>{site::cancel()}</a>
            </div>
        }
        .into_any(),
    };
    view! {
        <form class=class method="post" action=action novalidate="" data-send="fields" data-scope=scope>
            <div class="form-refusal" inner_html=refusal.unwrap_or_default()></div>
            {hidden}
            {fields}
            {foot}
        </form>
    }
}

fn part_view(part: Part, start: &FormStart) -> AnyView {
    let problem = start.problem.as_ref();
    let error =
        |name: &str| problem.and_then(|problem| problem.about(name)).map(words::field_error);
    let typed = |name: &str| start.typed.get(name).cloned();
    match part {
        Part::Line(line) => {
            let (error, typed) = (error(line.name), typed(line.name));
            view! { <Field line scope=start.scope typed error/> }.into_any()
        }
        Part::Choice(Choice { name, label, options, start: initial }) => {
            let (id, typed, error) = (field_id(start.scope, name), typed(name), error(name));
            let error_id = format!("{id}-error");
            let chosen = typed.as_deref().unwrap_or(initial);
            let option = |(value, words): (&'static str, String)| {
                view! { <option value=value selected=value == chosen>{words}</option> }
            };
            view! {
                <div class="field">
                    <label for=id.clone()>{label}</label>
                    <select
                        class="select"
                        id=id
                        name=name
                        aria-invalid=error.is_some().then_some("true")
                        aria-describedby=error.as_ref().map(|_| error_id.clone())
                    >
                        {options.into_iter().map(option).collect_view()}
                    </select>
                    {error.map(|message| view! { <p class="field-error" id=error_id>{message}</p> })}
                </div>
            }
            .into_any()
        }
        Part::Message => {
            let id = field_id(start.scope, "message");
            let (typed, error) = (typed("message"), error("message"));
            view! { <MessageField id typed error/> }.into_any()
        }
    }
}

#[component]
fn Field(
    line: Line,
    scope: &'static str,
    typed: Option<String>,
    error: Option<String>,
) -> impl IntoView {
    let Line { name, label, kind, hint, autocomplete, start, rule } = line;
    let id = field_id(scope, name);
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let hint_of = hint.map(|_| hint_id.clone());
    let described: Vec<String> =
        hint_of.into_iter().chain(error.as_ref().map(|_| error_id.clone())).collect();
    // A secret is never sent back to a page.
    let value = if is_secret(name) { String::new() } else { typed.unwrap_or(start) };
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
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=(!described.is_empty()).then(|| described.join(" "))
                data-rule=rule.map(Rule::as_str)
            />
            {error.map(|message| view! { <p class="field-error" id=error_id>{message}</p> })}
        </div>
    }
}
