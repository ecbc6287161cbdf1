use super::FormState;
use izanagi_shared::rules::CommitMessage;
use leptos::{ev::KeyboardEvent, html::Textarea, prelude::*};

/// The most characters of a message.
const LIMIT: usize = 500;

/// Why a version is made, with how much room is left. Ctrl+Enter commits.
#[component]
pub(crate) fn MessageField(
    form: FormState,
    /// What is typed, for who sends it.
    text: RwSignal<String>,
    /// The field itself.
    #[prop(optional)]
    field: NodeRef<Textarea>,
    /// Whether it has the focus when its dialog opens.
    #[prop(optional)]
    autofocus: bool,
) -> impl IntoView {
    let typed = form.typed("message");
    if let Some(typed) = &typed {
        text.set(typed.clone());
    }
    let error = Memo::new(move |_| {
        text.with(|text| CommitMessage::parse(text).err()).map(|error| error.message)
    });
    let id = form.id("message");
    let (left_id, error_id) = (format!("{id}-left"), format!("{id}-error"));
    let described = {
        let (left_id, error_id) = (left_id.clone(), error_id.clone());
        move || match error.with(Option::is_some) {
            true => format!("{left_id} {error_id}"),
            false => left_id.clone(),
        }
    };
    let commit = move |event: KeyboardEvent| {
        let is_asked = event.key() == "Enter" && (event.ctrl_key() || event.meta_key());
        if let Some(form) = field.get_untracked().filter(|_| is_asked).and_then(|it| it.form()) {
            event.prevent_default();
            // Refused only when the form has left the page.
            let _ = form.request_submit();
        }
    };
    view! {
        <div class="field">
            <div class="field-head">
                <label for=id.clone()>"What changed, and why"</label>
                <span class="soft numeric" id=left_id>{move || text.with(|text| room_words(text))}</span>
            </div>
            <textarea
                class="input"
                id=id
                name="message"
                rows="3"
                dir="auto"
                autofocus=autofocus
                aria-keyshortcuts="Control+Enter Meta+Enter"
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby=described
                on:input=move |event| text.set(event_target_value(&event))
                on:keydown=commit
                node_ref=field
            >
                {typed}
            </textarea>
            {move || {
                let id = error_id.clone();
                error.get().map(|message| view! { <p class="field-error" id=id>{message}</p> })
            }}
        </div>
    }
}

/// How much room there is. Empty, it says what holds without JavaScript as well.
fn room_words(text: &str) -> String {
    match text.trim().chars().count() {
        0 => format!("at most {LIMIT}"),
        count if count > LIMIT => format!("{} too many", count - LIMIT),
        count => format!("{} left", LIMIT - count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", "at most 500")]
    #[case(" why ", "497 left")]
    #[case(&"🏝".repeat(500), "0 left")]
    #[case(&"🏝".repeat(502), "2 too many")]
    fn room_is_counted_in_characters_as_the_rule_does(#[case] text: &str, #[case] words: &str) {
        assert_eq!(room_words(text), words);
        assert_eq!(CommitMessage::parse(text).is_err(), words.ends_with("too many"));
    }
}
