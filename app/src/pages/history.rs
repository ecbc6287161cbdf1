use super::{
    address::{document_id, query_value},
    authorship::{shown_author, shown_message},
};
use crate::{
    api::versions::{CommitVersion, History, list_versions},
    catalogue::{history as t, site},
    components::{
        Counts, Crumbs, Foot, Form, FormSpec, InTrash, Line, Load, Main, Pagination, Part, PastEnd,
        When,
    },
    parts::{Icon, Rule},
    ssr::Visit,
};
use izanagi_shared::{
    permission::{Action, Verdict, decide},
    wire::{Page, VersionView},
};
use leptos::prelude::*;
use leptos_meta::Title;

/// `/documents/{id}/history?page`: the versions, newest first.
#[component]
pub(crate) fn HistoryPage() -> impl IntoView {
    let (id, page) = (document_id(), query_value::<u32>("page"));
    let history = Resource::new(
        move || (id.get(), page.get().unwrap_or(1)),
        |(id, page)| async move { list_versions(id?, page).await },
    );
    view! {
        <Load from=history let:history>
            {view! { <HistoryView history/> }.into_any()}
        </Load>
    }
}

/// Id of the form that the list's radio buttons refer to. It precedes the list, because forms
/// cannot be nested.
const CHOICE: &str = "choice";

#[component]
fn HistoryView(history: History) -> impl IntoView {
    let History { document, standing, is_changed, versions } = history;
    let (id, path) = (document.id, format!("/documents/{}", document.id));
    let can_commit =
        decide(standing, Action::Commit) == Verdict::Allowed && document.deleted_at.is_none();
    let can_edit = decide(standing, Action::Edit) == Verdict::Allowed;
    // Committing is then the primary action.
    let has_form = can_commit && is_changed;
    let crumbs = vec![
        ("/documents".to_owned(), site::documents().to_owned()),
        (path.clone(), document.title.clone()),
    ];
    let start = format!("{path}/history?page=");
    let words = site::versions(versions.total);
    let newest = versions.items.first().map_or(0, |version| version.number);
    let is_first_page = versions.page == 1;
    let is_past_end = versions.items.is_empty() && versions.total > 0;
    let rows = versions.items.into_iter().map(|version| {
        let is_newest = version.number == newest;
        // Default selection: the changes since the newest version, or those in it; on later pages,
        // those in the page's newest version.
        let from = if is_changed { version.number == newest } else { version.number + 1 == newest };
        view! { <Row version path=path.clone() is_from=from is_to=is_newest && !is_changed can_commit/> }
    });
    let rows = rows.collect_view();
    let list = if versions.total == 0 {
        view! { <Empty/> }.into_any()
    } else if is_past_end {
        let Page { page_size, total, .. } = versions;
        view! { <PastEnd page_size total words=words.clone() start=start.clone()/> }.into_any()
    } else {
        view! {
            <form id=CHOICE method="get" action=format!("{path}/compare")>
                <div class="history-bar">
                    <span class="pick-head" aria-hidden="true">
                        <span>{t::from()}</span>
                        <span>{t::to()}</span>
                    </span>
                    <button class="button" data-variant=(!has_form).then_some("primary")>
                        <Icon name="compare"/>
                        {site::compare()}
                    </button>
                </div>
            </form>
            <ol class="rows">
                {is_first_page.then(|| view! { <Now is_changed/> })}
                {rows}
            </ol>
        }
        .into_any()
    };
    view! {
        <Title text=t::page(&document.title)/>
        <Main>
            <Crumbs steps=crumbs/>
            <div class="page-head">
                <h1>{site::history()}</h1>
                <p class="cluster">
                    {can_edit.then(|| view! {
                        <a class="button" href=path.clone()>
                            <Icon name="write"/>
                            {site::edit()}
                        </a>
                    })}
                    {can_edit.then(|| view! {
                        <a class="button" data-variant="quiet" href=format!("{path}/timeline")>
                            <Icon name="timeline"/>
                            {site::timeline()}
                        </a>
                    })}
                    <a class="button" data-variant="quiet" href=format!("{path}/read")>
                        <Icon name="read"/>
                        {site::read()}
                    </a>
                </p>
            </div>
            <InTrash document=&document standing/>
            {has_form.then(|| view! { <Form spec=commit_form(id.to_string())/> })}
            {list}
            {(!is_past_end).then(|| view! {
                <Pagination
                    label=t::pages()
                    page=versions.page
                    page_size=versions.page_size
                    total=versions.total
                    words
                    start
                    ways=(t::newer(), t::older())
                />
            })}
        </Main>
    }
}

