use super::address::{document_id, query_text};
use crate::{
    api::documents::{DocumentDetails, EditDetails, read_details},
    catalogue::{documents as t, site},
    components::{Choice, Crumbs, Foot, Form, FormSpec, InTrash, Line, Load, Main, Part},
    own_path::own_path,
    parts::Rule,
    ssr::{Visit, redirect},
    words,
};
use izanagi_shared::{
    permission::{Action, Verdict, decide},
    wire::{DocumentView, RenderFormat},
};
use leptos::prelude::*;
use leptos_meta::Title;

/// `/documents/{id}/details?back`: a form for a document's title and the format of its downloads.
#[component]
pub(crate) fn DetailsPage() -> impl IntoView {
    let (id, back) = (document_id(), query_text("back"));
    let details = Resource::new(move || id.get(), |id| async move { read_details(id?).await });
    view! {
        <Load from=details let:details>
            {if decide(details.standing, Action::ChangeDetails) == Verdict::Allowed {
                view! { <Details details back=back.get()/> }.into_any()
            } else {
                redirect(&format!("/documents/{}", details.document.id));
                ().into_any()
            }}
        </Load>
    }
}

#[component]
fn Details(details: DocumentDetails, back: String) -> impl IntoView {
    let DocumentDetails { document, standing } = details;
    let path = format!("/documents/{}", document.id);
    let crumbs = vec![
        ("/documents".to_owned(), site::documents().to_owned()),
        (path.clone(), document.title.clone()),
    ];
    let back = own_path(&back).map_or(path, str::to_owned);
    let form = document.deleted_at.is_none().then(|| form(&document, back));
    view! {
        <Title text=t::details_of(&document.title)/>
        <Main width="narrow">
            <Crumbs steps=crumbs/>
            <div class="page-head">
                <h1>{words::edit_details()}</h1>
            </div>
            <InTrash document=&document standing/>
            {form.map(|spec| view! { <Form spec/> })}
        </Main>
    }
}

fn form(document: &DocumentView, back: String) -> FormSpec {
    let id = document.id.to_string();
    let title = Line {
        start: document.title.clone(),
        rule: Some(Rule::Title),
        ..Line::new("title", site::title())
    };
    let formats = [("default", t::default_format()), ("markdown", "Markdown"), ("html", "HTML")];
    let format = Choice {
        name: "renderFormat",
        label: t::download_as(),
        options: formats.map(|(value, words)| (value, words.to_owned())).into(),
        start: document.render_format.map_or("default", RenderFormat::as_str),
    };
    FormSpec {
        start: Visit::here().form::<EditDetails>("", &[("id", &id)]),
        class: "form card",
        hidden: vec![("id", id), ("back", back.clone())],
        fields: vec![Part::Line(title), Part::Choice(format)],
        submit: site::save(),
        foot: Foot::Cancel(back),
    }
}
