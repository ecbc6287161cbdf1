use super::{Bundle, Main};
use crate::{
    catalogue::problems as t,
    error::AppError,
    own_path::sign_in_path,
    ssr::{redirect, set_status},
    words::{self, around},
};
use izanagi_shared::problem::Problem;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// A page that cannot be shown: what happened and what to do next (PRODUCT U4).
#[component]
pub(crate) fn ProblemView(error: AppError) -> impl IntoView {
    let title = Words::of(&error.0).title;
    view! {
        <Title text=title/>
        <Main class="page problem" bundle=Bundle::None>
            <ProblemWords error is_page=true/>
        </Main>
    }
}

/// Like [`ProblemView`], for part of a page.
#[component]
pub(crate) fn ProblemPart(error: AppError) -> impl IntoView {
    view! {
        <div class="problem">
            <ProblemWords error is_page=false/>
        </div>
    }
}

/// The explanation. Sets the status, and redirects to the sign-in page if signing in would help.
#[component]
fn ProblemWords(error: AppError, is_page: bool) -> impl IntoView {
    let location = use_location();
    let here = location.pathname.get_untracked() + &query(&location.search.get_untracked());
    if error.needs_sign_in() {
        redirect(&sign_in_path(&here));
    } else {
        set_status(error.0.status);
    }
    let words = Words::of(&error.0);
    let request_id = error.0.request_id;
    let number = (error.0.status > 0).then_some(error.0.status);
    let reference = (error.0.status >= 500 && !request_id.is_empty())
        .then(|| view! { <p class="soft">{around(t::request(), view! { <code>{request_id}</code> })}</p> });
    let again = words.can_retry.then(|| {
        view! { <a class="button" data-variant="primary" href=here>{t::try_again()}</a> }
    });
    // The page knows which document it is about only by its path.
    let history = (error.0.code == "corrupt_version")
        .then(|| history_path(&location.pathname.get_untracked()))
        .flatten();
    let history = history.map(|path| view! { <a class="button" href=path>{t::to_history()}</a> });
    let title = if is_page {
        view! { <h1>{words.title}</h1> }.into_any()
    } else {
        view! { <h2>{words.title}</h2> }.into_any()
    };
    view! {
        {number.map(|number| view! { <p class="problem-code">{around(t::error(), number)}</p> })}
        {title}
        <p>{words.advice}</p>
        <p class="cluster">
            {again}
            {history}
            <a class="button" href="/documents">{t::to_documents()}</a>
        </p>
        {reference}
    }
}

/// Returns the path of the history of the document that a path is about.
fn history_path(path: &str) -> Option<String> {
    let id = path.strip_prefix("/documents/")?.split('/').next()?;
    Some(format!("/documents/{id}/history"))
}

fn query(search: &str) -> String {
    if search.is_empty() { String::new() } else { format!("?{search}") }
}

/// What a page says about a problem.
pub(crate) struct Words {
    pub(crate) title: &'static str,
    pub(crate) advice: String,
    can_retry: bool,
}

impl Words {
    pub(crate) fn of(problem: &Problem) -> Self {
        let of_code = || words::problem(problem);
        let (title, advice, can_retry) = match (problem.status, problem.code.as_str()) {
            (401, _) => (t::sign_in(), t::sign_in_advice().to_owned(), false),
            (_, "foreign_origin") => (t::foreign(), of_code(), false),
            (403, _) => (t::forbidden(), t::forbidden_advice().to_owned(), false),
            (404, _) => (t::not_found(), t::not_found_advice().to_owned(), false),
            (429, _) => (t::busy(), of_code(), true),
            (_, "corrupt_document") => (t::damaged_document(), of_code(), true),
            (_, "corrupt_version") => (t::damaged(), of_code(), true),
            (0, "unreachable") => (t::unreachable(), t::unreachable_advice().to_owned(), true),
            (503, "overloaded") => (t::overloaded(), of_code(), true),
            (0 | 503, _) => (t::unreachable(), of_code(), true),
            (500.., _) => (t::internal(), t::internal_advice().to_owned(), true),
            _ => (t::other(), of_code(), true),
        };
        Self { title, advice, can_retry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_a_version_leads_to_the_history() {
        let history = Some("/documents/1/history".to_owned());
        assert_eq!(history_path("/documents/1/versions/2"), history);
        assert_eq!(history_path("/documents/1/compare"), history);
        assert_eq!(history_path("/trash"), None);
    }
}
