//! Committing from the editor.

use super::EditorView;
use crate::{
    browser,
    error::AppError,
    parts::{Alert, Icon, MessageField, Rule},
    toasts::{Message, say},
    words,
};
use izanagi_shared::{id::DocumentId, save_state::SaveState};
use leptos::{
    ev::SubmitEvent,
    html::{Dialog, Input, Textarea},
    prelude::*,
    task::spawn_local,
};

/// State of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The user is writing the message.
    Asked,
    /// Waiting until the last edits are saved.
    Waiting,
    Sent,
    /// Rejected, for this reason.
    Refused(String),
}

/// Asks for a message, waits until all edits are saved, then commits.
#[component]
pub(super) fn CommitDialog(id: DocumentId, view: EditorView, action: String) -> impl IntoView {
    let (dialog, field) = (NodeRef::<Dialog>::new(), NodeRef::<Textarea>::new());
    let title_field = NodeRef::<Input>::new();
    let step = RwSignal::new(Step::Asked);
    let path = StoredValue::new(action.clone());
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    Effect::new(move || {
        if view.commit.get() > 0
            && let Some(dialog) = dialog.get_untracked()
            && !dialog.open()
        {
            step.set(Step::Asked);
            // Fails only if the dialog is already open or has been removed from the page.
            let _ = dialog.show_modal();
        }
    });
    let message = move || field.get_untracked().map(|field| field.value()).unwrap_or_default();
    let title = move || title_field.get_untracked().map(|it| it.value()).unwrap_or_default();
    let send = move || async move {
        let (id, message, title, action) = (id.to_string(), message(), title(), path.get_value());
        let fields = [("id", id.as_str()), ("title", &title), ("message", &message)];
        // What the server tells all pages about this commit is no news here.
        view.committed_at.set_value(js_sys::Date::now());
        match browser::post(&action, &fields).await {
            Ok(notice) => {
                view.committed_at.set_value(js_sys::Date::now());
                step.set(Step::Asked);
                if let Some(field) = field.get_untracked() {
                    browser::clear(&field);
                }
                if let Some(field) = title_field.get_untracked() {
                    field.set_value("");
                }
                close();
                say(Message { notice, is_problem: false, kind: Some(action) });
            }
            Err(error) => {
                let AppError(problem) = error.with_what_was_typed();
                step.set(Step::Refused(words::problem(&problem)));
            }
        }
    };
    Effect::new(move || {
        let is_saved = view.save.with(|state| *state == Some(SaveState::Saved));
        if step.with(|step| *step == Step::Waiting) && is_saved {
            step.set(Step::Sent);
            spawn_local(send());
        }
    });
    Effect::new(move || {
        if view.is_covered() {
            close();
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let is_busy = step.with_untracked(|step| matches!(step, Step::Waiting | Step::Sent));
        let is_valid = || dialog.get_untracked().is_none_or(|it| browser::check_form(&it));
        if !is_busy && is_valid() {
            step.set(Step::Waiting);
        }
    };
    // Closing the dialog before the request is sent cancels the commit.
    let on_close = move |_| {
        if step.with_untracked(|step| *step == Step::Waiting) {
            step.set(Step::Asked);
        }
    };
    let busy = move || match step.get() {
        Step::Waiting => words::commit_waiting(),
        Step::Sent => words::commit_sent(),
        Step::Asked | Step::Refused(_) => String::new(),
    };
    let refusal = move || match step.get() {
        Step::Refused(reason) => Some(view! {
            <div role="alert"><Alert variant="warning"><p>{reason}</p></Alert></div>
        }),
        Step::Asked | Step::Waiting | Step::Sent => None,
    };
    let is_sent = move || step.with(|step| *step == Step::Sent).then_some("true");
    view! {
        <dialog class="dialog" aria-labelledby="commit-title" node_ref=dialog on:close=on_close>
            <form method="post" action=action on:submit=submit>
                <div class="dialog-head">
                    <h2 id="commit-title">{words::commit()}</h2>
                    <button
                        class="icon-button"
                        data-variant="quiet"
                        type="button"
                        aria-label=words::close()
                        on:click=move |_| close()
                    >
                        <Icon name="close"/>
                    </button>
                </div>
                {refusal}
                <div class="field">
                    <label for="commit-version-title">{words::version_title()}</label>
                    <input
                        class="input"
                        id="commit-version-title"
                        name="title"
                        dir="auto"
                        autocomplete="off"
                        aria-keyshortcuts="Control+Enter Meta+Enter"
                        data-rule=Rule::VersionTitle.as_str()
                        node_ref=title_field
                    />
                </div>
                <MessageField id="commit-message".to_owned() typed=None error=None field autofocus=true/>
                <div class="dialog-foot">
                    <span class="soft" role="status">{busy}</span>
                    <button class="button" type="button" on:click=move |_| close()>{words::cancel()}</button>
                    <button class="button" type="submit" data-variant="primary" aria-disabled=is_sent>
                        {words::commit()}
                    </button>
                </div>
            </form>
        </dialog>
    }
}
