use super::address::{only_what_is_set, query_text, query_value};
use crate::{
    api::documents::{CreateDocument, TrashDocument, list_documents},
    components::{
        DocumentRow, ErrorSummary, Field, FormState, Icon, LoadPart, Main, Pagination, PastEnd,
        SubmitButton, UploadZone, check_title, counted, kind_name,
    },
    writes::Writes,
};
use izanagi_shared::{
    id::DocumentId,
    rules::DocumentKind,
    wire::{DocumentSort, DocumentView, Page},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;
use leptos_router::components::Form;

/// What is listed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listing {
    query: String,
    sort: DocumentSort,
    page: u32,
}

impl Listing {
    /// The address of this list with another sort, on its first page.
    fn address(&self, sort: DocumentSort) -> String {
        let mut address = "/documents".to_owned();
        if !self.query.is_empty() {
            address = format!("{}query={}", and_more(&address), form_query(&self.query));
        }
        if sort != DocumentSort::default() {
            address = format!("{}sort={}", and_more(&address), sort.as_str());
        }
        address
    }
}

/// An address, ready for one more parameter.
fn and_more(address: &str) -> String {
    format!("{address}{}", if address.contains('?') { '&' } else { '?' })
}

/// Percent-encodes a value of a query.
fn form_query(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encode =
        |byte: u8| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

/// `/documents?query&sort&page&rename`: the caller's documents.
#[component]
pub(crate) fn DocumentsPage() -> impl IntoView {
    let writes = Writes::here();
    let (query, sort, page) = (query_text("query"), query_text("sort"), query_value::<u32>("page"));
    let listing = Memo::new(move |_| Listing {
        query: query.get(),
        sort: sort_of(&sort.get()),
        page: page.get().unwrap_or(1),
    });
    let renamed = query_value::<DocumentId>("rename");
    let documents = Resource::new(
        move || (listing.get(), writes.revision()),
        |(listing, _)| list_documents(listing.query, listing.sort, listing.page, false),
    );
    let trash = writes.button_action::<TrashDocument>();
    view! {
        <Title text="Documents"/>
        <Main>
            <div class="page-head">
                <h1>"Documents"</h1>
                <NewDocument/>
            </div>
            <Tools listing/>
            <UploadZone/>
            <LoadPart from=documents let:page>
                {view! { <List page listing=listing.get() renamed=renamed.get() trash/> }.into_any()}
            </LoadPart>
        </Main>
    }
}

/// Search and sort. Both are addresses, so that a list can be kept as a bookmark.
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
            <Form
                method="get"
                action="/documents"
                on_form_data=only_what_is_set()
                attr:class="search"
                attr:role="search"
            >
                <Icon name="search"/>
                <label class="visually-hidden" for="query">"Search documents"</label>
                <input
                    class="input"
                    id="query"
                    name="query"
                    type="search"
                    dir="auto"
                    placeholder="Title or description"
                    value=move || listing.with(|listing| listing.query.clone())
                />
                {sort}
                <button class="button">"Search"</button>
            </Form>
            <div class="segmented" role="group" aria-label="Sort by">
                {choice(DocumentSort::Updated, "Last edited")}
                {choice(DocumentSort::Created, "Newest")}
                {choice(DocumentSort::Title, "Title")}
            </div>
        </div>
    }
}

/// The form for an empty document, behind a button.
#[component]
fn NewDocument() -> impl IntoView {
    let action = Writes::here().form_action::<CreateDocument>();
    let form = FormState::of(action, &[]).named("new");
    let kind = form.typed("kind").unwrap_or_default();
    let option = |value: DocumentKind| {
        view! { <option value=value.as_str() selected=kind == value.as_str()>{kind_name(value)}</option> }
    };
    let options = [DocumentKind::Markdown, DocumentKind::Text, DocumentKind::Json].map(option);
    view! {
        <details class="menu" open=form.was_refused()>
            <summary class="button" data-variant="primary">
                <Icon name="plus"/>
                "New document"
            </summary>
            <div class="menu-list card">
                <ActionForm action attr:class="form">
                    <ErrorSummary form/>
                    <Field form name="title" label="Title" rule=check_title/>
                    <div class="field">
                        <label for=form.id("kind")>"Kind"</label>
                        <select class="select" id=form.id("kind") name="kind">
                            {options.collect_view()}
                        </select>
                    </div>
                    <SubmitButton form words="Create"/>
                </ActionForm>
            </div>
        </details>
    }
}

#[component]
fn List(
    page: Page<DocumentView>,
    listing: Listing,
    renamed: Option<DocumentId>,
    trash: ServerAction<TrashDocument>,
) -> impl IntoView {
    let start = format!("{}page=", and_more(&listing.address(listing.sort)));
    let words = counted(page.total, "document", "documents");
    if page.items.is_empty() && page.total > 0 {
        let Page { page_size, total, .. } = page;
        return view! { <PastEnd page_size total words start/> }.into_any();
    }
    if page.items.is_empty() {
        return view! { <Empty query=listing.query/> }.into_any();
    }
    let here = format!("{start}{}", page.page);
    let row = |document: DocumentView| {
        let is_renamed = renamed == Some(document.id);
        view! { <DocumentRow document trash list=here.clone() is_renamed/> }
    };
    let rows = page.items.into_iter().map(row).collect_view();
    view! {
        <ul class="rows">{rows}</ul>
        <Pagination
            label="Pages of documents"
            page=page.page
            page_size=page.page_size
            total=page.total
            words
            start
        />
    }
    .into_any()
}

/// Nothing here: why, and what to do next.
#[component]
fn Empty(query: String) -> impl IntoView {
    if query.is_empty() {
        view! {
            <div class="empty">
                <Icon name="document"/>
                <h2>"No documents yet"</h2>
                <p>
                    "Start with a new document, or drop Markdown, text or JSON files anywhere on this page. \
                    They stay as they are, byte for byte."
                </p>
            </div>
        }
        .into_any()
    } else {
        view! {
            <div class="empty">
                <Icon name="search"/>
                <h2>"Nothing fits “" <bdi>{query}</bdi> "”"</h2>
                <p>"Try fewer or other words."</p>
                <p class="cluster">
                    <a class="button" href="/documents">"Show all documents"</a>
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
