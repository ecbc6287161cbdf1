//! Committing from the editor: a dialog, or without JavaScript a form in the page.

use super::{Icon, MessageField, SubmitButton, form_state::FormState, load::Alert};
use crate::{api::versions::CommitVersion, editor::EditorView, platform::Platform, writes::Writes};
use izanagi_shared::{id::DocumentId, rules::CommitMessage, save_state::SaveState};
use leptos::{
    ev::SubmitEvent,
    html::{Dialog, Textarea},
    prelude::*,
    server_fn::ServerFn,
};

/// Asks for a message, waits until everything typed is on the server, then commits it.
#[component]
pub(crate) fn CommitDialog(id: DocumentId, view: EditorView) -> impl IntoView {
    let action = Writes::here().form_action::<CommitVersion>();
    let form = FormState::of(action, &[("id", &id.to_string())]).named("commit");
    let (dialog, field) = (NodeRef::<Dialog>::new(), NodeRef::<Textarea>::new());
    let message = RwSignal::new(String::new());
    // Sent, and waiting for the last edits to arrive.
    let is_waiting = RwSignal::new(false);
    let close = move || {
        is_waiting.set(false);
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    Effect::new(move || {
        if view.commit.get() > 0
            && let Some(dialog) = dialog.get_untracked()
            && !dialog.open()
        {
            action.value().set(None);
            // Refused only when it is open or has left the page.
            let _ = dialog.show_modal();
        }
    });
    Effect::new(move || {
        let is_saved = view.save.with(|state| *state == Some(SaveState::Saved));
        if is_waiting.get() && is_saved {
            is_waiting.set(false);
            action.dispatch(CommitVersion { id, message: message.get_untracked() });
        }
    });
    Effect::new(move || {
        if action.value().with(|value| matches!(value, Some(Ok(_)))) {
            message.set(String::new());
            if let Some(field) = field.get_untracked() {
                field.set_value("");
            }
            close();
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let is_fit = message.with_untracked(|text| CommitMessage::parse(text).is_ok());
        if is_fit && !action.pending().get_untracked() {
            is_waiting.set(true);
        }
    };
    let busy = move || {
        if action.pending().get() {
            "Committing…"
        } else if is_waiting.get() {
            "Waiting until your last edits are saved…"
        } else {
            ""
        }
    };
    view! {
        <dialog class="dialog" aria-labelledby="commit-title" node_ref=dialog on:close=move |_| is_waiting.set(false)>
            <form method="post" action=CommitVersion::url() on:submit=submit>
                <div class="dialog-head">
                    <h2 id="commit-title">"Commit"</h2>
                    <button
                        class="icon-button"
                        data-variant="quiet"
                        type="button"
                        aria-label="Close"
                        on:click=move |_| close()
                    >
                        <Icon name="close"/>
                    </button>
                </div>
                {move || form.problem().get().map(|problem| view! {
                    <div role="alert"><Alert variant="warning"><p>{problem.detail}</p></Alert></div>
                })}
                <MessageField form text=message field autofocus=true/>
                <div class="dialog-foot">
                    <span class="soft" role="status">{busy}</span>
                    <button class="button" type="button" on:click=move |_| close()>"Cancel"</button>
                    <SubmitButton form words="Commit"/>
                </div>
            </form>
        </dialog>
    }
}

/// What the dialog does, where there is no JavaScript.
#[component]
pub(crate) fn CommitWithoutScript(id: DocumentId) -> impl IntoView {
    let form = FormState::of(ServerAction::<CommitVersion>::new(), &[("id", &id.to_string())]);
    let problem = form.problem().get_untracked();
    // With JavaScript a browser takes what stands in here for mere text, so it is made as a text.
    let form = view! {
        <form class="form card" method="post" action=CommitVersion::url()>
            <p>"Without JavaScript this page shows the text, and commits it, but does not change it."</p>
            {problem.map(|problem| view! { <p class="field-error" role="alert">{problem.detail}</p> })}
            <input type="hidden" name="id" value=id.to_string()/>
            <div class="field">
                <label for="message">"What changed, and why"</label>
                <textarea class="input" id="message" name="message" rows="2" dir="auto">
                    {form.typed("message")}
                </textarea>
            </div>
            <div class="cluster">
                <button class="button" data-variant="primary">"Commit"</button>
            </div>
        </form>
    };
    let html = (Platform::here().markup)(form.into_any());
    view! { <noscript inner_html=html></noscript> }
}
