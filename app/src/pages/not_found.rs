use crate::{components::ProblemView, error::AppError};
use leptos::prelude::*;

/// Fallback for paths without a page.
#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    view! { <ProblemView error=AppError::not_found()/> }
}
