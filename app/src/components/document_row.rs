use super::{Choice, Foot, Form, FormSpec, Line, Part, When};
use crate::{
    api::documents::{EditDetails, TrashDocument},
    catalogue::{documents as t, site},
    parts::{Icon, Rule, kind_name},
    ssr::Visit,
    words,
};
use izanagi_shared::{
    id::DocumentId,
    wire::{DocumentView, RenderFormat},
};
use leptos::{prelude::*, server_fn::ServerFn};

/// A row of the document list, with its menu.
#[component]
pub(crate) fn DocumentRow(
    document: DocumentView,
    /// URL of this list, and whether the details of this row are edited.
    #[prop(into)]
    list: String,
    is_edited: bool,
) -> impl IntoView {
    let id = document.id;
    let path = format!("/documents/{id}");
    let versions = match document.head_version {
        0 => t::no_version_yet().to_owned(),
        count => site::versions(count),
    };
    let actions = t::actions(&document.title);
    let text = Some(document.description).filter(|text| !text.is_empty());
    let separator = if list.contains('?') { '&' } else { '?' };
    let edit = format!("{list}{separator}edit={id}");
    let (title, format) = (document.title, document.render_format);
    let head = if is_edited {
        view! { <Form spec=details_form(id.to_string(), title, format, list)/> }.into_any()
    } else {
        view! { <h2 class="row-title"><a href=path.clone()><bdi>{title}</bdi></a></h2> }.into_any()
    };
    view! {
        <li class="document-row">
            <div class="row-main">
                {head}
                {text.map(|text| view! { <p class="row-text" dir="auto">{text}</p> })}
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
                        <li><a class="menu-item" href=format!("{path}/read")><Icon name="read"/>{site::read()}</a></li>
                        <li><a class="menu-item" href=format!("{path}/history")><Icon name="history"/>{site::history()}</a></li>
                        <li><a class="menu-item" href=edit><Icon name="write"/>{t::edit_details()}</a></li>
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

/// Form for a row's details; saving returns to the list.
fn details_form(id: String, title: String, format: Option<RenderFormat>, list: String) -> FormSpec {
    let title = Line { start: title, rule: Some(Rule::Title), ..Line::new("title", site::title()) };
    let formats = [("default", t::default_format()), ("markdown", "Markdown"), ("html", "HTML")];
    let format = Choice {
        name: "renderFormat",
        label: t::download_as(),
        options: formats.map(|(value, words)| (value, words.to_owned())).into(),
        start: format.map_or("default", RenderFormat::as_str),
    };
    FormSpec {
        start: Visit::here().form::<EditDetails>("", &[("id", &id)]),
        class: "stack",
        hidden: vec![("id", id), ("back", list.clone())],
        fields: vec![Part::Line(title), Part::Choice(format)],
        submit: site::save(),
        foot: Foot::Cancel(list),
    }
}
