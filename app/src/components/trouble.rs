use super::{Icon, load::Alert};
use crate::{
    editor::{EditorView, Trouble},
    own_path::sign_in_path,
    platform::Platform,
};
use izanagi_shared::rules::DocumentKind;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// What keeps edits from being saved, and the ways on. Nothing typed is lost: it can always be
/// taken away as a text (PRODUCT U4).
#[component]
pub(crate) fn TroubleAlert(
    view: EditorView,
    title: RwSignal<String>,
    kind: DocumentKind,
) -> impl IntoView {
    let pathname = use_location().pathname;
    let again = move |_| view.retry.update(|asked| *asked += 1);
    let copy = move |_| (Platform::here().copy)(view.current_text());
    let download = move |_| {
        let name = title.with(|title| format!("{title}.{}", kind.extension()));
        (Platform::here().save_file)(&name, &view.current_text());
    };
    move || {
        let trouble = view.trouble.get()?;
        let sign_in = (trouble == Trouble::SignedOut).then(|| {
            // In another tab, for this one holds what was typed.
            view! {
                <a class="button" data-variant="primary" href=sign_in_path(&pathname.get()) target="_blank">
                    "Sign in again"
                </a>
            }
        });
        let words = match trouble {
            Trouble::SignedOut => {
                "Your sign-in has ended, so your last edits are on this device only. \
                 Sign in again in a new tab, then come back and try again."
                    .to_owned()
            }
            Trouble::Refused(reason) => {
                format!(
                    "Your last edits are not saved: {reason} They are still here, and on this device."
                )
            }
        };
        Some(view! {
            <div role="alert">
                <Alert variant="danger">
                    <p>{words}</p>
                    <p class="cluster">
                        {sign_in}
                        <button class="button" type="button" on:click=again>"Try again"</button>
                        <button class="button" data-variant="quiet" type="button" on:click=copy>"Copy the text"</button>
                        <button class="button" data-variant="quiet" type="button" on:click=download>
                            <Icon name="download"/>
                            "Download the text"
                        </button>
                    </p>
                </Alert>
            </div>
        })
    }
}
