//! Uploads with progress, which `fetch` does not report: one `XMLHttpRequest` per file, one after
//! the other.

use super::uploads::{Upload, UploadState, Uploads};
use crate::{browser, error::AppError, words};
use izanagi_shared::problem::Problem;
use js_sys::Promise;
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_bindgen::{JsCast, closure::Closure},
    web_sys::{File, FileList, FormData, ProgressEvent, XmlHttpRequest},
};
use wasm_bindgen_futures::JsFuture;

const PATH: &str = "/api/v1/documents/upload";

/// Uploads each file; all rows are shown from the start.
pub(super) fn send_files(files: FileList, uploads: Uploads) {
    let files = (0..files.length()).filter_map(|index| files.get(index));
    let waiting: Vec<_> = files.map(|file| (uploads.begin(file.name()), file)).collect();
    spawn_local(async move {
        for (upload, file) in waiting {
            // The user may have cancelled it while it was queued.
            if uploads.holds(&upload) {
                send(upload, &file, uploads).await;
            }
        }
    });
}

/// Uploads a file; retries once after renewing the sign-in.
async fn send(upload: Upload, file: &File, uploads: Uploads) {
    let mut answer = post(&upload, file).await;
    let is_signed_out = answer.as_ref().is_some_and(|answer| answer.status() == Ok(401));
    let is_renewed =
        is_signed_out && browser::refresh_session().await.is_ok_and(|answer| answer.ok());
    if is_renewed && uploads.holds(&upload) {
        answer = post(&upload, file).await;
    }
    let outcome = outcome(answer.as_ref());
    let is_done = outcome == UploadState::Done;
    // The row may have been removed with its page.
    let _ = upload.state.try_set(outcome);
    if is_done {
        uploads.made_document();
    }
}

/// Returns the request once it has completed, failed or been aborted.
async fn post(upload: &Upload, file: &File) -> Option<XmlHttpRequest> {
    let form = FormData::new().ok()?;
    form.append_with_blob_and_filename("file", file, &file.name()).ok()?;
    let request = XmlHttpRequest::new().ok()?;
    request.open("POST", PATH).ok()?;
    let state = upload.state;
    let on_progress = Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| {
        if event.length_computable() && event.total() > 0.0 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
            let percent = (event.loaded() / event.total() * 100.0).clamp(0.0, 100.0) as u8;
            let _ = state.try_set(UploadState::Sending(percent));
        }
    });
    request.upload().ok()?.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
    let end = Promise::new(&mut |resolve, _| request.set_onloadend(Some(&resolve)));
    let aborted = request.clone();
    upload.cancel.set_value(Some(Box::new(move || {
        // Aborting a completed request has no effect.
        let _ = aborted.abort();
    })));
    request.send_with_opt_form_data(Some(&form)).ok()?;
    JsFuture::from(end).await.ok()?;
    Some(request)
}

fn outcome(request: Option<&XmlHttpRequest>) -> UploadState {
    if request.is_some_and(|request| request.status() == Ok(201)) {
        return UploadState::Done;
    }
    let body = request.and_then(|request| request.response_text().ok().flatten());
    let problem = serde_json::from_str::<Problem>(&body.unwrap_or_default());
    let problem = problem.unwrap_or_else(|_| AppError::unreachable().0);
    UploadState::Failed(words::problem(&problem))
}
