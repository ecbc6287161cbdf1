use super::{
    address::query_text,
    login::{Entrance, other_door},
};
use crate::{
    api::accounts::SignUp,
    catalogue::account as t,
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
        <Title text=t::create()/>
        <Entrance next=next.get_untracked()/>
        <Main class="page auth" width="narrow">
            <h1>{t::create()}</h1>
            <Form spec=sign_up_form(next.get_untracked())/>
            <p>{t::have_account()} " " <a href=sign_in>{t::sign_in()}</a></p>
        </Main>
    }
}

fn sign_up_form(next: String) -> FormSpec {
    let username = Line {
        hint: Some(t::username_hint()),
        autocomplete: "username",
        rule: Some(Rule::Username),
        ..Line::new("username", t::username())
    };
    let email = Line {
        kind: "email",
        autocomplete: "email",
        rule: Some(Rule::Email),
        ..Line::new("email", t::email())
    };
    let password = Line {
        hint: Some(t::password_hint()),
        autocomplete: "new-password",
        rule: Some(Rule::Password),
        ..Line::secret("password", t::password())
    };
    FormSpec {
        start: Visit::here().form::<SignUp>("", &[]),
        class: "form card",
        hidden: vec![("next", next)],
        fields: [username, email, password].map(Part::Line).into(),
        submit: t::create_button(),
        foot: Foot::LargeButton,
    }
}
