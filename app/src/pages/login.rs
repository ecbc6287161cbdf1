use super::address::query_text;
use crate::{
    api::accounts::SignIn,
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
        <Title text="Sign in"/>
        <Main class="page auth" width="narrow">
            <h1>"Sign in"</h1>
            <Form spec=sign_in_form(next.get_untracked())/>
            <p>"New here? " <a href=sign_up>"Create an account"</a></p>
        </Main>
    }
}

fn sign_in_form(next: String) -> FormSpec {
    let login = Line { autocomplete: "username", ..Line::new("login", "Username or email") };
    let password = Line {
        kind: "password",
        autocomplete: "current-password",
        ..Line::new("password", "Password")
    };
    FormSpec {
        start: Visit::here().form::<SignIn>("", &[]),
        class: "form card",
        hidden: vec![("next", next)],
        fields: vec![Part::Line(login), Part::Line(password)],
        submit: "Sign in",
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
