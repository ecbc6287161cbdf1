use super::address::query_text;
use crate::{
    api::accounts::SignIn,
    components::{ErrorSummary, Field, FormState, Main, SubmitButton},
    writes::Writes,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;

/// `/login?next=`.
#[component]
pub(crate) fn LoginPage() -> impl IntoView {
    let action = Writes::here().form_action::<SignIn>();
    let form = FormState::of(action, &[]);
    let next = query_text("next");
    let sign_up = move || next.with(|next| other_door("/signup", next));
    view! {
        <Title text="Sign in"/>
        <Main class="page auth" width="narrow">
            <h1>"Sign in"</h1>
            <ActionForm action attr:class="form card" attr:novalidate="">
                <ErrorSummary form/>
                <input type="hidden" name="next" value=next/>
                <Field form name="login" label="Username or email" autocomplete="username"/>
                <Field form name="password" label="Password" kind="password" autocomplete="current-password"/>
                <SubmitButton form words="Sign in" size="l"/>
            </ActionForm>
            <p>"New here? " <a href=sign_up>"Create an account"</a></p>
        </Main>
    }
}

/// The other of sign-in and sign-up, with the same way on.
pub(super) fn other_door(path: &str, next: &str) -> String {
    match crate::own_path::own_path(next) {
        Some(next) => crate::own_path::sign_in_path(next).replacen("/login", path, 1),
        None => path.to_owned(),
    }
}
