use crate::{
    api::accounts::SignOut,
    catalogue::site as t,
    own_path::{own_path, sign_in_path},
    parts::Icon,
    ssr::Me,
    words::around,
};
use izanagi_shared::wire::UserView;
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_location;

/// Header of every page: site name, navigation, account.
#[component]
pub(crate) fn SiteHeader() -> impl IntoView {
    let me = Me::here();
    view! {
        <header class="site-header">
            <a class="brand" href="/">
                <svg class="brand-mark" aria-hidden="true">
                    <use href="/icons.svg#izanagi"></use>
                </svg>
                <span class="brand-name">"Izanagi"</span>
            </a>
            <Suspense>
                {move || Suspend::new(async move {
                    match me.await {
                        Some(user) => view! { <SignedIn user/> }.into_any(),
                        None => view! { <SignedOut/> }.into_any(),
                    }
                })}
            </Suspense>
        </header>
    }
}

#[component]
fn SignedIn(user: UserView) -> impl IntoView {
    let initial: String = user.display_name.chars().take(1).collect();
    view! {
        <nav aria-label=t::main()>
            <NavLink path="/documents" words=t::documents()/>
            <NavLink path="/trash" words=t::trash()/>
        </nav>
        <nav aria-label=t::account() data-place="end" data-user=user.id.to_string()>
            <details class="menu">
                <summary class="button" data-variant="quiet">
                    <span class="avatar" aria-hidden="true">{initial}</span>
                    <bdi class="account-name">{user.display_name}</bdi>
                    <span class="visually-hidden">{t::account_menu()}</span>
                </summary>
                <ul class="menu-list">
                    <li class="menu-note">{around(t::signed_in_as(), view! { <bdi>{user.username}</bdi> })}</li>
                    <li data-divide="">
                        <a class="menu-item" href="/settings/sessions">
                            <Icon name="device"/>
                            {t::devices()}
                        </a>
                    </li>
                    <li data-divide="">
                        <form method="post" action=SignOut::url()>
                            <button class="menu-item">
                                <Icon name="sign-out"/>
                                {t::sign_out()}
                            </button>
                        </form>
                    </li>
                </ul>
            </details>
        </nav>
    }
}

#[component]
fn NavLink(path: &'static str, words: &'static str) -> impl IntoView {
    let pathname = use_location().pathname;
    let current = move || (pathname.get() == path).then_some("page");
    view! { <a class="nav-link" href=path aria-current=current>{words}</a> }
}

#[component]
fn SignedOut() -> impl IntoView {
    let pathname = use_location().pathname;
    let sign_in = move || match pathname.get().as_str() {
        "/" | "/login" | "/signup" => "/login".to_owned(),
        path => own_path(path).map_or_else(|| "/login".to_owned(), sign_in_path),
    };
    view! {
        <nav aria-label=t::account() data-place="end">
            <a class="button" data-variant="quiet" href=sign_in>{t::sign_in()}</a>
            <a class="button" href="/signup">{t::create_account()}</a>
        </nav>
    }
}
