//! Upload form with drag and drop anywhere on its page, and a row for each upload.

use super::{
    send_files::send_files,
    uploads::{Upload, UploadState, Uploads},
};
use crate::{
    parts::{Icon, isolate_quoted},
    words,
};
use izanagi_shared::problem::FieldError;
use leptos::{
    ev::{self, DragEvent, SubmitEvent},
    html::Input,
    prelude::*,
};

/// Id of the error of the upload form.
const ERROR_ID: &str = "files-error";

/// Upload form. It also accepts files dropped next to it, which the browser would open instead of
/// the page.
#[island]
pub fn UploadZone(
    /// Target of the form without JavaScript.
    action: String,
    /// Why the upload was rejected.
    refusal: Option<String>,
) -> impl IntoView {
    let uploads = Uploads::new();
    let refusal = RwSignal::new(refusal);
    let (input, over) = (NodeRef::<Input>::new(), RwSignal::new(false));
    let send = move |files: Option<leptos::web_sys::FileList>| {
        refusal.set(None);
        if let Some(files) = files.filter(|files| files.length() > 0) {
            send_files(files, uploads);
        }
    };
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(input) = input.get_untracked() {
            if input.files().is_none_or(|files| files.length() == 0) {
                let missing = FieldError::new("file", "required", "");
                refusal.set(Some(words::field_error(&missing)));
                // Fails only if the field has been removed from the page.
                let _ = input.focus();
                return;
            }
            send(input.files());
            input.set_value("");
        }
    };
    let is_refused = move || refusal.with(Option::is_some);
    Effect::new(move || {
        window_event_listener(ev::dragover, move |event| {
            if has_files(&event) {
                event.prevent_default();
                over.set(true);
            }
        });
        window_event_listener(ev::dragleave, move |event| {
            // Moving within the page fires events for each element.
            if event.related_target().is_none() {
                over.set(false);
            }
        });
        window_event_listener(ev::drop, move |event| {
            if has_files(&event) {
                event.prevent_default();
                over.set(false);
                send(event.data_transfer().and_then(|data| data.files()));
            }
        });
    });
    view! {
        <form
            class="drop-zone"
            method="post"
            action=action
            enctype="multipart/form-data"
            data-drag=move || over.get().then_some("")
            on:submit=on_submit
        >
            <Icon name="upload"/>
            <label for="files">{words::drop_files()}</label>
            <input
                id="files"
                name="file"
                type="file"
                multiple=true
                accept=".md,.markdown,.txt,.json"
                aria-invalid=move || is_refused().then_some("true")
                aria-describedby=move || is_refused().then_some(ERROR_ID)
                on:change=move |_| refusal.set(None)
                node_ref=input
            />
            <button class="button">{words::upload()}</button>
        </form>
        {move || refusal.get().map(|refusal| view! { <div id=ERROR_ID role="alert"><Refusal reason=refusal/></div> })}
        <ul class="upload-list" aria-label=words::uploads() hidden=move || uploads.rows().with(Vec::is_empty)>
            <For each=move || uploads.rows().get() key=|upload| upload.id let(upload)>
                <UploadRow upload uploads/>
            </For>
        </ul>
    }
}

/// Why a file was rejected; the message names the file.
#[component]
fn Refusal(reason: String) -> impl IntoView {
    view! { <p class="field-error"><span>{isolate_quoted(&reason)}</span></p> }
}

/// Returns whether files are being dragged, rather than text.
fn has_files(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|data| {
        data.types().iter().any(|kind| kind.as_string().as_deref() == Some("Files"))
    })
}

#[component]
fn UploadRow(upload: Upload, uploads: Uploads) -> impl IntoView {
    let Upload { id, name, state, cancel } = upload;
    let label = format!("upload-{id}");
    let give_up = move |_| {
        cancel.with_value(|cancel| {
            if let Some(cancel) = cancel {
                cancel();
            }
        });
        uploads.remove(id);
    };
    let word = move || match state.get() {
        UploadState::Sending(_) => "sending",
        UploadState::Done => "done",
        UploadState::Failed(_) => "failed",
    };
    let button_name = {
        let name = name.clone();
        move || match state.get() {
            UploadState::Sending(_) => words::cancel_upload(&name),
            UploadState::Done | UploadState::Failed(_) => words::dismiss_upload(&name),
        }
    };
    let progress_label = label.clone();
    let rest = move || match state.get() {
        UploadState::Sending(percent) => {
            let label = progress_label.clone();
            view! { <progress class="progress" max="100" value=percent aria-labelledby=label></progress> }.into_any()
        }
        UploadState::Failed(reason) => view! { <Refusal reason/> }.into_any(),
        UploadState::Done => ().into_any(),
    };
    view! {
        <li class="upload-row" data-state=word>
            <bdi id=label>{name}</bdi>
            <span class="cluster">
                {move || (state.get() == UploadState::Done).then(words::upload_added)}
                <button class="icon-button" data-variant="quiet" type="button" aria-label=button_name on:click=give_up>
                    <Icon name="close"/>
                </button>
            </span>
            {rest}
        </li>
    }
}
