use super::When;
use crate::{
    api::documents::TrashDocument,
    catalogue::{documents as t, problems, site},
    own_path::encoded,
    parts::{Icon, kind_name},
    words,
};
use izanagi_shared::{id::DocumentId, wire::DocumentView};
use leptos::{prelude::*, server_fn::ServerFn};

/// A row of the document list, with its menu.
#[component]
pub(crate) fn DocumentRow(
    document: DocumentView,
    /// URL of this list.
    #[prop(into)]
    list: String,
) -> impl IntoView {
    let id = document.id;
    let path = format!("/documents/{id}");
    let versions = match document.head_version {
        0 => t::no_version_yet().to_owned(),
        count => site::versions(count),
    };
    let actions = t::actions(&document.title);
    let damaged = document.is_damaged;
    let damaged =
        damaged.then(|| view! { <p class="field-error">{problems::damaged_document()}</p> });
    let text = Some(document.description).filter(|text| !text.is_empty());
    let details = format!("{path}/details?back={}", encoded(&list));
    view! {
        <li class="document-row" id=format!("row-{id}")>
            <div class="row-main">
                <h2 class="row-title"><a href=path.clone()><bdi>{document.title}</bdi></a></h2>
                {text.map(|text| view! { <p class="row-text" dir="auto">{text}</p> })}
                {damaged}
            </div>
            <ul class="meta">
                <li>{kind_name(document.kind)}</li>
                <li><span class="visually-hidden">{site::edited_label()}</span><When at=document.updated_at/></li>
                <li>{words::words(document.word_count)}</li>
                <li>{versions}</li>
            </ul>
            <div class="row-actions">
                <details class="menu" name="row-menu">
                    <summary class="icon-button" data-variant="quiet">
                        <Icon name="more"/>
                        <span class="visually-hidden">{actions}</span>
                    </summary>
                    <ul class="menu-list">
                        <li><a class="menu-item" href=path.clone()><Icon name="write"/>{site::open()}</a></li>
                        <li><a class="menu-item" href=details><Icon name="info"/>{words::edit_details()}</a></li>
                        <li><a class="menu-item" href=format!("{path}/read")><Icon name="read"/>{site::read()}</a></li>
                        <li><a class="menu-item" href=format!("{path}/history")><Icon name="history"/>{site::history()}</a></li>
                        <li><a class="menu-item" href=format!("{path}/timeline")><Icon name="timeline"/>{site::timeline()}</a></li>
                        <li>
                            <a class="menu-item" href=export_path(id) download="">
                                <Icon name="download"/>
                                {site::download()}
                            </a>
                        </li>
                        <li data-divide="">
                            <form method="post" action=TrashDocument::url() data-send="">
                                <input type="hidden" name="id" value=id.to_string()/>
                                <button class="menu-item" data-variant="danger">
                                    <Icon name="trash"/>
                                    {t::move_to_trash()}
                                </button>
                            </form>
                        </li>
                    </ul>
                </details>
            </div>
        </li>
    }
}

/// Returns the download URL of a document.
pub(crate) fn export_path(id: DocumentId) -> String {
    format!("/api/v1/documents/{id}/export")
}
