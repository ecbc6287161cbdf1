use super::address::{document_id, query_text, version_number};
use crate::{
    api::versions::{NameVersion, ReadableVersion, RestoreVersion, read_version},
    components::{
        Confirm, Contents, Counts, Crumbs, ErrorSummary, Field, FormState, Icon, Load, Main,
        SubmitButton, When, counted,
    },
    writes::Writes,
};
use izanagi_shared::{
    permission::{Action, Verdict, decide},
    problem::FieldError,
    rules::{DocumentKind, VersionName},
    wire::VersionView,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;

/// `/documents/{id}/versions/{n}?plain&name&restore`: one version.
#[component]
pub(crate) fn VersionPage() -> impl IntoView {
    let writes = Writes::here();
    let (id, number, plain) = (document_id(), version_number(), query_text("plain"));
    let version = Resource::new(
        move || (id.get(), number.get(), !plain.get().is_empty(), writes.revision()),
        |(id, number, plain, _)| async move { read_version(id?, number?, plain).await },
    );
    let actions = Actions { name: writes.form_action(), restore: writes.button_action() };
    // What the address opens is closed again once it is done.
    let opened = (query_text("name"), query_text("restore"));
    let is_naming = move || {
        let is_done = actions.name.value().with_untracked(|value| matches!(value, Some(Ok(_))));
        !opened.0.get().is_empty() && !is_done
    };
    let is_restoring = move || {
        let is_done = actions.restore.value().with_untracked(|value| matches!(value, Some(Ok(_))));
        !opened.1.get().is_empty() && !is_done
    };
    view! {
        <Load from=version let:readable>
            {view! {
                <VersionBody
                    readable
                    is_plain=!plain.get().is_empty()
                    is_naming=is_naming()
                    is_restoring=is_restoring()
                    actions
                />
            }.into_any()}
        </Load>
    }
}

#[derive(Clone, Copy)]
struct Actions {
    name: ServerAction<NameVersion>,
    restore: ServerAction<RestoreVersion>,
}

#[component]
fn VersionBody(
    readable: ReadableVersion,
    is_plain: bool,
    is_naming: bool,
    is_restoring: bool,
    actions: Actions,
) -> impl IntoView {
    let ReadableVersion { document, standing, version, html, toc } = readable;
    let number = version.number;
    let path = format!("/documents/{}", document.id);
    let here = format!("{path}/versions/{number}");
    let crumbs = vec![
        ("/documents".to_owned(), "Documents".to_owned()),
        (path.clone(), document.title.clone()),
        (format!("{path}/history"), "History".to_owned()),
    ];
    let download = format!("/api/v1{here}/content");
    let can_commit =
        decide(standing, Action::Commit) == Verdict::Allowed && document.deleted_at.is_none();
    let id = document.id.to_string();
    let restored = id.clone();
    let restore = can_commit.then(|| view! {
        <Confirm
            words="Restore this version"
            warning="The text becomes what it was in this version. What is there now is committed first, so nothing is lost."
            open=is_restoring
        >
            <ActionForm action=actions.restore>
                <input type="hidden" name="id" value=restored/>
                <input type="hidden" name="number" value=number/>
                <button class="menu-item">
                    <Icon name="restore"/>
                    "Yes, restore version " {number}
                </button>
            </ActionForm>
        </Confirm>
    });
    let views = (document.kind != DocumentKind::Text).then(|| view! {
        <div class="segmented" role="group" aria-label="View">
            <a href=here.clone() aria-current=(!is_plain).then_some("true")>"Rendered"</a>
            <a href=format!("{here}?plain=1") aria-current=is_plain.then_some("true")>"Source"</a>
        </div>
    });
    view! {
        <Title text=format!("Version {number} of “{}”", document.title)/>
        <Main>
            <Crumbs steps=crumbs/>
            <div class="page-head">
                <h1>"Version " {number}</h1>
                <div class="cluster">
                    {views}
                    <a class="button" href=format!("{path}/compare?from={number}&to=live")>
                        <Icon name="compare"/>
                        "Compare with now"
                    </a>
                    <a class="button" data-variant="quiet" href=download download="">
                        <Icon name="download"/>
                        "Download"
                    </a>
                    {restore}
                </div>
            </div>
            <div class="reading">
                <article class="prose" inner_html=html></article>
                <aside aria-label="About this version">
                    <Facts version=version.clone()/>
                    {can_commit.then(|| view! { <NameForm id version action=actions.name is_open=is_naming/> })}
                    <Contents toc/>
                </aside>
            </div>
        </Main>
    }
}

#[component]
fn Facts(version: VersionView) -> impl IntoView {
    let message = Some(version.message).filter(|message| !message.is_empty());
    let name = version.name.map(|name| view! { <dt>"Name"</dt> <dd><bdi>{name}</bdi></dd> });
    view! {
        {message.map(|message| view! { <p class="version-message" dir="auto">{message}</p> })}
        <dl class="facts">
            {name}
            <dt>"Author"</dt>
            <dd><bdi>{version.author.display_name}</bdi></dd>
            <dt>"When"</dt>
            <dd><When at=version.created_at/></dd>
            <dt>"Changes"</dt>
            <dd><Counts added=version.added removed=version.removed/></dd>
            <dt>"Length"</dt>
            <dd>{counted(version.length, "byte", "bytes")}</dd>
            <dt>"SHA-256"</dt>
            <dd><code>{version.hash}</code></dd>
        </dl>
    }
}

#[component]
fn NameForm(
    id: String,
    version: VersionView,
    action: ServerAction<NameVersion>,
    is_open: bool,
) -> impl IntoView {
    let number = version.number.to_string();
    let form = FormState::of(action, &[("id", &id), ("number", &number)]);
    let words = if version.name.is_some() { "Rename this version" } else { "Name this version" };
    view! {
        <details open=is_open || form.was_refused()>
            <summary>{words}</summary>
            <ActionForm action attr:class="form">
                <ErrorSummary form/>
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="number" value=number/>
                <Field
                    form
                    name="name"
                    label="Name"
                    hint="Leave it empty to take the name away."
                    rule=check_name
                    start=version.name.unwrap_or_default()
                />
                <SubmitButton form words="Save name"/>
            </ActionForm>
        </details>
    }
}

fn check_name(text: &str) -> Option<FieldError> {
    // Left empty, the version has no name.
    if text.trim().is_empty() { None } else { VersionName::parse(text).err() }
}
