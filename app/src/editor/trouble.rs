use super::{Answer, EditorView, TitleState, Trouble};
use crate::{
    browser,
    flash::Notice,
    own_path::sign_in_path,
    parts::{Alert, Icon},
    toasts::{Message, say},
    words,
};
use izanagi_shared::{id::DocumentId, rules::DocumentKind};
use leptos::{prelude::*, task::spawn_local};

/// Explains why edits are not saved and offers ways to continue. The text can always be copied or
/// downloaded (PRODUCT U4).
#[component]
pub(super) fn TroubleAlert(
    id: DocumentId,
    view: EditorView,
    title: RwSignal<String>,
    kind: DocumentKind,
    /// URL for restoring from the trash.
    restore: String,
) -> impl IntoView {
    // There can be no problem before the page runs in a browser.
    let pathname = || window().location().pathname().unwrap_or_default();
    let again = move |_| view.retry.update(|asked| *asked += 1);
    // The words in question, or else the page's text.
    let text = move || match view.trouble.get_untracked() {
        Some(Trouble::Former(words)) => words,
        _ => view.current_text(),
    };
    let copy = move |_| browser::copy(text());
    let download = move |_| {
        let name = title.with_untracked(|title| format!("{title}.{}", kind.extension()));
        browser::save(&name, &text());
    };
    move || {
        let trouble = view.trouble.get()?;
        let sign_in = (trouble == Trouble::SignedOut).then(|| {
            // In a new tab, because this one holds the unsaved edits.
            view! {
                <a class="button" data-variant="primary" href=sign_in_path(&pathname()) target="_blank">
                    {words::sign_in_again()}
                </a>
            }
        });
        // Without leaving the page, which holds the unsaved edits.
        let restore = (trouble == Trouble::Trashed).then(|| {
            let path = restore.clone();
            view! {
                <button
                    class="button"
                    data-variant="primary"
                    type="button"
                    on:click=move |_| spawn_local(restore_document(id, path.clone(), view))
                >
                    <Icon name="restore"/>
                    {words::restore()}
                </button>
            }
        });
        // Nothing else depends on it, so that buttons keep the focus while the user types.
        let is_signed_out = trouble == Trouble::SignedOut;
        let has_title = is_signed_out && view.title_state.get() != TitleState::Stored;
        let is_saved = is_signed_out && !has_title && !view.has_unsaved.get();
        let explanation = match (&trouble, view.is_kept.get() && !has_title) {
            (Trouble::SignedOut, _) if is_saved => words::trouble_signed_out(),
            (Trouble::OtherUser, true) => words::trouble_other_user(),
            (Trouble::OtherUser, false) => words::trouble_other_user_unkept(),
            (Trouble::Restored, true) => words::trouble_restored_kept(),
            (Trouble::Restored, false) => words::trouble_restored_unkept(),
            (Trouble::Former(_), _) => words::trouble_former(),
            (Trouble::SignedOut, true) => words::trouble_signed_out_kept(),
            (Trouble::SignedOut, false) => words::trouble_signed_out_unkept(),
            (Trouble::Trashed, true) => words::trouble_trashed_kept(),
            (Trouble::Trashed, false) => words::trouble_trashed_unkept(),
            (Trouble::Forbidden, true) => words::trouble_forbidden_kept(),
            (Trouble::Forbidden, false) => words::trouble_forbidden_unkept(),
            (Trouble::Gone, true) => words::trouble_gone_kept(),
            (Trouble::Gone, false) => words::trouble_gone_unkept(),
            (Trouble::Damaged(reason), _) if !view.has_unsaved.get() => reason.clone(),
            (Trouble::Damaged(reason), true) => words::trouble_refused_kept(reason),
            (Trouble::Damaged(reason), false) => words::trouble_refused_unkept(reason),
            (Trouble::Refused(reason), true) => words::trouble_refused_kept(reason),
            (Trouble::Refused(reason), false) => words::trouble_refused_unkept(reason),
            (Trouble::ReadOnly(reason), _) => reason.clone(),
            (Trouble::NotStarted, _) => words::trouble_not_started(),
        };
        let can_only_reload =
            matches!(trouble, Trouble::NotStarted | Trouble::ReadOnly(_) | Trouble::OtherUser);
        let ways_on = if can_only_reload {
            view! {
                <a class="button" data-variant="primary" href=pathname()>
                    {words::reload()}
                </a>
            }
            .into_any()
        } else {
            let answers = match &trouble {
                Trouble::Restored => Some(words::use_restored()),
                Trouble::Former(_) => Some(words::discard_former()),
                _ => None,
            };
            let first = match answers {
                Some(discard) => view! {
                    <button
                        class="button"
                        data-variant="primary"
                        type="button"
                        on:click=move |_| view.answer.set(Some(Answer::Add))
                    >
                        {words::add_back()}
                    </button>
                    <button
                        class="button"
                        type="button"
                        on:click=move |_| view.answer.set(Some(Answer::Discard))
                    >
                        {discard}
                    </button>
                }
                .into_any(),
                None => view! {
                    <button class="button" type="button" on:click=again>
                        {words::try_again()}
                    </button>
                }
                .into_any(),
            };
            if is_saved {
                return Some(alert(explanation, view! { {sign_in} {first} }.into_any()));
            }
            view! {
                {first}
                <button class="button" data-variant="quiet" type="button" on:click=copy>
                    {words::copy_text()}
                </button>
                <button class="button" data-variant="quiet" type="button" on:click=download>
                    <Icon name="download"/>
                    {words::download_text()}
                </button>
            }
            .into_any()
        };
        Some(alert(explanation, view! { {sign_in} {restore} {ways_on} }.into_any()))
    }
}

fn alert(explanation: String, ways_on: AnyView) -> impl IntoView {
    view! {
        <div role="alert">
            <Alert variant="danger">
                <p>{explanation}</p>
                <p class="cluster">{ways_on}</p>
            </Alert>
        </div>
    }
}

/// Restores the document from the trash, then sends the queued edits.
async fn restore_document(id: DocumentId, path: String, view: EditorView) {
    let (notice, is_problem) = match browser::post(&path, &[("id", &id.to_string())]).await {
        Ok(notice) => {
            view.retry.update(|asked| *asked += 1);
            // It would lead to this page.
            (Notice { link: None, ..notice }, false)
        }
        Err(error) => (Notice::new(words::problem(&error.0)), true),
    };
    say(Message { notice, is_problem, kind: Some(path) });
}
