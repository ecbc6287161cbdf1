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
                {view! { <List sessions/> }.into_any()}
            </LoadPart>
        </Main>
    }
}

#[component]
fn List(mut sessions: Vec<SessionView>) -> impl IntoView {
    // Most recently seen first, but this device before all others.
    sessions.sort_by_key(|session| !session.current);
    let rows = sessions.into_iter().map(|session| view! { <Row session/> }).collect_view();
    view! { <ul class="rows">{rows}</ul> }
}

#[component]
fn Row(session: SessionView) -> impl IntoView {
    let name = device_name(&session.user_agent);
    // Devices with the same name differ by their address.
    let about = format!(" {name}, {}", session.ip);
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
        <li id=format!("row-{}", session.id)>
            <div class="row-main">
                <h2 class="row-title">{name} {badge}</h2>
                <ul class="meta">
                    <li>{session.ip}</li>
                    <li>{around(t::active(), view! { <When at=session.last_activity_at is_precise=true/> })}</li>
                    <li>{around(t::signed_in(), view! { <When at=session.created_at is_precise=true/> })}</li>
                </ul>
            </div>
            <div class="row-actions">{button}</div>
        </li>
    }
}

/// Names of browsers: the mark in a user agent, the name, and the mark before its version. Most
/// browsers also claim to be others, so the more specific ones come first.
const BROWSERS: [(&str, &str, &str); 10] = [
    ("Edg/", "Edge", "Edg/"),
    ("EdgA/", "Edge", "EdgA/"),
    ("OPR/", "Opera", "OPR/"),
    ("SamsungBrowser/", "Samsung Internet", "SamsungBrowser/"),
    ("Vivaldi/", "Vivaldi", "Vivaldi/"),
    ("Firefox/", "Firefox", "Firefox/"),
    ("FxiOS/", "Firefox", "FxiOS/"),
    ("CriOS/", "Chrome", "CriOS/"),
    ("Chrome/", "Chrome", "Chrome/"),
    ("Safari/", "Safari", "Version/"),
];

/// Names of systems, like [`BROWSERS`].
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// Formats a user agent as `Firefox 140 on Linux` if both are known, otherwise as its first word.
fn device_name(user_agent: &str) -> String {
    let browser = BROWSERS.iter().find(|(mark, ..)| user_agent.contains(mark));
    let browser = browser.map(|(_, name, mark)| match major_version(user_agent, mark) {
        "" => (*name).to_owned(),
        version => format!("{name} {version}"),
    });
    let system = SYSTEMS.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name);
    match (browser, system) {
        (Some(browser), Some(system)) => t::browser_on(&browser, system),
        (Some(browser), None) => browser,
        (None, Some(system)) => system.to_owned(),
        (None, None) => match user_agent.split([' ', '/']).next() {
            Some(word) if !word.is_empty() => word.to_owned(),
            _ => t::a_program().to_owned(),
        },
    }
}

/// Returns the digits after a mark.
fn major_version<'a>(user_agent: &'a str, mark: &str) -> &'a str {
    let rest = user_agent.split_once(mark).map_or("", |(_, rest)| rest);
    &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Firefox 140 on Linux"
    )]
    #[case(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
        "Safari 18 on iPhone"
    )]
    #[case(
        "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0",
        "Edge 140 on Windows"
    )]
    #[case(
        "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36",
        "Chrome 140 on Android"
    )]
    #[case("Firefox/x (Linux)", "Firefox on Linux")]
    #[case("curl/8.5.0", "curl")]
    #[case("", "A program")]
    fn names_a_device_by_its_user_agent(#[case] user_agent: &str, #[case] name: &str) {
        assert_eq!(device_name(user_agent), name);
    }
}
