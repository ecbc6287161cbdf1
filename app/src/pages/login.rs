use super::address::query_text;
use crate::{
    api::accounts::SignIn,
    catalogue::account as t,
    components::{Foot, Form, FormSpec, Line, Main, Part},
    ssr::{Me, Visit, after_sign_in, redirect},
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
        <Entrance next=next.get_untracked()/>
        <Main class="page auth" width="narrow">
            <h1>{t::sign_in()}</h1>
            <Form spec=sign_in_form(next.get_untracked())/>
            <p>{t::new_here()} " " <a href=sign_up>{t::create()}</a></p>
        </Main>
    }
}

/// Leads a user who is signed in on to `next`. A token alone does not suffice: it may be that of a
/// deleted account, which the next page would send back here.
#[component]
pub(super) fn Entrance(next: String) -> impl IntoView {
    let me = Me::here();
    let enter = move || {
        let next = next.clone();
        Suspend::new(async move {
            if me.await.is_some() {
                redirect(after_sign_in(&next));
            }
        })
    };
    view! { <Suspense>{enter}</Suspense> }
}

fn sign_in_form(next: String) -> FormSpec {
    let login = Line { autocomplete: "username", ..Line::new("login", t::login()) };
    let password =
        Line { autocomplete: "current-password", ..Line::secret("password", t::password()) };
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
