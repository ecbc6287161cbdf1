use super::DocumentsPage;
use crate::{
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
        <Title text="Write together, lose nothing"/>
        <Main bundle=Bundle::None>
            <div class="landing">
                <div class="stack" data-gap="l">
                    <h1>"Write together. Lose\u{a0}nothing."</h1>
                    <p class="lead">
                        "Izanagi keeps your documents and every version of them. \
                        Any version can be read, compared and restored."
                    </p>
                    <p class="cluster">
                        <a class="button" data-variant="primary" data-size="l" href="/signup">"Create an account"</a>
                        <a class="button" data-size="l" href="/login">"Sign in"</a>
                    </p>
                </div>
                <Sample/>
            </div>
            <div class="promises">
                <section>
                    <h2>"Saved means saved"</h2>
                    <p>"When the page says Saved, your text survives a crash of the browser or the server."</p>
                </section>
                <section>
                    <h2>"History is read-only"</h2>
                    <p>
                        "A committed version never changes. \
                        Each version keeps its author, message and checksum."
                    </p>
                </section>
                <section>
                    <h2>"Runs on your machine"</h2>
                    <p>
                        "One program, one file. Nothing is sent to third parties, and you can export \
                        your text as plain Markdown at any time."
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
                        <h2 id="sample-title">"Line 13, version 6 to 7"</h2>
                    </div>
                    <div class="diff-line" data-kind="equal" data-old="11" data-new="11">
                        <span class="diff-text">"## Before the boat leaves"</span>
                    </div>
                    <div class="diff-line" data-kind="delete" data-old="13">
                        <span class="diff-text">
                            <span class="visually-hidden">"removed: "</span>
                            "The ferry leaves at " <del>"half past nine"</del> " from pier " <del>"two"</del> "."
                        </span>
                    </div>
                    <div class="diff-line" data-kind="insert" data-new="13">
                        <span class="diff-text">
                            <span class="visually-hidden">"added: "</span>
                            "The ferry leaves at " <ins>"ten past nine"</ins> " from pier " <ins>"four"</ins> "."
                        </span>
                    </div>
                    <div class="diff-line" data-kind="equal" data-old="15" data-new="15">
                        <span class="diff-text">"Bring:"</span>
                    </div>
                </section>
            </div>
            <figcaption>"Two versions compared, down to the word."</figcaption>
        </figure>
    }
}
