use crate::{catalogue::site as t, parts::Icon, words::grouped};
use leptos::prelude::*;

/// Links to the previous and next page, with the current position. Empty if there is only one page.
#[component]
pub(crate) fn Pagination(
    /// What is listed, for the name of the landmark.
    label: &'static str,
    page: u32,
    page_size: u32,
    total: u64,
    /// Total number of items, in words.
    words: String,
    /// URL of a page without its number, such as `/documents?page=`.
    #[prop(into)]
    start: String,
    /// Labels of the links to the previous and next page.
    #[prop(default = (t::previous(), t::next()))]
    ways: (&'static str, &'static str),
) -> impl IntoView {
    let pages = total.div_ceil(u64::from(page_size)).max(1);
    (pages > 1).then(|| {
        let back = (page > 1).then(|| format!("{start}{}", page - 1));
        let forth = (u64::from(page) < pages).then(|| format!("{start}{}", page + 1));
        view! {
            <nav class="pagination" aria-label=label>
                {match back {
                    Some(path) => view! {
                        <a class="button" rel="prev" href=path>
                            <Icon name="left"/>
                            {ways.0}
                        </a>
                    }.into_any(),
                    None => view! { <span></span> }.into_any(),
                }}
                <p>{t::page_of(&page.to_string(), &grouped(pages), &words)}</p>
                {match forth {
                    Some(path) => view! {
                        <a class="button" rel="next" href=path>
                            {ways.1}
                            <Icon name="right"/>
                        </a>
                    }.into_any(),
                    None => view! { <span></span> }.into_any(),
                }}
            </nav>
        }
    })
}

/// Shown for a page past the end: the number of pages, and a link to the last one.
#[component]
pub(crate) fn PastEnd(
    page_size: u32,
    total: u64,
    /// Total number of items, in words.
    words: String,
    /// URL of a page without its number, as for [`Pagination`].
    #[prop(into)]
    start: String,
) -> impl IntoView {
    let last = total.div_ceil(u64::from(page_size)).max(1);
    let pages = t::pages(last);
    let first = (last > 1).then(|| {
        view! { <a class="button" href=format!("{start}1")>{t::first_page()}</a> }
    });
    view! {
        <div class="empty">
            <Icon name="document"/>
            <h2>{t::past_end()}</h2>
            <p>{t::past_end_text(&words, &pages)}</p>
            <p class="cluster">
                {first}
                <a class="button" data-variant="primary" href=format!("{start}{last}")>
                    {if last > 1 { t::last_page() } else { t::go_to_first_page() }}
                </a>
            </p>
        </div>
    }
}