fn commit_form(id: String) -> FormSpec {
    let title = Line {
        hint: Some(t::optional()),
        rule: Some(Rule::VersionTitle),
        ..Line::new("title", site::title())
    };
    FormSpec {
        start: Visit::here().form::<CommitVersion>("", &[("id", &id)]),
        class: "form card",
        hidden: vec![("id", id)],
        fields: vec![Part::Line(title), Part::Message],
        submit: site::commit(),
        foot: Foot::End,
    }
}

/// The live text, which can be compared like a version.
#[component]
fn Now(is_changed: bool) -> impl IntoView {
    let (badge, words) = if is_changed {
        (t::not_committed(), t::now_changed())
    } else {
        (t::committed(), t::now_same())
    };
    view! {
        <li class="version-row">
            <div class="version-pick">
                <label class="check">
                    <input type="radio" form=CHOICE name="from" value="live"/>
                    <span class="visually-hidden">{t::compare_from_now()}</span>
                </label>
                <label class="check">
                    <input type="radio" form=CHOICE name="to" value="live" checked=is_changed/>
                    <span class="visually-hidden">{t::compare_to_now()}</span>
                </label>
            </div>
            <div class="row-main">
                <h2 class="version-title">{t::now()} " " <span class="badge" data-variant="accent">{badge}</span></h2>
                <p class="soft">{words}</p>
            </div>
            <div class="row-actions"></div>
        </li>
    }
}

#[component]
fn Row(
    version: VersionView,
    path: String,
    is_from: bool,
    is_to: bool,
    can_commit: bool,
) -> impl IntoView {
    let number = version.number;
    let shown = number.to_string();
    let page = format!("{path}/versions/{number}");
    let changes = format!("{path}/compare?from={}&to={number}", number - 1);
    let badge = version
        .name
        .map(|name| view! { " " <span class="badge" data-variant="seal"><bdi>{name}</bdi></span> });
    let damaged = version.is_damaged.then(|| view! { <p class="field-error">{t::damaged()}</p> });
    let title = version.title.map(|title| {
        view! { <p class="version-message"><strong><bdi>{title}</bdi></strong></p> }
    });
    let message = if version.message.is_empty() {
        view! { <p class="soft">{t::no_message()}</p> }.into_any()
    } else {
        view! { <p class="version-message" dir="auto">{shown_message(version.message)}</p> }
            .into_any()
    };
    let change = can_commit.then(|| view! {
        <li data-divide="">
            <a class="menu-item" href=format!("{page}?name=1")><Icon name="write"/>{t::set_name()}</a>
        </li>
        <li>
            <a class="menu-item" href=format!("{page}?restore=1")><Icon name="restore"/>{site::restore()}</a>
        </li>
    });
    view! {
        <li class="version-row">
            <div class="version-pick">
                <label class="check">
                    <input type="radio" form=CHOICE name="from" value=number checked=is_from/>
                    <span class="visually-hidden">{t::compare_from(&shown)}</span>
                </label>
                <label class="check">
                    <input type="radio" form=CHOICE name="to" value=number checked=is_to/>
                    <span class="visually-hidden">{t::compare_to(&shown)}</span>
                </label>
            </div>
            <div class="row-main">
                <h2 class="version-title"><a href=page.clone()>{t::version(&shown)}</a> {badge}</h2>
                {damaged}
                {title}
                {message}
                <ul class="meta">
                    <li><bdi>{shown_author(version.author)}</bdi></li>
                    <li><When at=version.created_at/></li>
                </ul>
            </div>
            <div class="row-actions">
                <Counts added=version.added removed=version.removed/>
                <details class="menu" name="row-menu">
                    <summary class="icon-button" data-variant="quiet">
                        <Icon name="more"/>
                        <span class="visually-hidden">{t::actions(&shown)}</span>
                    </summary>
                    <ul class="menu-list">
                        <li><a class="menu-item" href=page.clone()><Icon name="read"/>{site::open()}</a></li>
                        <li><a class="menu-item" href=changes><Icon name="compare"/>{t::show_changes()}</a></li>
                        {change}
                    </ul>
                </details>
            </div>
        </li>
    }
}

#[component]
fn Empty() -> impl IntoView {
    view! {
        <div class="empty">
            <Icon name="history"/>
            <h2>{t::none()}</h2>
            <p>{t::none_text()}</p>
        </div>
    }
}
