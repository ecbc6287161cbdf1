//! The app: the layout shared by every page.

use crate::{
    catalogue::{self, site},
    components::{SiteFooter, SiteHeader},
    pages::Pages,
    ssr::{Me, Visit},
};
use izanagi_shared::markdown::escape_text;
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::Router;

/// The contents of `<body>`.
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
            <Pages/>
            <SiteFooter/>
        </Router>
    }
}
