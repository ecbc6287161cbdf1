use super::{address::query_text, login::other_door};
use crate::{
    api::accounts::SignUp,
    components::{Foot, Form, FormSpec, Line, Main, Part},
    parts::Rule,
    ssr::Visit,
};
use leptos::prelude::*;
use leptos_meta::Title;

/// `/signup?next=`.
#[component]
pub(crate) fn SignupPage() -> impl IntoView {
    let next = query_text("next");
    let sign_in = move || next.with(|next| other_door("/login", next));
    view! {
        <Title text="Create an account"/>
        <Main class="page auth" width="narrow">
            <h1>"Create an account"</h1>
            <Form spec=sign_up_form(next.get_untracked())/>
            <p>"Have an account? " <a href=sign_in>"Sign in"</a></p>
        </Main>
    }
}

fn sign_up_form(next: String) -> FormSpec {
    let username = Line {
        hint: Some("3 to 32 of a–z, 0–9, - and _. Others see it."),
        autocomplete: "username",
        rule: Some(Rule::Username),
        ..Line::new("username", "Username")
    };
    let email = Line {
        kind: "email",
        autocomplete: "email",
        rule: Some(Rule::Email),
        ..Line::new("email", "Email")
    };
    let password = Line {
        kind: "password",
        hint: Some("At least 10 characters. A short sentence works well."),
        autocomplete: "new-password",
        rule: Some(Rule::Password),
        ..Line::new("password", "Password")
    };
    FormSpec {
        start: Visit::here().form::<SignUp>("", &[]),
        class: "form card",
        hidden: vec![("next", next)],
        fields: [username, email, password].map(Part::Line).into(),
        submit: "Create account",
        foot: Foot::LargeButton,
    }
}
