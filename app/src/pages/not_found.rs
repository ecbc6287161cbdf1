use crate::{components::ProblemView, error::AppError};
use leptos::prelude::*;

/// Any address that has no page.
#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    view! { <ProblemView error=AppError::not_found()/> }
}
