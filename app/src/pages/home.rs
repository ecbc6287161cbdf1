use super::DocumentsPage;
use crate::{
    catalogue::{compare, home as t, site},
    components::{Bundle, Main},
    ssr::Me,
};
use leptos::prelude::*;
use leptos_meta::Title;

/// `/`: redirects signed-in users to their documents; introduces the product to others.
#[component]
pub(crate) fn HomePage() -> impl IntoView {
    let me = Me::here();
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match me.await {
                    Some(_) => view! { <DocumentsPage/> }.into_any(),
                    None => view! { <Landing/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Landing() -> impl IntoView {
    view! {
        <Title text=t::page()/>
        <Main bundle=Bundle::None>
            <div class="landing">
                <div class="stack" data-gap="l">
                    <h1>{t::heading()}</h1>
                    <p class="lead">
                        {t::lead()}
                    </p>
                    <p class="cluster">
                        <a class="button" data-variant="primary" data-size="l" href="/signup">{t::create_account()}</a>
                        <a class="button" data-size="l" href="/login">{site::sign_in()}</a>
                    </p>
                </div>
                <Sample/>
            </div>
            <div class="promises">
                <section>
                    <h2>{t::saved()}</h2>
                    <p>{t::saved_text()}</p>
                </section>
                <section>
                    <h2>{t::history()}</h2>
                    <p>
                        {t::history_text()}
                    </p>
                </section>
                <section>
                    <h2>{t::own()}</h2>
                    <p>
                        {t::own_text()}
                    </p>
                </section>
            </div>
        </Main>
    }
}

/// A sample comparison.
#[component]
fn Sample() -> impl IntoView {
    view! {
        <figure class="landing-sheet">
            <div class="diff">
                <section class="hunk" aria-labelledby="sample-title">
                    <div class="hunk-head">
                        <h2 id="sample-title">{t::sample_title()}</h2>
                    </div>
                    <div class="diff-line" data-kind="equal" data-old="11" data-new="11">
                        <span class="diff-text">{t::sample_heading()}</span>
                    </div>
                    <div class="diff-line" data-kind="delete" data-old="13">
                        <span class="diff-text">
                            <span class="visually-hidden">{compare::removed()}</span>
                            {t::sample_leaves()} <del>{t::sample_old_time()}</del> {t::sample_from()} <del>{t::sample_old_pier()}</del> {t::sample_end()}
                        </span>
                    </div>
                    <div class="diff-line" data-kind="insert" data-new="13">
                        <span class="diff-text">
                            <span class="visually-hidden">{compare::added()}</span>
                            {t::sample_leaves()} <ins>{t::sample_new_time()}</ins> {t::sample_from()} <ins>{t::sample_new_pier()}</ins> {t::sample_end()}
                        </span>
                    </div>
                    <div class="diff-line" data-kind="equal" data-old="15" data-new="15">
                        <span class="diff-text">{t::sample_bring()}</span>
                    </div>
                </section>
            </div>
            <figcaption>{t::sample_caption()}</figcaption>
        </figure>
    }
}
