use super::{Bundle, Main};
use crate::{
    error::AppError,
    own_path::sign_in_path,
    ssr::{redirect, set_status},
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_location;

/// A page that cannot be shown: what happened and what to do next (PRODUCT U4).
#[component]
pub(crate) fn ProblemView(error: AppError) -> impl IntoView {
    let title = Words::of(&error).title;
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
    let words = Words::of(&error);
    let request_id = error.0.request_id;
    let number = (error.0.status > 0).then_some(error.0.status);
    let reference = (error.0.status >= 500 && !request_id.is_empty())
        .then(|| view! { <p class="soft">"Request " <code>{request_id}</code></p> });
    let again = words.can_retry.then(|| {
        view! { <a class="button" data-variant="primary" href=here>"Try again"</a> }
    });
    let title = if is_page {
        view! { <h1>{words.title}</h1> }.into_any()
    } else {
        view! { <h2>{words.title}</h2> }.into_any()
    };
    view! {
        {number.map(|number| view! { <p class="problem-code">"Error " {number}</p> })}
        {title}
        <p>{words.advice}</p>
        <p class="cluster">
            {again}
            <a class="button" href="/documents">"Go to your documents"</a>
        </p>
        {reference}
    }
}

fn query(search: &str) -> String {
    if search.is_empty() { String::new() } else { format!("?{search}") }
}

struct Words {
    title: &'static str,
    advice: String,
    can_retry: bool,
}

impl Words {
    fn of(error: &AppError) -> Self {
        let (title, advice, can_retry) = match (error.0.status, error.0.code.as_str()) {
            (401, _) => ("Sign in first", "Sign in to open this page.", false),
            (403, _) => (
                "You do not have access to this document",
                "You are signed in, but its owners have not given you the right to do that. \
                 Ask one of them, or go back to your own documents.",
                false,
            ),
            (404, _) => (
                "There is nothing at this address",
                "The document may have been deleted, or the link may be incomplete.",
                false,
            ),
            (_, "corrupt_version") => ("This version is damaged", error.0.detail.as_str(), true),
            (0, "unreachable") => {
                ("The server cannot be reached", "Check your connection, then try again.", true)
            }
            (0 | 503, _) => ("The server cannot be reached", error.0.detail.as_str(), true),
            (500.., _) => (
                "Something went wrong on our side",
                "Nothing you saved is lost. Try again in a moment; if it stays, tell the person \
                 who runs this server the number below.",
                true,
            ),
            _ => ("This page cannot be shown", error.0.detail.as_str(), true),
        };
        Self { title, advice: advice.to_owned(), can_retry }
    }
}
