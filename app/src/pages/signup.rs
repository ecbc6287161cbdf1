use super::{address::query_text, login::other_door};
use crate::{
    api::accounts::SignUp,
    components::{ErrorSummary, Field, FormState, Main, SubmitButton},
    writes::Writes,
};
use izanagi_shared::{
    problem::FieldError,
    rules::{Email, Password, Secret, Username},
};
use leptos::{form::ActionForm, prelude::*};
use leptos_meta::Title;

/// `/signup?next=`.
#[component]
pub(crate) fn SignupPage() -> impl IntoView {
    let action = Writes::here().form_action::<SignUp>();
    let form = FormState::of(action, &[]);
    let next = query_text("next");
    let sign_in = move || next.with(|next| other_door("/login", next));
    view! {
        <Title text="Create an account"/>
        <Main class="page auth" width="narrow">
            <h1>"Create an account"</h1>
            <ActionForm action attr:class="form card" attr:novalidate="">
                <ErrorSummary form/>
                <input type="hidden" name="next" value=next/>
                <Field
                    form
                    name="username"
                    label="Username"
                    hint="3 to 32 of a–z, 0–9, - and _. Others see it."
                    autocomplete="username"
                    rule=check_username
                />
                <Field form name="email" label="Email" kind="email" autocomplete="email" rule=check_email/>
                <Field
                    form
                    name="password"
                    label="Password"
                    kind="password"
                    hint="At least 10 characters. A short sentence is a good one."
                    autocomplete="new-password"
                    rule=check_password
                />
                <SubmitButton form words="Create account" size="l"/>
            </ActionForm>
            <p>"Have an account? " <a href=sign_in>"Sign in"</a></p>
        </Main>
    }
}

fn check_username(text: &str) -> Option<FieldError> {
    // Left empty, one is made from the email.
    if text.trim().is_empty() { None } else { Username::parse(text).err() }
}

fn check_email(text: &str) -> Option<FieldError> {
    Email::parse(text).err()
}

fn check_password(text: &str) -> Option<FieldError> {
    Password::parse(&Secret::new(text)).err()
}
