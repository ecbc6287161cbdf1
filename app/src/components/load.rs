//! From a resource to a page. The server waits for it, so that nothing takes its place meanwhile.

use super::{ProblemView, problem::ProblemPart};
use crate::error::AppError;
use leptos::prelude::*;

/// Shows what a resource gives, or why there is nothing.
#[component]
pub(crate) fn Load<T, F>(
    /// What is read.
    from: Resource<Result<T, AppError>>,
    /// The page of it, with its own [`Main`](super::Main).
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
    view! { <Suspense>{part}</Suspense> }
}
