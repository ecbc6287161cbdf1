use leptos::prelude::*;

/// Footer of every page.
#[component]
pub(crate) fn SiteFooter() -> impl IntoView {
    view! {
        <footer class="site-footer">
            <span>"Izanagi " {env!("CARGO_PKG_VERSION")}</span>
            <a href="/docs" rel="external">"API"</a>
        </footer>
    }
}
