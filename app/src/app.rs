//! The app: the routes and the layout shared by every page.

use crate::{
    catalogue::{self, site},
    components::{SiteFooter, SiteHeader},
    pages::{
        ComparePage, DocumentsPage, EditorPage, HistoryPage, HomePage, LoginPage, NotFoundPage,
        ReadPage, SessionsPage, SignupPage, TrashPage, VersionPage,
    },
    ssr::{Me, Visit},
};
use izanagi_shared::markdown::escape_text;
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};

/// The contents of `<body>`. Rendering waits for a page's data before it sends the first byte, so
/// that status and redirects are correct.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    catalogue::provide_language();
    Visit::provide();
    Me::provide();
    // The title is inserted into the markup without escaping.
    let title = |page| escape_text(&format!("{page} – Izanagi"));
    view! {
        <Title formatter=title/>
        <Router>
            <a class="skip-link" href="#main">{site::skip()}</a>
            <SiteHeader/>
            <FlatRoutes fallback=NotFoundPage>
                <Route path=path!("/") view=HomePage ssr=SsrMode::Async/>
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async/>
                <Route path=path!("/signup") view=SignupPage ssr=SsrMode::Async/>
                <Route path=path!("/documents") view=DocumentsPage ssr=SsrMode::Async/>
                <Route path=path!("/documents/:id") view=EditorPage ssr=SsrMode::Async/>
                <Route path=path!("/documents/:id/read") view=ReadPage ssr=SsrMode::Async/>
                <Route path=path!("/documents/:id/history") view=HistoryPage ssr=SsrMode::Async/>
                <Route path=path!("/documents/:id/versions/:number") view=VersionPage ssr=SsrMode::Async/>
                <Route path=path!("/documents/:id/compare") view=ComparePage ssr=SsrMode::Async/>
                <Route path=path!("/trash") view=TrashPage ssr=SsrMode::Async/>
                <Route path=path!("/settings/sessions") view=SessionsPage ssr=SsrMode::Async/>
            </FlatRoutes>
            <SiteFooter/>
        </Router>
    }
}
