use crate::{api::documents::RenameDocument, flash::Notice, writes::Writes};
use izanagi_shared::{id::DocumentId, rules::Title};
use leptos::{
    ev::{FocusEvent, KeyboardEvent},
    form::ActionForm,
    html::Input,
    prelude::*,
    server_fn::ServerFn,
};

/// The title, which is changed in place: by Enter or by going on; Escape takes the change back.
#[component]
pub(crate) fn TitleForm(
    id: DocumentId,
    /// The title that is saved.
    title: RwSignal<String>,
) -> impl IntoView {
    let writes = Writes::here();
    let action = writes.button_action::<RenameDocument>();
    let field = NodeRef::<Input>::new();
    let is_refused = RwSignal::new(false);
    let sent = StoredValue::new(String::new());
    Effect::new(move || match action.value().get() {
        Some(Ok(_)) => title.set(sent.get_value()),
        Some(Err(_)) => is_refused.set(true),
        None => {}
    });
    let show = move |text: &str| {
        is_refused.set(false);
        if let Some(field) = field.get_untracked() {
            field.set_value(text);
        }
    };
    let save = move |event: FocusEvent| {
        let typed = event_target_value(&event);
        let kind = Some(RenameDocument::PATH);
        match Title::parse(&typed) {
            Ok(new) => {
                show(new.as_str());
                // What was refused may go again; what is on its way does not go twice.
                let is_new = title.with_untracked(|title| title != new.as_str());
                let is_sent = sent.with_value(|sent| sent == new.as_str());
                if is_new && !(is_sent && action.pending().get_untracked()) {
                    sent.set_value(new.as_str().to_owned());
                    let title = new.as_str().to_owned();
                    action.dispatch(RenameDocument { id, title, back: None });
                }
            }
            Err(error) if error.code == "blank" => {
                title.with_untracked(|title| show(title));
                let words = "A document needs a title, so this one keeps its own.";
                writes.say_outcome(kind, Notice::new(words), false);
            }
            Err(error) => {
                is_refused.set(true);
                writes.say_outcome(kind, Notice::new(error.message), true);
            }
        }
    };
    let leave = move |event: KeyboardEvent| {
        // Enter and Escape belong to whoever composes a character.
        if event.is_composing() {
            return;
        }
        let key = event.key();
        if key == "Escape" {
            title.with_untracked(|title| show(title));
        }
        if matches!(key.as_str(), "Enter" | "Escape") {
            event.prevent_default();
            if let Some(field) = field.get_untracked() {
                // What differs is saved as the field is left.
                let _ = field.blur();
            }
        }
    };
    // The field is also left as its page goes, and then the signal goes before this is asked.
    let invalid = move || is_refused.try_get().unwrap_or_default().then_some("true");
    view! {
        <ActionForm action attr:class="title-form">
            <label class="visually-hidden" for="title">"Title"</label>
            <input type="hidden" name="id" value=id.to_string()/>
            <input
                class="title-input"
                id="title"
                name="title"
                autocomplete="off"
                dir="auto"
                value=title.get_untracked()
                aria-invalid=invalid
                on:blur=save
                on:keydown=leave
                node_ref=field
            />
        </ActionForm>
    }
}
