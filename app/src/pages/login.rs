use super::address::query_text;
use crate::{
    api::accounts::SignIn,
    catalogue::account as t,
    components::{Foot, Form, FormSpec, Line, Main, Part},
    ssr::Visit,
};
use leptos::prelude::*;
use leptos_meta::Title;

/// `/login?next=`.
#[component]
pub(crate) fn LoginPage() -> impl IntoView {
    let next = query_text("next");
    let sign_up = move || next.with(|next| other_door("/signup", next));
    view! {
        <Title text=t::sign_in()/>
        <Main class="page auth" width="narrow">
            <h1>{t::sign_in()}</h1>
            <Form spec=sign_in_form(next.get_untracked())/>
            <p>{t::new_here()} " " <a href=sign_up>{t::create()}</a></p>
        </Main>
    }
}

fn sign_in_form(next: String) -> FormSpec {
    let login = Line { autocomplete: "username", ..Line::new("login", t::login()) };
    let password = Line {
        kind: "password",
        autocomplete: "current-password",
        ..Line::new("password", t::password())
    };
    FormSpec {
        start: Visit::here().form::<SignIn>("", &[]),
        class: "form card",
        hidden: vec![("next", next)],
        fields: vec![Part::Line(login), Part::Line(password)],
        submit: t::sign_in(),
        foot: Foot::LargeButton,
    }
}

/// Returns the URL of the other of sign-in and sign-up, with the same `next`.
pub(super) fn other_door(path: &str, next: &str) -> String {
    match crate::own_path::own_path(next) {
        Some(next) => crate::own_path::sign_in_path(next).replacen("/login", path, 1),
        None => path.to_owned(),
    }
}
