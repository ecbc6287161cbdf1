//! Submits forms without leaving the page, so that input survives an unreachable server.

use super::{fields::show_refusal, focus, on_document};
use crate::{
    error::AppError,
    flash::{ENHANCED, Notice},
    toasts::{Message, say},
    words,
};
use gloo_net::http::{Request, RequestBuilder, Response};
use izanagi_shared::problem::Problem;
use js_sys::Reflect;
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Element, Event, FormData, HtmlFormElement, UrlSearchParams},
};

/// Marks a form while it is being submitted.
const BUSY: &str = "aria-busy";

/// Name and value of a field.
pub type Field<'a> = (&'a str, &'a str);

/// Submits a form and returns the path to open next, which shows the outcome.
///
/// # Errors
/// The server's rejection, or that it cannot be reached.
pub async fn send_form(form: &HtmlFormElement) -> Result<String, AppError> {
    let fields = FormData::new_with_form(form)
        .and_then(|data| UrlSearchParams::new_with_str_sequence_sequence(&data))
        .map_err(|_| AppError::unreachable())?;
    let action = form.get_attribute("action").unwrap_or_default();
    let request = urlencoded(Request::post(&action)).header(ENHANCED, "1");
    let answer = accept(request, String::from(fields.to_string())).await?;
    answer.headers().get("location").ok_or_else(AppError::unexpected_answer)
}

/// Calls a server function that writes, without navigating.
///
/// # Errors
/// The server's rejection, or that it cannot be reached.
pub async fn post(action: &str, fields: &[Field<'_>]) -> Result<Notice, AppError> {
    let body = encode(fields).map(|fields| String::from(fields.to_string()));
    let answer = accept(urlencoded(Request::post(action)), body.unwrap_or_default()).await?;
    answer.json().await.map_err(|_| AppError::unexpected_answer())
}

/// Like [`post`], for a page that is being left: the browser completes the request and drops the
/// response.
pub fn post_as_page_goes(action: &str, fields: &[Field<'_>]) {
    if let Some(fields) = encode(fields) {
        // Fails only above 64 KiB.
        let _ = window().navigator().send_beacon_with_opt_url_search_params(action, Some(&fields));
    }
}

fn encode(fields: &[Field<'_>]) -> Option<UrlSearchParams> {
    let params = UrlSearchParams::new().ok()?;
    for (name, value) in fields {
        params.append(name, value);
    }
    Some(params)
}

fn urlencoded(request: RequestBuilder) -> RequestBuilder {
    request
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded;charset=UTF-8")
}

async fn accept(request: RequestBuilder, body: String) -> Result<Response, AppError> {
    let request = request.body(body).map_err(|_| AppError::unreachable())?;
    let answer = request.send().await.map_err(|_| AppError::unreachable())?;
    if answer.ok() {
        return Ok(answer);
    }
    let problem = answer.json::<Problem>().await;
    Err(problem.map_or_else(|_| AppError::unexpected_answer(), AppError))
}

/// Navigates to a path of this site; reloads the page if it is the current one.
pub fn leave(path: &str) {
    let location = window().location();
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    // Fails only for an invalid URL.
    let _ = if here == path { location.reload() } else { location.assign(path) };
}

/// Handles the page's forms that have `data-send`.
pub(super) fn listen() {
    on_document("submit", |event| {
        let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
        if let Some(form) = form.filter(|form| form.has_attribute("data-send")) {
            event.prevent_default();
            submit(form);
        }
    });
    on_document("formdata", keep_what_is_set);
}

/// Submits a form unless it is already being submitted. A rejection is shown in the form, or as a
/// toast if the form is only a button.
fn submit(form: HtmlFormElement) {
    if form.has_attribute(BUSY) {
        return;
    }
    set_busy(&form, true);
    spawn_local(async move {
        match send_form(&form).await {
            // The form stays busy until the page is unloaded.
            Ok(path) => {
                focus::remember(&form, &path);
                leave(&path);
            }
            Err(error) => {
                set_busy(&form, false);
                if form.get_attribute("data-send").as_deref() == Some("fields") {
                    return show_refusal(&form, &error.with_what_was_typed().0);
                }
                let kind = form.get_attribute("action");
                say(Message {
                    notice: Notice::new(words::problem(&error.0)),
                    is_problem: true,
                    kind,
                });
            }
        }
    });
}

/// Marks the button as busy without `disabled`, which would move the focus away.
fn set_busy(form: &HtmlFormElement, is_busy: bool) {
    let button = form.query_selector("button:not([type=button])").ok().flatten();
    let elements = [(Some(Element::from(form.clone())), BUSY), (button, "aria-disabled")];
    for (element, name) in elements {
        let Some(element) = element else { continue };
        // Fails only for an invalid attribute name.
        let _ = match is_busy {
            true => element.set_attribute(name, "true"),
            false => element.remove_attribute(name),
        };
    }
}

/// Leaves empty fields out of the address of a GET form. Without JavaScript they are included, with
/// the same meaning.
fn keep_what_is_set(event: &Event) {
    let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
    let data = Reflect::get(event, &JsValue::from_str("formData"));
    let Some(data) = data.ok().and_then(|data| data.dyn_into::<FormData>().ok()) else { return };
    if form.is_none_or(|form| form.method() != "get") {
        return;
    }
    let names = data.keys().into_iter().flatten().filter_map(|name| name.as_string());
    for name in names.collect::<Vec<_>>() {
        if data.get(&name).as_string().is_some_and(|value| value.is_empty()) {
            data.delete(&name);
        }
    }
}
