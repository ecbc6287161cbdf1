use super::{
    address::{document_id, query_text, version_number},
    authorship::{shown_author, shown_message},
};
use crate::{
    api::versions::{NameVersion, ReadableVersion, RestoreVersion, read_version},
    catalogue::{history, site, version as t},
    components::{
        Confirm, Contents, Counts, Crumbs, Form, FormSpec, InTrash, Line, Load, Main, Part,
        RenderedText, When,
    },
    parts::{Icon, Rule},
    ssr::{Visit, shows_images},
};
use izanagi_shared::{
    permission::{Action, Verdict, decide},
    rules::DocumentKind,
    wire::VersionView,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

/// `/documents/{id}/versions/{n}?plain&images&name&restore`: one version.
#[component]
pub(crate) fn VersionPage() -> impl IntoView {
    let (id, number, plain) = (document_id(), version_number(), query_text("plain"));
    let version = Resource::new(
        move || (id.get(), number.get(), !plain.get().is_empty(), shows_images()),
        |(id, number, plain, images)| async move { read_version(id?, number?, plain, images).await },
    );
    // A form opened by the URL is closed once it has been submitted.
    let (name, restore) = (query_text("name"), query_text("restore"));
    let is_naming = move || !name.get().is_empty() && !Visit::here().has_done::<NameVersion>();
    let is_restoring =
        move || !restore.get().is_empty() && !Visit::here().has_done::<RestoreVersion>();
    view! {
        <Load from=version let:readable>
            {view! {
                <VersionBody
                    readable
                    is_plain=!plain.get().is_empty()
                    is_naming=is_naming()
                    is_restoring=is_restoring()
                />
            }.into_any()}
        </Load>
    }
}

#[component]
fn VersionBody(
    readable: ReadableVersion,
    is_plain: bool,
    is_naming: bool,
    is_restoring: bool,
) -> impl IntoView {
    let ReadableVersion { document, standing, version, mut rendered } = readable;
    let toc = std::mem::take(&mut rendered.toc);
    let number = version.number;
    let path = format!("/documents/{}", document.id);
    let here = format!("{path}/versions/{number}");
    let crumbs = vec![
        ("/documents".to_owned(), site::documents().to_owned()),
        (path.clone(), document.title.clone()),
        (format!("{path}/history"), site::history().to_owned()),
    ];
    let download = format!("/api/v1{here}/export");
    let can_commit =
        decide(standing, Action::Commit) == Verdict::Allowed && document.deleted_at.is_none();
    let id = document.id.to_string();
    let restored = id.clone();
    let restore = can_commit.then(|| {
        view! {
            <Confirm
                words=t::restore()
                warning=t::restore_warning()
                open=is_restoring
            >
                <form method="post" action=RestoreVersion::url() data-send="">
                    <input type="hidden" name="id" value=restored/>
                    <input type="hidden" name="number" value=number/>
                    <button class="menu-item">
                        <Icon name="restore"/>
                        {t::restore_yes(&number.to_string())}
                    </button>
                </form>
            </Confirm>
        }
    });
    let views = (document.kind != DocumentKind::Text).then(|| view! {
        <div class="segmented" role="group" aria-label=site::view()>
            <a href=here.clone() aria-current=(!is_plain).then_some("true")>{t::rendered()}</a>
            <a href=format!("{here}?plain=1") aria-current=is_plain.then_some("true")>{t::source()}</a>
        </div>
    });
    view! {
        <Title text=t::page(&number.to_string(), &document.title)/>
        <Main>
            <Crumbs steps=crumbs/>
            <div class="page-head">
                <h1>{t::version(&number.to_string())}</h1>
                <div class="cluster">
                    {views}
                    <a class="button" href=format!("{path}/compare?from={number}&to=live")>
                        <Icon name="compare"/>
                        {t::compare_with_now()}
                    </a>
                    <a class="button" data-variant="quiet" href=download download="">
                        <Icon name="download"/>
                        {site::download()}
                    </a>
                    {restore}
                </div>
            </div>
            <InTrash document=&document standing/>
            <div class="reading">
                <RenderedText rendered address=format!("{here}?images=1")/>
                <aside aria-label=t::about()>
                    <Facts version=version.clone()/>
                    {can_commit.then(|| view! { <Naming id version is_open=is_naming/> })}
                    <Contents toc/>
                </aside>
            </div>
        </Main>
    }
}

#[component]
fn Facts(version: VersionView) -> impl IntoView {
    let message = Some(version.message).filter(|message| !message.is_empty());
    let title =
        version.title.map(|title| view! { <dt>{site::title()}</dt> <dd><bdi>{title}</bdi></dd> });
    let name =
        version.name.map(|name| view! { <dt>{site::name()}</dt> <dd><bdi>{name}</bdi></dd> });
    let damaged =
        version.is_damaged.then(|| view! { <p class="field-error">{history::damaged()}</p> });
    view! {
        {damaged}
        {message.map(|message| view! { <p class="version-message" dir="auto">{shown_message(message)}</p> })}
        <dl class="facts">
            {title}
            {name}
            <dt>{t::author()}</dt>
            <dd><bdi>{shown_author(version.author)}</bdi></dd>
            <dt>{t::when()}</dt>
            <dd><When at=version.created_at/></dd>
            <dt>{t::changes()}</dt>
            <dd><Counts added=version.added removed=version.removed/></dd>
            <dt>{t::length()}</dt>
            <dd>{t::bytes(version.length)}</dd>
            <dt>{t::sha256()}</dt>
            <dd><code>{version.hash}</code></dd>
        </dl>
    }
}

#[component]
fn Naming(id: String, version: VersionView, is_open: bool) -> impl IntoView {
    let number = version.number.to_string();
    let words = if version.name.is_some() { t::change_name() } else { t::set_name() };
    let name = Line {
        hint: Some(t::name_hint()),
        start: version.name.unwrap_or_default(),
        rule: Some(Rule::VersionName),
        ..Line::new("name", site::name())
    };
    let spec = FormSpec {
        start: Visit::here().form::<NameVersion>("", &[("id", &id), ("number", &number)]),
        class: "form",
        hidden: vec![("id", id), ("number", number)],
        fields: vec![Part::Line(name)],
        submit: t::save_name(),
        ..FormSpec::default()
    };
    let is_open = is_open || spec.start.problem.is_some();
    view! {
        <details open=is_open>
            <summary>{words}</summary>
            <Form spec/>
        </details>
    }
}
