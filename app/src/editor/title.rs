use crate::{
    browser,
    error::AppError,
    flash::Notice,
    toasts::{Message, say},
    words,
};
use izanagi_shared::{id::DocumentId, rules::Title};
use leptos::{
    ev::{self, FocusEvent, KeyboardEvent},
    html::Input,
    prelude::*,
    task::spawn_local,
};

/// The title, edited in place: Enter or leaving the field saves, Escape reverts.
#[component]
pub(super) fn TitleForm(
    id: DocumentId,
    /// The saved title.
    title: RwSignal<String>,
    /// URL for saving it.
    action: String,
) -> impl IntoView {
    let field = NodeRef::<Input>::new();
    let state = TitleState {
        id,
        title,
        field,
        action: StoredValue::new(action.clone()),
        is_refused: RwSignal::new(false),
        on_its_way: StoredValue::new(None),
    };
    Effect::new(move || {
        document().set_title(&words::brand_title(&title.get()));
    });
    Effect::new(move || {
        window_event_listener(ev::pagehide, move |_| state.save_as_page_goes());
    });
    let leave = move |event: KeyboardEvent| {
        // During IME composition, Enter and Escape belong to the input method.
        if event.is_composing() {
            return;
        }
        let key = event.key();
        if key == "Escape" {
            state.show_saved();
        }
        if matches!(key.as_str(), "Enter" | "Escape") {
            event.prevent_default();
            if let Some(field) = field.get_untracked() {
                // Leaving the field saves a changed title.
                let _ = field.blur();
            }
        }
    };
    view! {
        <form class="title-form" method="post" action=action>
            <label class="visually-hidden" for="title">{words::title()}</label>
            <input type="hidden" name="id" value=id.to_string()/>
            <input
                class="title-input"
                id="title"
                name="title"
                autocomplete="off"
                dir="auto"
                value=title.get_untracked()
                aria-invalid=move || state.is_refused.get().then_some("true")
                on:blur=move |event: FocusEvent| state.save(&event_target_value(&event))
                on:keydown=leave
                node_ref=field
            />
        </form>
    }
}

#[derive(Clone, Copy)]
struct TitleState {
    id: DocumentId,
    /// The saved title.
    title: RwSignal<String>,
    field: NodeRef<Input>,
    action: StoredValue<String>,
    is_refused: RwSignal<bool>,
    on_its_way: StoredValue<Option<String>>,
}

impl TitleState {
    fn save(self, typed: &str) {
        match Title::parse(typed) {
            Ok(new) => {
                self.show(new.as_str());
                // Resend a rejected title, but not one in flight.
                let is_new = self.title.with_untracked(|title| title != new.as_str());
                let is_sent =
                    self.on_its_way.with_value(|sent| sent.as_deref() == Some(new.as_str()));
                if is_new && !is_sent {
                    self.send(new.as_str().to_owned());
                }
            }
            Err(error) if error.code == "blank" => {
                self.show_saved();
                self.say(Notice::new(words::title_kept()), false);
            }
            Err(error) => {
                self.is_refused.set(true);
                self.say(Notice::new(words::field_error(&error)), true);
            }
        }
    }

    fn send(self, new: String) {
        self.on_its_way.set_value(Some(new.clone()));
        spawn_local(async move {
            let (id, action) = (self.id.to_string(), self.action.get_value());
            let answer = browser::post(&action, &[("id", &id), ("title", &new)]).await;
            self.on_its_way.set_value(None);
            match answer {
                Ok(notice) => {
                    self.title.set(new);
                    self.say(notice, false);
                }
                Err(AppError(problem)) => {
                    self.is_refused.set(true);
                    self.say(Notice::new(words::problem(&problem)), true);
                }
            }
        });
    }

    /// A field that is removed with its page gets no blur event.
    fn save_as_page_goes(self) {
        let typed = self.field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let Ok(new) = Title::parse(&typed) else { return };
        if self.title.with_untracked(|title| title != new.as_str()) {
            let (id, action) = (self.id.to_string(), self.action.get_value());
            browser::post_as_page_goes(&action, &[("id", &id), ("title", new.as_str())]);
        }
    }

    fn show_saved(self) {
        self.title.with_untracked(|title| self.show(title));
    }

    fn show(self, text: &str) {
        self.is_refused.set(false);
        if let Some(field) = self.field.get_untracked() {
            field.set_value(text);
        }
    }

    fn say(self, notice: Notice, is_problem: bool) {
        say(Message { notice, is_problem, kind: Some(self.action.get_value()) });
    }
}
