//! Uploading with progress, which `fetch` does not tell: one `XMLHttpRequest` a file, one after
//! the other.

use crate::{
    error::AppError,
    upload::{Upload, UploadState, Uploads},
};
use izanagi_shared::problem::Problem;
use leptos::{
    prelude::*,
    wasm_bindgen::{JsCast, closure::Closure},
    web_sys::{File, FileList, FormData, ProgressEvent, XmlHttpRequest},
};
use std::collections::VecDeque;

const PATH: &str = "/api/v1/documents/upload";

/// Sends each file, and shows a row for each from the start.
pub(super) fn send_files(files: FileList, uploads: Uploads) {
    let files = (0..files.length()).filter_map(|index| files.get(index));
    let waiting = files.map(|file| (uploads.begin(file.name()), file)).collect();
    send_next(waiting, uploads);
}

fn send_next(mut waiting: VecDeque<(Upload, File)>, uploads: Uploads) {
    let Some((upload, file)) = waiting.pop_front() else { return };
    let fallback = upload.clone();
    if send(upload, &file, uploads, move || send_next(waiting, uploads)).is_none() {
        fallback.state.set(UploadState::Failed(AppError::unreachable().0.detail));
    }
}

/// Sends one file; `then` is called when it has arrived, failed, or been given up.
fn send(
    upload: Upload,
    file: &File,
    uploads: Uploads,
    then: impl FnOnce() + 'static,
) -> Option<()> {
    let form = FormData::new().ok()?;
    form.append_with_blob_and_filename("file", file, &file.name()).ok()?;
    let request = XmlHttpRequest::new().ok()?;
    request.open("POST", PATH).ok()?;
    let state = upload.state;
    let on_progress = Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| {
        if event.length_computable() && event.total() > 0.0 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
            let percent = (event.loaded() / event.total() * 100.0).clamp(0.0, 100.0) as u8;
            // The row may have been dismissed with its page.
            let _ = state.try_set(UploadState::Sending(percent));
        }
    });
    request.upload().ok()?.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
    let finished = request.clone();
    let on_end = Closure::once_into_js(move || {
        drop(on_progress);
        let outcome = outcome(&finished);
        let is_done = outcome == UploadState::Done;
        let _ = state.try_set(outcome);
        if is_done {
            uploads.made_document();
        }
        then();
    });
    request.set_onloadend(Some(on_end.unchecked_ref()));
    let aborted = request.clone();
    upload.cancel.set_value(Some(Box::new(move || {
        // Nothing happens to a request that has ended.
        let _ = aborted.abort();
    })));
    request.send_with_opt_form_data(Some(&form)).ok()
}

fn outcome(request: &XmlHttpRequest) -> UploadState {
    if request.status().is_ok_and(|status| status == 201) {
        return UploadState::Done;
    }
    let body = request.response_text().ok().flatten().unwrap_or_default();
    let problem = serde_json::from_str::<Problem>(&body);
    UploadState::Failed(problem.unwrap_or_else(|_| AppError::unreachable().0).detail)
}
