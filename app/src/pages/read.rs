use super::address::document_id;
use crate::{
    api::documents::{ReadableDocument, read_document},
    catalogue::{documents as t, site},
    components::{Bundle, Contents, InTrash, Load, Main, RenderedText, When, export_path},
    parts::Icon,
    ssr::shows_images,
    words::{self, around},
};
use izanagi_shared::permission::{Action, Verdict, decide};
use leptos::prelude::*;
use leptos_meta::Title;

/// `/documents/{id}/read?images`: the rendered text.
#[component]
pub(crate) fn ReadPage() -> impl IntoView {
    let id = document_id();
    let read = Resource::new(
        move || (id.get(), shows_images()),
        |(id, images)| async move { read_document(id?, images).await },
    );
    view! {
        <Load from=read let:readable>
            {view! { <Reading readable/> }.into_any()}
        </Load>
    }
}

#[component]
fn Reading(readable: ReadableDocument) -> impl IntoView {
    let ReadableDocument { document, standing, mut rendered } = readable;
    let toc = std::mem::take(&mut rendered.toc);
    let path = format!("/documents/{}", document.id);
    let names = document.owners.iter().enumerate().map(|(index, owner)| {
        let comma = (index > 0).then(site::list_separator);
        view! { {comma} <bdi>{owner.display_name.clone()}</bdi> }
    });
    let names = names.collect_view();
    // Omit the title if the text starts with it.
    let says_its_title = rendered.html.starts_with("<h1")
        && toc.first().is_some_and(|heading| heading.text.trim() == document.title.trim());
    let can_edit = decide(standing, Action::Edit) == Verdict::Allowed;
    let has_history = decide(standing, Action::ReadHistory) == Verdict::Allowed;
    let history = has_history.then(|| {
        view! {
            <a class="button" data-variant="quiet" href=format!("{path}/history")>
                <Icon name="history"/>
                {site::history()}
            </a>
        }
    });
    let edit = can_edit.then(|| {
        view! {
            <a class="button" href=path.clone()>
                <Icon name="write"/>
                {site::edit()}
            </a>
        }
    });
    view! {
        <Title text=document.title.clone()/>
        <Main bundle=Bundle::None>
            <div class="page-head">
                <div>
                    {(!says_its_title).then(|| view! { <h1><bdi>{document.title.clone()}</bdi></h1> })}
                    <ul class="meta">
                        <li>{around(t::by(), names)}</li>
                        <li>{around(site::edited(), view! { <When at=document.updated_at/> })}</li>
                        <li>{words::words(document.word_count)}</li>
                    </ul>
                </div>
                <p class="cluster">
                    {edit}
                    {history}
                    <a class="button" data-variant="quiet" href=export_path(document.id) download="">
                        <Icon name="download"/>
                        {site::download()}
                    </a>
                </p>
            </div>
            <InTrash document=&document standing/>
            <div class="reading">
                <RenderedText rendered address=format!("{path}/read?images=1")/>
                <aside aria-label=t::about()>
                    <Contents toc/>
                </aside>
            </div>
        </Main>
    }
}
