use super::address::query_value;
use crate::{
    api::documents::{PurgeDocument, RestoreDocument, list_documents},
    catalogue::{documents as t, site},
    components::{Confirm, LoadPart, Main, Pagination, PastEnd, When},
    parts::Icon,
    words::{self, around},
};
use izanagi_shared::wire::{DocumentSort, DocumentView, Page};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

/// `/trash?page`: documents in the trash, to restore or delete permanently.
#[component]
pub(crate) fn TrashPage() -> impl IntoView {
    let page = query_value::<u32>("page");
    let trashed = Resource::new(
        move || page.get().unwrap_or(1),
        |page| list_documents(String::new(), DocumentSort::Updated, page, true),
    );
    view! {
        <Title text=t::trash()/>
        <Main>
            <div class="page-head">
                <div>
                    <h1>{t::trash()}</h1>
                    <p class="soft">{t::trash_text()}</p>
                </div>
            </div>
            <LoadPart from=trashed let:page>
                {view! { <List page/> }.into_any()}
            </LoadPart>
        </Main>
    }
}

#[component]
fn List(page: Page<DocumentView>) -> impl IntoView {
    let words = site::documents_count(page.total);
    let start = "/trash?page=";
    if page.items.is_empty() && page.total > 0 {
        let Page { page_size, total, .. } = page;
        return view! { <PastEnd page_size total words start/> }.into_any();
    }
    if page.items.is_empty() {
        return view! {
            <div class="empty">
                <Icon name="trash"/>
                <h2>{t::trash_none()}</h2>
                <p>{t::trash_none_text()}</p>
            </div>
        }
        .into_any();
    }
    let row = move |document: DocumentView| view! { <Row document/> };
    view! {
        <ul class="rows">{page.items.into_iter().map(row).collect_view()}</ul>
        <Pagination
            label=t::trash_pages()
            page=page.page
            page_size=page.page_size
            total=page.total
            words
            start
        />
    }
    .into_any()
}

#[component]
fn Row(document: DocumentView) -> impl IntoView {
    let id = document.id.to_string();
    let versions = match document.head_version {
        0 => t::no_version_yet().to_owned(),
        count => site::versions(count),
    };
    let about = format!(" {}", document.title);
    let row_id = format!("row-{id}");
    let (purged, purged_about) = (id.clone(), about.clone());
    let since = document
        .deleted_at
        .map(|at| view! { <li>{around(t::moved_here(), view! { <When at/> })}</li> });
    view! {
        <li id=row_id>
            <div class="row-main">
                <h2 class="row-title"><bdi>{document.title}</bdi></h2>
                <ul class="meta">
                    {since}
                    <li>{words::words(document.word_count)}</li>
                    <li>{versions}</li>
                </ul>
            </div>
            <div class="row-actions">
                <form method="post" action=RestoreDocument::url() data-send="">
                    <input type="hidden" name="id" value=id/>
                    <button class="button">
                        <Icon name="restore"/>
                        {site::restore()}
                        <span class="visually-hidden">{about}</span>
                    </button>
                </form>
                <Confirm
                    words=t::purge()
                    about=purged_about
                    warning=t::purge_warning()
                    variant="danger"
                >
                    <form method="post" action=PurgeDocument::url() data-send="">
                        <input type="hidden" name="id" value=purged/>
                        <button class="menu-item" data-variant="danger">
                            <Icon name="trash"/>
                            {t::purge_yes()}
                        </button>
                    </form>
                </Confirm>
            </div>
        </li>
    }
}
