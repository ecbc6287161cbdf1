use crate::{catalogue::site as t, parts::Alert};
use izanagi_shared::markdown::{Rendered, grouped};
use leptos::prelude::*;

/// A rendered text, with what is missing from it.
#[component]
pub(crate) fn RenderedText(
    rendered: Rendered,
    /// URL of this page with images of other sites.
    #[prop(into)]
    address: String,
) -> impl IntoView {
    let Rendered { html, truncated, has_outside_images, .. } = rendered;
    view! {
        <div class="stack">
            {has_outside_images.then(|| view! {
                <p class="soft">{t::images_left_out()} " " <a href=address>{t::load_images()}</a></p>
            })}
            <article class="prose" inner_html=grouped(html)></article>
            {truncated.then(|| view! {
                <Alert>
                    <p>{t::truncated()}</p>
                </Alert>
            })}
        </div>
    }
}
