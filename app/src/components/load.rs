//! From a resource to a page.

use super::{Icon, ProblemView, problem::ProblemPart};
use crate::{error::AppError, focus::Focus};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

/// The landmark of a page. Route changes move the focus here.
#[component]
pub(crate) fn Main(
    /// Its class, after which style sheets know the kind of page.
    #[prop(default = "page")]
    class: &'static str,
    /// `narrow` for a single column.
    #[prop(optional)]
    width: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let main = NodeRef::<leptos::html::Main>::new();
    let (focus, path) = (expect_context::<Focus>(), use_location().pathname);
    Effect::new(move || {
        if let Some(main) = main.get() {
            focus.page_shown(path.get_untracked(), main);
        }
    });
    view! {
        <main id="main" class=class data-width=width tabindex="-1" node_ref=main>
            {children()}
        </main>
    }
}

/// Shows what a resource gives: a place-holder, then the page, or why there is none.
#[component]
pub(crate) fn Load<T, F>(
    /// What is read.
    from: Resource<Result<T, AppError>>,
    /// The page of it, with its own [`Main`].
    children: F,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> AnyView + Clone + Send + Sync + 'static,
{
    let page = move || {
        let children = children.clone();
        Suspend::new(async move {
            match from.await {
                Ok(value) => children(value),
                Err(error) => view! { <ProblemView error/> }.into_any(),
            }
        })
    };
    view! { <Transition fallback=Loading>{page}</Transition> }
}

/// Shows what a resource gives as a part of a page whose other parts stay as they are.
#[component]
pub(crate) fn LoadPart<T, F>(
    /// What is read.
    from: Resource<Result<T, AppError>>,
    /// The part.
    children: F,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> AnyView + Clone + Send + Sync + 'static,
{
    let part = move || {
        let children = children.clone();
        Suspend::new(async move {
            match from.await {
                Ok(value) => children(value),
                Err(error) => view! { <ProblemPart error/> }.into_any(),
            }
        })
    };
    view! { <Transition fallback=Skeleton>{part}</Transition> }
}

#[component]
fn Loading() -> impl IntoView {
    view! {
        <Main>
            <Skeleton/>
        </Main>
    }
}

/// Shows after 300 ms, for the style sheet waits that long.
#[component]
fn Skeleton() -> impl IntoView {
    view! {
        <p class="visually-hidden" role="status">"Loading…"</p>
        <div class="skeleton" aria-hidden="true">
            <span></span>
            <span></span>
            <span></span>
            <span></span>
            <span></span>
            <span></span>
        </div>
    }
}

/// A message that belongs to the page.
#[component]
pub(crate) fn Alert(
    /// `success`, `warning`, `danger`; none for a mere remark.
    #[prop(optional)]
    variant: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let icon = match variant {
        Some("success") => "check",
        Some(_) => "warning",
        None => "info",
    };
    view! {
        <div class="alert" data-variant=variant>
            <Icon name=icon/>
            {children()}
        </div>
    }
}
