//! Validates fields of server-rendered forms and shows their errors.

use super::on_document;
use crate::{
    parts::{Rule, refusal_html, room_words},
    words,
};
use izanagi_shared::problem::Problem;
use leptos::{
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{
        Element, Event, FocusEvent, HtmlElement, HtmlFormElement, HtmlInputElement,
        HtmlTextAreaElement, KeyboardEvent,
    },
};

const FIELDS: &str = "input[id], select[id], textarea[id]";
const INVALID: &str = "aria-invalid";
const DESCRIBED_BY: &str = "aria-describedby";

/// Listens to the fields of the page.
pub(super) fn listen() {
    on_document("input", |event| {
        let Some(field) = field_of(event) else { return };
        // A message updates its counter on every input; other fields only while they show an error.
        if rule_of(&field) == Some(Rule::Message) || field.has_attribute(INVALID) {
            check(&field);
        }
    });
    on_document("focusout", |event| {
        let Some(field) = field_of(event) else { return };
        let rule = rule_of(&field).filter(|rule| *rule != Rule::Message);
        // An error that appears during a click would move the button away from the pointer.
        if rule.is_some() && goes_to_field(event) {
            check(&field);
        }
    });
    on_document("keydown", |event| {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
        let is_asked = event.key() == "Enter" && (event.ctrl_key() || event.meta_key());
        let field = field_of(event).filter(|_| is_asked);
        let form = field.and_then(|field| field.closest("form").ok().flatten());
        if let Some(form) = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) {
            event.prevent_default();
            // Fails only if the form has been removed from the page.
            let _ = form.request_submit();
        }
    });
}

/// Shows why a form was rejected, at its top and at its fields. Input is kept, except passwords
/// (DESIGN §7).
pub(super) fn show_refusal(form: &HtmlFormElement, problem: &Problem) {
    let scope = form.get_attribute("data-scope").unwrap_or_default();
    let Ok(fields) = form.query_selector_all(FIELDS) else { return };
    let mut names = Vec::new();
    for index in 0..fields.length() {
        let Some(field) = fields.get(index).and_then(|it| it.dyn_into::<HtmlElement>().ok()) else {
            continue;
        };
        let name = field.get_attribute("name").unwrap_or_default();
        set_error(&field, problem.about(&name).map(words::field_error).as_deref());
        let input = field.dyn_ref::<HtmlInputElement>();
        if let Some(input) = input.filter(|input| input.type_() == "password") {
            input.set_value("");
        }
        names.push(name);
    }
    if let Ok(Some(top)) = form.query_selector(".form-refusal") {
        top.set_inner_html(&refusal_html(problem, &scope, &names));
        let alert = top.first_element_child().and_then(|it| it.dyn_into::<HtmlElement>().ok());
        if let Some(alert) = alert {
            // Fails only if the form has been removed from the page.
            let _ = alert.focus();
        }
    }
}

/// Clears a message field.
pub fn clear(field: &HtmlTextAreaElement) {
    field.set_value("");
    check(field);
}

/// Validates the fields of a form that have a rule, shows their errors and focuses the first
/// invalid one. Returns whether all are valid.
#[must_use]
pub fn check_form(form: &Element) -> bool {
    let Ok(fields) = form.query_selector_all("[data-rule]") else { return true };
    let fields = (0..fields.length()).filter_map(|index| fields.get(index)?.dyn_into().ok());
    let fields: Vec<HtmlElement> = fields.collect();
    fields.iter().for_each(check);
    let invalid = fields.iter().find(|field| field.has_attribute(INVALID));
    if let Some(field) = invalid {
        // Fails only if the form has been removed from the page.
        let _ = field.focus();
    }
    invalid.is_none()
}

/// Validates a field by its rule. A field without a rule only clears the server's error, which is
/// outdated.
fn check(field: &HtmlElement) {
    let text = value_of(field);
    let rule = rule_of(field);
    let error = rule.and_then(|rule| rule.check(&text)).map(|error| words::field_error(&error));
    set_error(field, error.as_deref());
    let left = document().get_element_by_id(&format!("{}-left", field.id()));
    if let Some(left) = left.filter(|_| rule == Some(Rule::Message)) {
        left.set_text_content(Some(&room_words(&text)));
    }
}

fn set_error(field: &Element, message: Option<&str>) {
    let id = format!("{}-error", field.id());
    if let Some(old) = document().get_element_by_id(&id) {
        old.remove();
    }
    let described = field.get_attribute(DESCRIBED_BY).unwrap_or_default();
    let others = described.split_whitespace().filter(|other| *other != id);
    let ids: Vec<&str> = others.chain(message.map(|_| id.as_str())).collect();
    // Cannot fail: the names are valid.
    let _ = match ids.is_empty() {
        true => field.remove_attribute(DESCRIBED_BY),
        false => field.set_attribute(DESCRIBED_BY, &ids.join(" ")),
    };
    let Some(message) = message else {
        let _ = field.remove_attribute(INVALID);
        return;
    };
    let _ = field.set_attribute(INVALID, "true");
    if let Ok(words) = document().create_element("p") {
        words.set_class_name("field-error");
        words.set_id(&id);
        words.set_text_content(Some(message));
        let _ = field.after_with_node_1(&words);
    }
}

fn field_of(event: &Event) -> Option<HtmlElement> {
    let target = event.target()?.dyn_into::<HtmlElement>().ok()?;
    target
        .matches("form[data-send] :is(input, select, textarea), :is(input, textarea)[data-rule]")
        .ok()?
        .then_some(target)
}

fn rule_of(field: &Element) -> Option<Rule> {
    Rule::named(&field.get_attribute("data-rule")?)
}

fn value_of(field: &HtmlElement) -> String {
    match field.dyn_ref::<HtmlInputElement>() {
        Some(input) => input.value(),
        None => field.dyn_ref::<HtmlTextAreaElement>().map(|it| it.value()).unwrap_or_default(),
    }
}

/// Returns whether the focus moves to another field.
fn goes_to_field(event: &Event) -> bool {
    let next = event.dyn_ref::<FocusEvent>().and_then(FocusEvent::related_target);
    let next = next.and_then(|next| next.dyn_into::<Element>().ok());
    next.is_some_and(|next| matches!(next.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA"))
}
