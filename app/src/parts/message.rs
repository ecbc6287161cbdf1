use super::{Rule, room_words};
use crate::words;
use leptos::{html::Textarea, prelude::*};

/// Field for the message of a version, with a character counter. Ctrl+Enter commits
/// (`browser::fields`).
#[component]
pub fn MessageField(
    /// Id of the field.
    id: String,
    /// Initial value.
    typed: Option<String>,
    /// Error to show.
    error: Option<String>,
    /// Reference to the field.
    #[prop(optional)]
    field: NodeRef<Textarea>,
    /// Whether it gets the focus when its dialog opens.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let (left_id, error_id) = (format!("{id}-left"), format!("{id}-error"));
    let described = match &error {
        Some(_) => format!("{left_id} {error_id}"),
        None => left_id.clone(),
    };
    view! {
        <div class="field">
            <div class="field-head">
                <label for=id.clone()>{words::message_label()}</label>
                <span class="soft numeric" id=left_id>{room_words(typed.as_deref().unwrap_or_default())}</span>
            </div>
            <textarea
                class="input"
                id=id
                name="message"
                rows="3"
                dir="auto"
                autocomplete="off"
                autofocus=autofocus
                aria-keyshortcuts="Control+Enter Meta+Enter"
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described
                data-rule=Rule::Message.as_str()
                node_ref=field
            >
                {typed}
            </textarea>
            {error.map(|message| view! { <p class="field-error" id=error_id>{message}</p> })}
        </div>
    }
}
