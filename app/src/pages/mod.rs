//! All pages, one module each, and their paths.

mod address;
mod authorship;
mod compare;
mod details;
mod documents;
mod editor;
mod editor_start;
mod history;
mod home;
mod login;
mod not_found;
mod read;
mod sessions;
mod signup;
mod timeline;
mod trash;
mod version;

use compare::ComparePage;
use details::DetailsPage;
use documents::DocumentsPage;
use editor::EditorPage;
use history::HistoryPage;
use home::HomePage;
use login::LoginPage;
use not_found::NotFoundPage;
use read::ReadPage;
use sessions::SessionsPage;
use signup::SignupPage;
use timeline::TimelinePage;
use trash::TrashPage;
use version::VersionPage;

use leptos::prelude::*;
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route},
    path,
};

/// The page of the current path. Rendering waits for a page's data before it sends the first byte,
/// so that status and redirects are correct.
#[component]
pub(crate) fn Pages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=NotFoundPage>
            <Route path=path!("/") view=HomePage ssr=SsrMode::Async/>
            <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async/>
            <Route path=path!("/signup") view=SignupPage ssr=SsrMode::Async/>
            <Route path=path!("/documents") view=DocumentsPage ssr=SsrMode::Async/>
            <Route path=path!("/documents/:id") view=EditorPage ssr=SsrMode::Async/>
            <Route path=path!("/documents/:id/details") view=DetailsPage ssr=SsrMode::Async/>
            <Route path=path!("/documents/:id/read") view=ReadPage ssr=SsrMode::Async/>
            <Route path=path!("/documents/:id/history") view=HistoryPage ssr=SsrMode::Async/>
            <Route path=path!("/documents/:id/timeline") view=TimelinePage ssr=SsrMode::Async/>
            <Route path=path!("/documents/:id/versions/:number") view=VersionPage ssr=SsrMode::Async/>
            <Route path=path!("/documents/:id/compare") view=ComparePage ssr=SsrMode::Async/>
            <Route path=path!("/trash") view=TrashPage ssr=SsrMode::Async/>
            <Route path=path!("/settings/sessions") view=SessionsPage ssr=SsrMode::Async/>
        </FlatRoutes>
    }
}
