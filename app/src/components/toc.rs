use crate::catalogue::site;
use izanagi_shared::markdown::{TocEntry, toc_html};
use leptos::prelude::*;

/// Table of contents. Empty for fewer than two headings.
#[component]
pub(crate) fn Contents(toc: Vec<TocEntry>) -> impl IntoView {
    (toc.len() > 1).then(|| view! { <div inner_html=toc_html(&toc, site::contents())></div> })
}
