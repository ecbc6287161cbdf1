//! Renders resources. The server waits for them, so there is no loading placeholder.

use super::{ProblemView, problem::ProblemPart};
use crate::error::AppError;
use leptos::prelude::*;

/// Shows a loaded resource, or why it could not be loaded.
#[component]
pub(crate) fn Load<T, F>(
    /// Resource.
    from: Resource<Result<T, AppError>>,
    /// Renders the page, including its [`Main`](super::Main).
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
    view! { <Suspense>{page}</Suspense> }
}

/// Like [`Load`], for part of a page; the rest of the page is unaffected.
#[component]
pub(crate) fn LoadPart<T, F>(
    /// Resource.
    from: Resource<Result<T, AppError>>,
    /// Renders the part.
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
    view! { <Suspense>{part}</Suspense> }
}
