use crate::{
    api::accounts::{RevokeSession, SignOut, SignOutEverywhere, list_sessions},
    catalogue::account as t,
    components::{Confirm, LoadPart, Main, When},
    parts::Icon,
    words::around,
};
use izanagi_shared::wire::SessionView;
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

/// `/settings/sessions`: where the account is signed in (PRODUCT A4).
#[component]
pub(crate) fn SessionsPage() -> impl IntoView {
    let sessions = Resource::new(|| (), |()| list_sessions());
    view! {
        <Title text=t::devices()/>
        <Main>
            <div class="page-head">
                <div>
                    <h1>{t::devices()}</h1>
                    <p class="soft">{t::devices_text()}</p>
                </div>
                <Confirm
                    words=t::sign_out_everywhere()
                    warning=t::sign_out_everywhere_warning()
                    variant="danger"
                >
                    <form method="post" action=SignOutEverywhere::url()>
                        <button class="menu-item" data-variant="danger">
                            <Icon name="sign-out"/>
                            {t::sign_out_everywhere_yes()}
                        </button>
                    </form>
                </Confirm>
            </div>
            <LoadPart from=sessions let:sessions>
                {view! {
                    <ul class="rows">
                        {sessions.into_iter().map(|session| view! { <Row session/> }).collect_view()}
                    </ul>
                }.into_any()}
            </LoadPart>
        </Main>
    }
}

#[component]
fn Row(session: SessionView) -> impl IntoView {
    let name = device_name(&session.user_agent);
    let about = format!(" {name}");
    let badge = session
        .current
        .then(|| view! { " " <span class="badge" data-variant="good">{t::this_device()}</span> });
    let button = if session.current {
        view! {
            <form method="post" action=SignOut::url()>
                <button class="button">{t::sign_out()}</button>
            </form>
        }
        .into_any()
    } else {
        view! {
            <form method="post" action=RevokeSession::url() data-send="">
                <input type="hidden" name="id" value=session.id.to_string()/>
                <button class="button">
                    {t::sign_out()}
                    <span class="visually-hidden">{about}</span>
                </button>
            </form>
        }
        .into_any()
    };
    view! {
        <li>
            <div class="row-main">
                <h2 class="row-title">{name} {badge}</h2>
                <ul class="meta">
                    <li>{session.ip}</li>
                    <li>{around(t::active(), view! { <When at=session.last_activity_at/> })}</li>
                    <li>{around(t::signed_in(), view! { <When at=session.created_at/> })}</li>
                </ul>
            </div>
            <div class="row-actions">{button}</div>
        </li>
    }
}

/// Formats a user agent as `Firefox on Linux` if both are known, otherwise as its first word.
fn device_name(user_agent: &str) -> String {
    let first_of = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    // Most browsers also claim to be others, so the more specific names come first.
    let browser = first_of(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first_of(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => t::browser_on(browser, system),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => match user_agent.split([' ', '/']).next() {
            Some(word) if !word.is_empty() => word.to_owned(),
            _ => t::a_program().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Firefox on Linux"
    )]
    #[case(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
        "Safari on iPhone"
    )]
    #[case("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows")]
    #[case("curl/8.5.0", "curl")]
    #[case("", "A program")]
    fn names_a_device_by_its_user_agent(#[case] user_agent: &str, #[case] name: &str) {
        assert_eq!(device_name(user_agent), name);
    }
}
