use super::address::{query_text, query_value};
use crate::{
    api::documents::{CreateDocument, list_documents},
    catalogue::{documents as t, site},
    components::{
        Choice, DocumentRow, Form, FormSpec, Line, LoadPart, Main, Pagination, Part, PastEnd,
    },
    islands::UploadZone,
    own_path::encoded,
    parts::{Icon, Rule, isolate_quoted, kind_name},
    ssr::{UPLOAD_PATH, Visit},
};
use izanagi_shared::{
    rules::DocumentKind,
    wire::{DocumentSort, DocumentView, Page},
};
use leptos::prelude::*;
use leptos_meta::Title;

/// Query of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listing {
    query: String,
    sort: DocumentSort,
    page: u32,
}

impl Listing {
    /// Returns the URL of this list with another sort order, on its first page.
    fn address(&self, sort: DocumentSort) -> String {
        let mut address = "/documents".to_owned();
        if !self.query.is_empty() {
            address = format!("{}query={}", and_more(&address), encoded(&self.query));
        }
        if sort != DocumentSort::default() {
            address = format!("{}sort={}", and_more(&address), sort.as_str());
        }
        address
    }
}

/// Appends a separator, so that one more parameter can follow.
fn and_more(address: &str) -> String {
    format!("{address}{}", if address.contains('?') { '&' } else { '?' })
}

/// `/documents?query&sort&page`: the user's documents.
#[component]
pub(crate) fn DocumentsPage() -> impl IntoView {
    let (query, sort, page) = (query_text("query"), query_text("sort"), query_value::<u32>("page"));
    let listing = Memo::new(move |_| Listing {
        query: query.get(),
        sort: sort_of(&sort.get()),
        page: page.get().unwrap_or(1),
    });
    let documents = Resource::new(
        move || listing.get(),
        |listing| list_documents(listing.query, listing.sort, listing.page, false),
    );
    view! {
        <Title text=t::documents()/>
        <Main>
            <div class="page-head">
                <h1>{t::documents()}</h1>
                <NewDocument/>
            </div>
            <Tools listing/>
            <UploadZone action=UPLOAD_PATH.to_owned() refusal=Visit::here().upload_refusal()/>
            // Refreshed after each upload (`browser::list`).
            <div class="list" id="list">
                <LoadPart from=documents let:page>
                    {view! { <List page listing=listing.get()/> }.into_any()}
                </LoadPart>
            </div>
        </Main>
    }
}

/// Search and sort. Both are part of the URL, so that a list can be bookmarked.
#[component]
fn Tools(listing: Memo<Listing>) -> impl IntoView {
    let choice = move |sort: DocumentSort, words: &'static str| {
        let address = move || listing.with(|listing| listing.address(sort));
        let current = move || listing.with(|listing| (listing.sort == sort).then_some("true"));
        view! { <a href=address aria-current=current>{words}</a> }
    };
    let sort = move || {
        let sort = listing.with(|listing| listing.sort);
        (sort != DocumentSort::default())
            .then(|| view! { <input type="hidden" name="sort" value=sort.as_str()/> })
    };
    view! {
        <div class="list-tools">
            <form class="search" role="search" method="get" action="/documents">
                <Icon name="search"/>
                <label class="visually-hidden" for="query">{t::search_label()}</label>
                <input
                    class="input"
                    id="query"
                    name="query"
                    type="search"
                    dir="auto"
                    autocomplete="off"
                    placeholder=t::search_hint()
                    value=move || listing.with(|listing| listing.query.clone())
                />
                {sort}
                <button class="button">{t::search()}</button>
            </form>
            <div class="segmented" role="group" aria-label=t::sort()>
                {choice(DocumentSort::Updated, t::sort_updated())}
                {choice(DocumentSort::Created, t::sort_created())}
                {choice(DocumentSort::Title, t::sort_title())}
            </div>
        </div>
    }
}

/// Form for an empty document, behind a button.
#[component]
fn NewDocument() -> impl IntoView {
    let title = Line { rule: Some(Rule::Title), ..Line::new("title", site::title()) };
    let kinds = [DocumentKind::Markdown, DocumentKind::Text, DocumentKind::Json];
    let kinds = kinds.map(|kind| (kind.as_str(), kind_name(kind)));
    let kind =
        Choice { name: "kind", label: t::kind(), options: kinds.into(), ..Choice::default() };
    let spec = FormSpec {
        start: Visit::here().form::<CreateDocument>("new", &[]),
        class: "form",
        fields: vec![Part::Line(title), Part::Choice(kind)],
        submit: t::create(),
        ..FormSpec::default()
    };
    let was_refused = spec.start.problem.is_some();
    view! {
        <details class="menu" open=was_refused>
            <summary class="button" data-variant="primary">
                <Icon name="plus"/>
                {t::new()}
            </summary>
            <div class="menu-list card">
                <Form spec/>
            </div>
        </details>
    }
}

#[component]
fn List(page: Page<DocumentView>, listing: Listing) -> impl IntoView {
    let start = format!("{}page=", and_more(&listing.address(listing.sort)));
    let words = site::documents_count(page.total);
    if page.items.is_empty() && page.total > 0 {
        let Page { page_size, total, .. } = page;
        return view! { <PastEnd page_size total words start/> }.into_any();
    }
    if page.items.is_empty() {
        return view! { <Empty query=listing.query/> }.into_any();
    }
    let here = format!("{start}{}", page.page);
    let row = |document: DocumentView| view! { <DocumentRow document list=here.clone()/> };
    let rows = page.items.into_iter().map(row).collect_view();
    view! {
        <ul class="rows">{rows}</ul>
        <Pagination
            label=t::pages()
            page=page.page
            page_size=page.page_size
            total=page.total
            words
            start
        />
    }
    .into_any()
}

/// Empty list: why it is empty and what to do next.
#[component]
fn Empty(query: String) -> impl IntoView {
    if query.is_empty() {
        view! {
            <div class="empty">
                <Icon name="document"/>
                <h2>{t::none()}</h2>
                <p>
                    {t::none_text()}
                </p>
            </div>
        }
        .into_any()
    } else {
        view! {
            <div class="empty">
                <Icon name="search"/>
                <h2>{isolate_quoted(&t::no_match(&query))}</h2>
                <p>{t::no_match_text()}</p>
                <p class="cluster">
                    <a class="button" href="/documents">{t::show_all()}</a>
                </p>
            </div>
        }
        .into_any()
    }
}

fn sort_of(name: &str) -> DocumentSort {
    let sorts = [DocumentSort::Updated, DocumentSort::Created, DocumentSort::Title];
    sorts.into_iter().find(|sort| sort.as_str() == name).unwrap_or_default()
}
