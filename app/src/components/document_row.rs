use super::{Field, FormState, Icon, SubmitButton, When, counted, kind_name};
use crate::{
    api::documents::{RenameDocument, TrashDocument},
    writes::Writes,
};
use izanagi_shared::{id::DocumentId, problem::FieldError, rules::Title, wire::DocumentView};
use leptos::{form::ActionForm, prelude::*};

/// A document in the list, with what can be done with it.
#[component]
pub(crate) fn DocumentRow(
    document: DocumentView,
    /// The action of all rows.
    trash: ServerAction<TrashDocument>,
    /// The address of this list, and whether the row is being renamed.
    #[prop(into)]
    list: String,
    is_renamed: bool,
) -> impl IntoView {
    let id = document.id;
    let path = format!("/documents/{id}");
    let versions = match document.head_version {
        0 => "no version yet".to_owned(),
        count => counted(count, "version", "versions"),
    };
    let actions = format!("Actions for {}", document.title);
    let text = Some(document.description).filter(|text| !text.is_empty());
    let separator = if list.contains('?') { '&' } else { '?' };
    let rename = format!("{list}{separator}rename={id}");
    let title = document.title;
    let head = if is_renamed {
        view! { <RenameForm id=id.to_string() title list/> }.into_any()
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
                <li><span class="visually-hidden">"edited "</span><When at=document.updated_at/></li>
                <li>{counted(document.word_count, "word", "words")}</li>
                <li>{versions}</li>
            </ul>
            <div class="row-actions">
                <details class="menu" name="row-menu">
                    <summary class="icon-button" data-variant="quiet">
                        <Icon name="more"/>
                        <span class="visually-hidden">{actions}</span>
                    </summary>
                    <ul class="menu-list">
                        <li><a class="menu-item" href=path.clone()><Icon name="write"/>"Open"</a></li>
                        <li><a class="menu-item" href=format!("{path}/read")><Icon name="read"/>"Read"</a></li>
                        <li><a class="menu-item" href=format!("{path}/history")><Icon name="history"/>"History"</a></li>
                        <li><a class="menu-item" href=rename><Icon name="write"/>"Rename"</a></li>
                        <li>
                            <a class="menu-item" href=export_path(id) download="">
                                <Icon name="download"/>
                                "Download"
                            </a>
                        </li>
                        <li data-divide="">
                            <ActionForm action=trash>
                                <input type="hidden" name="id" value=id.to_string()/>
                                <button class="menu-item" data-variant="danger">
                                    <Icon name="trash"/>
                                    "Move to trash"
                                </button>
                            </ActionForm>
                        </li>
                    </ul>
                </details>
            </div>
        </li>
    }
}

/// Where a document can be downloaded.
pub(crate) fn export_path(id: DocumentId) -> String {
    format!("/api/v1/documents/{id}/export")
}

/// The title of a row while it is being changed; saving leads back to the list.
#[component]
fn RenameForm(id: String, title: String, list: String) -> impl IntoView {
    let action = Writes::here().form_action::<RenameDocument>();
    let form = FormState::of(action, &[("id", &id)]);
    view! {
        <ActionForm action>
            <div class="stack" data-gap="s">
                <input type="hidden" name="id" value=id/>
                <input type="hidden" name="back" value=list.clone()/>
                <Field form name="title" label="Title" start=title rule=check_title/>
                <div class="cluster">
                    <SubmitButton form words="Rename"/>
                    <a class="button" data-variant="quiet" href=list>"Cancel"</a>
                </div>
            </div>
        </ActionForm>
    }
}

/// The rule for titles, as fields ask it.
pub(crate) fn check_title(text: &str) -> Option<FieldError> {
    Title::parse(text).err()
}
