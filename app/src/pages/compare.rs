use super::address::{document_id, query_text, query_value};
use crate::{
    api::versions::{ComparedVersions, compare_versions},
    catalogue::{compare as t, site},
    components::{Crumbs, DiffView, Load, Main},
    parts::Icon,
};
use leptos::prelude::*;
use leptos_meta::Title;

/// Which texts to compare, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    from: String,
    to: String,
    ignore_whitespace: bool,
    page: usize,
    unfold: Option<usize>,
}

/// `/documents/{id}/compare?from&to&ignoreWhitespace&page&unfold`: compares two versions, or a
/// version and the live text.
#[component]
pub(crate) fn ComparePage() -> impl IntoView {
    let id = document_id();
    let (from, to, ignore) = (query_text("from"), query_text("to"), query_text("ignoreWhitespace"));
    let (page, unfold) = (query_value::<usize>("page"), query_value::<usize>("unfold"));
    let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
    let choice = Memo::new(move |_| Choice {
        from: or(from.get(), "0"),
        to: or(to.get(), "live"),
        ignore_whitespace: ignore.get() == "true",
        page: page.get().unwrap_or(1),
        unfold: unfold.get(),
    });
    let compared = Resource::new(
        move || (id.get(), choice.get()),
        |(id, Choice { from, to, ignore_whitespace, page, unfold })| async move {
            compare_versions(id?, from, to, ignore_whitespace, page, unfold).await
        },
    );
    view! {
        <Load from=compared let:compared>
            {view! { <Comparison compared choice=choice.get()/> }.into_any()}
        </Load>
    }
}

#[component]
fn Comparison(compared: ComparedVersions, choice: Choice) -> impl IntoView {
    let (title, head) = (compared.document.title.clone(), compared.document.head_version);
    let path = format!("/documents/{}", compared.document.id);
    let crumbs = vec![
        ("/documents".to_owned(), site::documents().to_owned()),
        (path.clone(), title.clone()),
        (format!("{path}/history"), site::history().to_owned()),
    ];
    let heading = t::heading(&side_name(&choice.from, true), &side_name(&choice.to, false));
    let here = format!("{path}/compare");
    let ignore = if choice.ignore_whitespace { "&ignoreWhitespace=true" } else { "" };
    let address = format!("{here}?from={}&to={}{ignore}&", choice.from, choice.to);
    let body = if compared.comparison.changes == 0 {
        view! { <Same is_whitespace_ignored=choice.ignore_whitespace/> }.into_any()
    } else {
        let is_checked = choice.ignore_whitespace;
        view! {
            <DiffView comparison=compared.comparison address unfolded=choice.unfold>
                <span class="soft">
                    {is_checked.then(t::space_ignored)}
                </span>
            </DiffView>
        }
        .into_any()
    };
    view! {
        <Title text=t::page(&heading, &title)/>
        <Main>
            <Crumbs steps=crumbs/>
            <div class="page-head">
                <h1>{heading}</h1>
            </div>
            <form class="diff-choice" method="get" action=here>
                <SideField name="from" label=t::from() chosen=choice.from head/>
                <SideField name="to" label=t::to() chosen=choice.to head/>
                <label class="check">
                    <input type="checkbox" name="ignoreWhitespace" value="true" checked=choice.ignore_whitespace/>
                    {t::ignore_space()}
                </label>
                <button class="button">{site::compare()}</button>
            </form>
            {body}
        </Main>
    }
}

/// Formats a side, such as `Version 3` or `the current text`.
fn side_name(side: &str, starts: bool) -> String {
    match (side, starts) {
        ("live", true) => t::current_first().to_owned(),
        ("live", false) => t::current().to_owned(),
        ("0", true) => t::empty_first().to_owned(),
        ("0", false) => t::empty().to_owned(),
        (number, true) => t::version_first(number),
        (number, false) => t::version(number),
    }
}

/// Maximum number of versions in the lists; the history page offers all of them.
const OFFERED: u64 = 100;

#[component]
fn SideField(name: &'static str, label: &'static str, chosen: String, head: u64) -> impl IntoView {
    let mut sides: Vec<String> = vec!["live".to_owned()];
    let oldest = head.saturating_sub(OFFERED);
    sides.extend((oldest + 1..=head).rev().map(|number| number.to_string()));
    if !sides.contains(&chosen) {
        sides.push(chosen.clone());
    }
    let option = |side: String| {
        let words = if side == "live" { t::now().to_owned() } else { side_name(&side, true) };
        view! { <option value=side.clone() selected=side == chosen>{words}</option> }
    };
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select class="select" id=name name=name>
                {sides.into_iter().map(option).collect_view()}
            </select>
        </div>
    }
}

#[component]
fn Same(is_whitespace_ignored: bool) -> impl IntoView {
    let words = if is_whitespace_ignored { t::same_but_space() } else { t::same_text() };
    view! {
        <div class="empty">
            <Icon name="check"/>
            <h2>{t::same()}</h2>
            <p>{words}</p>
        </div>
    }
}
