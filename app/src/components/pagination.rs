use super::Icon;
use leptos::prelude::*;

/// Links to the pages before and after, and where one is. Nothing when there is one page only.
#[component]
pub(crate) fn Pagination(
    /// What is listed, for the name of the landmark.
    label: &'static str,
    page: u32,
    page_size: u32,
    total: u64,
    /// How many of what there are, in words.
    words: String,
    /// The address of a page without its number, such as `/documents?page=`.
    #[prop(into)]
    start: String,
    /// Words for the way back and forth.
    #[prop(default = ("Previous", "Next"))]
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
                <p>"Page " {page} " of " {pages} ", " {words}</p>
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
