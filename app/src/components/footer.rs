use crate::{
    api::language::ChooseLanguage,
    catalogue::{self, Language, site as t},
};
use leptos::{prelude::*, server_fn::ServerFn};

/// Footer of every page, with the choice of language: a plain form, which works without scripts
/// and leads back to the page.
#[component]
pub(crate) fn SiteFooter() -> impl IntoView {
    let current = catalogue::language();
    let choice = |language: Language| {
        let is_current = (language == current).then_some("true");
        view! {
            <button
                name="language"
                value=language.code()
                lang=language.tag()
                aria-current=is_current
            >
                {language.name()}
            </button>
        }
    };
    view! {
        <footer class="site-footer">
            <span>"Izanagi " {env!("CARGO_PKG_VERSION")}</span>
            <a href="/docs" rel="external">{t::api()}</a>
            <form class="languages" method="post" action=ChooseLanguage::url() aria-label=t::language()>
                {Language::ALL.map(choice).collect_view()}
            </form>
        </footer>
    }
}
