use super::{
    address::document_id,
    editor_start::{FirstScreen, Start, first_screen, start_json, text_html},
};
use crate::{
    api::{
        documents::{EditDetails, OpenedDocument, RestoreDocument, open_document},
        versions::CommitVersion,
    },
    catalogue::{documents as t, site},
    components::{Bundle, FormStart, Load, Scripts},
    editor::{Editor, EditorHtml, OpenedText},
    error::AppError,
    ssr::{Me, Visit, redirect, shows_images},
    words,
};
use izanagi_shared::{
    id::DocumentId,
    markdown,
    permission::{Action, Verdict, decide},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

/// `/documents/{id}?images`: the editor. Without JavaScript it shows the text and a form to commit it.
#[component]
pub(crate) fn EditorPage() -> impl IntoView {
    let id = document_id();
    let me = Me::here();
    let opened = move |id: Result<DocumentId, AppError>| async move {
        let opened = open_document(id?).await?;
        let name = me.await.map(|user| user.display_name).unwrap_or_default();
        Ok((opened, name))
    };
    let opened = Resource::new(move || id.get(), opened);
    view! {
        <Load from=opened let:opened>
            {let (opened, user_name) = opened;
            if decide(opened.standing, Action::Edit) == Verdict::Allowed {
                view! { <Editing opened user_name/> }.into_any()
            } else {
                // The reading page serves users who may only read better.
                redirect(&format!("/documents/{}/read", opened.document.id));
                ().into_any()
            }}
        </Load>
    }
}

#[component]
fn Editing(opened: OpenedDocument, user_name: String) -> impl IntoView {
    let OpenedDocument { document, text, revision, user, .. } = opened;
    let (id, kind, is_trashed) = (document.id, document.kind, document.deleted_at.is_some());
    let commit = Visit::here().form::<CommitVersion>("", &[("id", &id.to_string())]);
    let counts = markdown::counts(&text);
    let outside_images = shows_images();
    let FirstScreen { html, is_partial, lacks_images, is_cut } =
        first_screen(kind, &text, outside_images);
    let start = Start {
        id,
        user,
        title: &document.title,
        kind,
        text: &text,
        is_read_only: is_trashed,
        outside_images,
    };
    provide_context(EditorHtml {
        text: text_html(id, &text),
        start: start_json(&start),
        preview: html,
        without_script: if is_trashed { String::new() } else { commit_form(id, commit) },
    });
    let opened = OpenedText {
        id,
        title: document.title.clone(),
        kind,
        is_trashed,
        revision,
        length: text.len(),
        user,
        user_name,
        head_version: document.head_version,
        lacks_images,
        is_cut,
        is_partial,
        words: counts.words,
        characters: counts.characters,
        rename: EditDetails::PATH.to_owned(),
        restore: RestoreDocument::PATH.to_owned(),
        commit: CommitVersion::PATH.to_owned(),
    };
    view! {
        <Title text=document.title/>
        <Editor opened/>
        <Scripts bundle=Bundle::Editor/>
    }
}

/// The commit form for browsers without JavaScript. Browsers with JavaScript parse the contents of
/// `noscript` as plain text, so it is built as a string.
fn commit_form(id: DocumentId, start: FormStart) -> String {
    let FormStart { action, typed, problem, .. } = start;
    let form = view! {
        <form class="form card" method="post" action=action>
            <p>{t::without_script()}</p>
            {problem.map(|problem| view! { <p class="field-error" role="alert">{words::problem(&problem)}</p> })}
            <input type="hidden" name="id" value=id.to_string()/>
            <div class="field">
                <label for="message">{words::message_label()}</label>
                <textarea class="input" id="message" name="message" rows="2" dir="auto">
                    {typed.get("message").cloned()}
                </textarea>
            </div>
            <div class="cluster">
                <button class="button" data-variant="primary">{site::commit()}</button>
            </div>
        </form>
    };
    form.to_html()
}
