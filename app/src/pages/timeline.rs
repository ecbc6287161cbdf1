use super::{
    address::{document_id, query_text, query_value},
    authorship::shown_author,
};
use crate::{
    api::edits::{DocumentHistory, RestoreEdit, read_edits},
    catalogue::{site, timeline as t},
    components::{Bundle, Confirm, Crumbs, Load, Main, When},
    parts::Icon,
    timeline::{OpenedTimeline, Timeline, TimelineHtml},
    words::grouped,
};
use izanagi_shared::{
    id::{ActorId, DocumentId},
    markdown::escape_text,
    wire::{EditSessionView, Person},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

/// `/documents/{id}/timeline?at&before`: the history of a text, edit by edit. Without JavaScript it
/// shows the text after edit `at`, and links to the ends of editing sessions.
#[component]
pub(crate) fn TimelinePage() -> impl IntoView {
    let (id, asked, before) = (document_id(), query_text("at"), query_value("before"));
    let at = Memo::new(move |_| asked.with(|asked| moment_of(asked)));
    let history = Resource::new(
        move || (id.get(), at.get(), before.get()),
        |(id, at, before)| async move { read_edits(id?, at, before).await },
    );
    view! {
        <Load from=history let:history>
            {view! { <TimelineBody history asked=asked.get()/> }.into_any()}
        </Load>
    }
}

#[component]
fn TimelineBody(history: DocumentHistory, asked: String) -> impl IntoView {
    let DocumentHistory { document, first, live, at, text, is_cut, sessions, earlier, .. } =
        history;
    let (id, path) = (document.id, format!("/documents/{}", document.id));
    let crumbs = vec![
        ("/documents".to_owned(), site::documents().to_owned()),
        (path.clone(), document.title.clone()),
    ];
    let has_edits = live >= first;
    let is_another = !asked.is_empty() && asked.parse() != Ok(at);
    let heading = match at < live {
        true => t::text_after(&grouped(at)),
        false => t::text_now().to_owned(),
    };
    provide_context(TimelineHtml { text: text_html(id, at, &text, is_cut) });
    let body = if has_edits {
        view! {
            <noscript><h2>{heading}</h2></noscript>
            <Timeline opened=OpenedTimeline { id, first, live, at }/>
            <Sessions path=path.clone() sessions earlier at/>
        }
        .into_any()
    } else {
        view! {
            <div class="empty">
                <Icon name="history"/>
                <h2>{t::none()}</h2>
                <p>{t::none_text()}</p>
            </div>
        }
        .into_any()
    };
    view! {
        <Title text=t::page(&document.title)/>
        <Main bundle=if has_edits { Bundle::Timeline } else { Bundle::None }>
            <Crumbs steps=crumbs/>
            <div class="page-head">
                <h1>{site::timeline()}</h1>
                <div class="cluster">
                    <a class="button" href=path.clone()>
                        <Icon name="write"/>
                        {site::edit()}
                    </a>
                    <a class="button" data-variant="quiet" href=format!("{path}/history")>
                        <Icon name="history"/>
                        {site::history()}
                    </a>
                    {has_edits.then(|| view! { <Restore id seq=at is_now={at >= live}/> })}
                </div>
            </div>
            {is_another.then(|| view! { <p class="soft">{t::nearest()}</p> })}
            {(first > 1).then(|| view! { <p class="soft">{t::starts_later(&grouped(first))}</p> })}
            {body}
        </Main>
    }
}

/// The edit that an address names; a number that is too long or no number stands for one beyond all.
fn moment_of(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    Some(text.parse().unwrap_or(if text.starts_with('-') { 0 } else { u64::MAX }))
}

/// The text as the server shows it.
fn text_html(id: DocumentId, at: u64, text: &str, is_cut: bool) -> String {
    let mut html =
        format!("<div class=\"timeline-block\" dir=\"auto\">{}</div>", escape_text(text));
    if is_cut {
        html.push_str(&format!(
            "<p class=\"timeline-cut\">{} <a href=\"/api/v1/documents/{id}/edits/text?seq={at}\">{}</a></p>",
            t::beginning(),
            t::whole(),
        ));
    }
    html
}

/// The form that restores the moment that is shown; hidden while that is the present one.
#[component]
fn Restore(id: DocumentId, seq: u64, is_now: bool) -> impl IntoView {
    view! {
        <div id="timeline-restore" hidden=is_now>
            <Confirm words=t::restore() warning=t::restore_warning()>
                <form method="post" action=RestoreEdit::url() data-send="">
                    <input type="hidden" name="id" value=id.to_string()/>
                    <input type="hidden" name="seq" value=seq/>
                    <button class="menu-item">
                        <Icon name="restore"/>
                        {t::restore_yes()}
                    </button>
                </form>
            </Confirm>
        </div>
    }
}

#[component]
fn Sessions(
    path: String,
    sessions: Vec<EditSessionView>,
    earlier: Option<u64>,
    at: u64,
) -> impl IntoView {
    let earlier = earlier.map(|before| {
        let href = format!("{path}/timeline?before={before}");
        view! { <p><a class="button" href=href>{t::earlier()}</a></p> }
    });
    let rows = sessions.into_iter().map(|session| {
        view! { <Session path=path.clone() session at/> }
    });
    view! {
        <section class="timeline-sessions" aria-labelledby="sessions">
            <h2 id="sessions">{t::sessions()}</h2>
            <p class="soft">{t::sessions_text()}</p>
            <ol class="rows">{rows.collect_view()}</ol>
            {earlier}
        </section>
    }
}

#[component]
fn Session(path: String, session: EditSessionView, at: u64) -> impl IntoView {
    let EditSessionView { from_seq, to_seq, from, authors, added, removed, .. } = session;
    let href = format!("{path}/timeline?at={to_seq}");
    let names = authors.into_iter().enumerate().map(|(index, author)| {
        let comma = (index > 0).then(site::list_separator);
        view! { {comma} <bdi>{author_name(author)}</bdi> }
    });
    let names = names.collect_view();
    view! {
        <li>
            <div class="row-main">
                <h3 class="version-title">
                    <a href=href data-seq=to_seq aria-current=(at == to_seq).then_some("true")>
                        <When at=from is_precise=true/>
                    </a>
                </h3>
                <ul class="meta">
                    <li>{names}</li>
                    <li>{t::session_edits(&grouped(from_seq), &grouped(to_seq))}</li>
                </ul>
            </div>
            <div class="row-actions">
                <span class="counts">
                    <span data-kind="insert">
                        <span aria-hidden="true">"+" {grouped(added)}</span>
                        <span class="visually-hidden">{t::units_added(added)}</span>
                    </span>
                    <span data-kind="delete">
                        <span aria-hidden="true">"−" {grouped(removed)}</span>
                        <span class="visually-hidden">{t::units_removed(removed)}</span>
                    </span>
                </span>
            </div>
        </li>
    }
}

/// Returns the name of an author. An account that was deleted has no username.
fn author_name(author: Person) -> String {
    match author {
        Person { username, id, .. } if username.is_empty() && id.0 != ActorId::SERVER.0 => {
            t::former().to_owned()
        }
        author => shown_author(author),
    }
}
