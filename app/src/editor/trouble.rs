use super::{EditorView, Trouble};
use crate::{
    browser,
    own_path::sign_in_path,
    parts::{Alert, Icon},
};
use izanagi_shared::rules::DocumentKind;
use leptos::prelude::*;

/// Explains why edits are not saved and offers ways to continue. The text can always be copied or
/// downloaded (PRODUCT U4).
#[component]
pub(super) fn TroubleAlert(
    view: EditorView,
    title: RwSignal<String>,
    kind: DocumentKind,
) -> impl IntoView {
    // There can be no problem before the page runs in a browser.
    let pathname = || window().location().pathname().unwrap_or_default();
    let again = move |_| view.retry.update(|asked| *asked += 1);
    let copy = move |_| browser::copy(view.current_text());
    let download = move |_| {
        let name = title.with(|title| format!("{title}.{}", kind.extension()));
        browser::save(&name, &view.current_text());
    };
    move || {
        let trouble = view.trouble.get()?;
        let sign_in = (trouble == Trouble::SignedOut).then(|| {
            // In a new tab, because this one holds the unsaved edits.
            view! {
                <a class="button" data-variant="primary" href=sign_in_path(&pathname()) target="_blank">
                    "Sign in again"
                </a>
            }
        });
        let place =
            if view.is_kept.get() { "on this device" } else { "in this tab only: keep it open" };
        let words = match &trouble {
            Trouble::SignedOut => format!(
                "Your session has ended. Your last edits are kept {place}. \
                 Sign in again in a new tab, then return here and try again."
            ),
            Trouble::Refused(reason) => {
                format!("Your last edits are not saved: {reason} They are kept {place}.")
            }
            Trouble::NotStarted => "The editor could not be loaded, so the text is read-only. \
                 Check your connection, then reload the page."
                .to_owned(),
        };
        let ways_on = if trouble == Trouble::NotStarted {
            view! {
                <a class="button" data-variant="primary" href=pathname()>
                    "Reload"
                </a>
            }
            .into_any()
        } else {
            view! {
                <button class="button" type="button" on:click=again>
                    "Try again"
                </button>
                <button class="button" data-variant="quiet" type="button" on:click=copy>
                    "Copy the text"
                </button>
                <button class="button" data-variant="quiet" type="button" on:click=download>
                    <Icon name="download"/>
                    "Download the text"
                </button>
            }
            .into_any()
        };
        Some(view! {
            <div role="alert">
                <Alert variant="danger">
                    <p>{words}</p>
                    <p class="cluster">
                        {sign_in}
                        {ways_on}
                    </p>
                </Alert>
            </div>
        })
    }
}
