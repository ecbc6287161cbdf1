use super::{EditorView, retry_delay, save::TitleState, tabs, title_queue::TitleQueue};
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

/// The title, edited in place: Enter or leaving the field saves, Escape reverts. It is sent until the
/// server has stored or rejected it.
#[component]
pub(super) fn TitleForm(
    id: DocumentId,
    /// The saved title.
    title: RwSignal<String>,
    /// URL for saving it.
    action: String,
    view: EditorView,
) -> impl IntoView {
    let field = NodeRef::<Input>::new();
    let state = TitleSync {
        id,
        view,
        title,
        field,
        action: StoredValue::new(action.clone()),
        is_refused: RwSignal::new(false),
        queue: StoredValue::new(TitleQueue::new(title.get_untracked())),
        timer: StoredValue::new(None),
    };
    Effect::new(move || {
        let shown = if view.is_covered() { words::text_area() } else { title.get() };
        document().set_title(&words::brand_title(&shown));
    });
    Effect::new(move || {
        tabs::listen(id, move |new| state.learn(new));
        window_event_listener(ev::online, move |_| state.send());
        window_event_listener(ev::beforeunload, move |event| {
            if state.is_at_risk() {
                event.prevent_default();
            }
        });
        window_event_listener(ev::pagehide, move |_| state.save_as_page_goes());
    });
    Effect::new(move || {
        if let Some(new) = view.title_elsewhere.get() {
            state.learn(&new);
        }
    });
    Effect::new(move |was_covered: Option<bool>| {
        let is_covered = view.is_covered();
        if !is_covered && (view.retry.get() > 0 || was_covered == Some(true)) {
            state.send();
        }
        is_covered
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
struct TitleSync {
    id: DocumentId,
    view: EditorView,
    /// The saved title.
    title: RwSignal<String>,
    field: NodeRef<Input>,
    action: StoredValue<String>,
    is_refused: RwSignal<bool>,
    queue: StoredValue<TitleQueue>,
    timer: StoredValue<Option<TimeoutHandle>>,
}

impl TitleSync {
    fn save(self, typed: &str) {
        match Title::parse(typed) {
            Ok(new) => {
                self.show(new.as_str());
                self.queue.update_value(|queue| queue.want(new.as_str()));
                self.send();
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

    /// Sends the wanted title, unless one is in flight.
    fn send(self) {
        if self.is_someone_elses() {
            return;
        }
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        let next = self.queue.try_update_value(TitleQueue::take).flatten();
        self.show_state();
        let Some(new) = next else { return };
        spawn_local(async move {
            let answer = self.post(&new).await;
            self.answered(new, answer);
            self.show_state();
        });
    }

    async fn post(self, new: &str) -> Result<Notice, AppError> {
        let (id, action) = (self.id.to_string(), self.action.get_value());
        let fields = [("id", id.as_str()), ("title", new)];
        let answer = browser::post(&action, &fields).await;
        let is_signed_out = answer.as_ref().is_err_and(AppError::needs_sign_in);
        if is_signed_out && browser::refresh_session().await.is_ok_and(|answer| answer.ok()) {
            return browser::post(&action, &fields).await;
        }
        answer
    }

    fn answered(self, new: String, answer: Result<Notice, AppError>) {
        match answer {
            Ok(notice) => {
                self.queue.update_value(TitleQueue::stored);
                tabs::tell(self.id, &new);
                self.title.set(new);
                self.say(notice, false);
                self.send();
            }
            Err(error) if error.is_temporary() => {
                let attempt = self.queue.try_update_value(TitleQueue::lost).unwrap_or_default();
                let wait = retry_delay(attempt, js_sys::Math::random());
                self.timer.set_value(set_timeout_with_handle(move || self.send(), wait).ok());
            }
            Err(error) => {
                let is_current = if error.needs_sign_in() {
                    // Sent again when the user asks to, after signing in.
                    let _ = self.queue.try_update_value(TitleQueue::lost);
                    true
                } else {
                    self.queue.try_update_value(TitleQueue::rejected) == Some(true)
                };
                if is_current {
                    self.is_refused.set(true);
                    self.say(Notice::new(words::problem(&error.0)), true);
                } else {
                    self.send();
                }
            }
        }
    }

    /// Handles a title saved elsewhere. What is typed here stays.
    fn learn(self, new: &str) {
        self.queue.update_value(|queue| queue.learn(new));
        let field = self.field.get_untracked();
        let is_untouched =
            field.is_some_and(|field| self.title.with_untracked(|title| field.value() == *title));
        self.title.set(new.to_owned());
        if is_untouched {
            self.show(new);
        }
    }

    fn show_state(self) {
        let state = self.queue.with_value(TitleQueue::state);
        if self.view.title_state.get_untracked() != state {
            self.view.title_state.set(state);
        }
    }

    /// Whether closing the page now would lose a title that has been tried to save.
    fn is_at_risk(self) -> bool {
        self.queue.with_value(TitleQueue::state) == TitleState::Waiting
    }

    /// A field that is removed with its page gets no blur event.
    fn save_as_page_goes(self) {
        let typed = self.field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let Ok(new) = Title::parse(&typed) else { return };
        if self.is_someone_elses() {
            return;
        }
        if self.title.with_untracked(|title| title != new.as_str()) {
            let (id, action) = (self.id.to_string(), self.action.get_value());
            browser::post_as_page_goes(&action, &[("id", &id), ("title", new.as_str())]);
        }
    }

    /// Another user may be signed in: a title is not sent in their name.
    fn is_someone_elses(self) -> bool {
        untrack(|| self.view.is_covered())
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
