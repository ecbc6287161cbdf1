//! Signing in and out, and the sessions of an account.

use crate::{catalogue::account as t, error::AppError, flash::Notice};
use izanagi_shared::{
    id::SessionId,
    wire::{SessionView, UserView},
};
use leptos::{prelude::*, server_fn::codec::GetUrl};

/// Returns the signed-in user, if any.
///
/// # Errors
/// Fails only if the store fails.
#[server(endpoint = "accounts/me", input = GetUrl)]
pub(crate) async fn me() -> Result<Option<UserView>, AppError> {
    use crate::ssr::{page_context, signed_in};
    let Ok(caller) = signed_in() else { return Ok(None) };
    Ok(Some(page_context()?.services.accounts.me(&caller).await?))
}

/// Signs in by username or email, then redirects to `next` if it is a page of this site.
///
/// # Errors
/// `invalid_credentials`, `rate_limited`, `invalid`.
#[server(endpoint = "accounts/sign-in")]
pub(crate) async fn sign_in(
    login: String,
    password: String,
    next: String,
) -> Result<Notice, AppError> {
    use crate::ssr;
    use izanagi_shared::{rules::Secret, wire::LoginRequest};
    let context = ssr::page_context()?;
    let request = LoginRequest { login: Some(login), password: Secret::new(password) };
    let signed_in = context.services.accounts.sign_in(&request, &ssr::device()).await?;
    ssr::with_response(|headers| context.cookies.set(headers, &signed_in));
    ssr::lead_to(ssr::after_sign_in(&next));
    Ok(Notice::new(t::welcome_back(&signed_in.user.display_name)))
}

/// Creates an account, signs it in, then redirects to `next` if it is a page of this site.
///
/// # Errors
/// `invalid` with every invalid field, `username_taken`, `email_taken`, `rate_limited`.
#[server(endpoint = "accounts/sign-up")]
pub(crate) async fn sign_up(
    username: String,
    email: String,
    password: String,
    next: String,
) -> Result<Notice, AppError> {
    use crate::ssr;
    use izanagi_shared::{rules::Secret, wire::SignupRequest};
    let (context, device) = (ssr::page_context()?, ssr::device());
    let accounts = &context.services.accounts;
    let turn = accounts.take_sign_up_turn(&device).await?;
    let password = Secret::new(password);
    let request = SignupRequest { email, password, username: Some(username), display_name: None };
    let signed_in = accounts.sign_up(turn, &request, &device).await?;
    ssr::with_response(|headers| context.cookies.set(headers, &signed_in));
    ssr::lead_to(ssr::after_sign_in(&next));
    Ok(Notice::new(t::welcome(&signed_in.user.display_name)))
}

/// Ends this session.
///
/// # Errors
/// Fails only if the store fails.
#[server(endpoint = "accounts/sign-out")]
pub(crate) async fn sign_out() -> Result<Notice, AppError> {
    use crate::ssr;
    let context = ssr::page_context()?;
    if let Ok(caller) = ssr::signed_in() {
        context.services.accounts.sign_out(&caller).await?;
    }
    ssr::with_response(|headers| context.cookies.clear(headers));
    ssr::lead_to("/");
    Ok(Notice::new(t::signed_out()))
}

/// Ends every session of the account, including this one.
///
/// # Errors
/// `unauthenticated`.
#[server(endpoint = "accounts/sign-out-everywhere")]
pub(crate) async fn sign_out_everywhere() -> Result<Notice, AppError> {
    use crate::ssr;
    let context = ssr::page_context()?;
    let caller = ssr::signed_in()?;
    context.services.accounts.sign_out_everywhere(caller.user).await?;
    ssr::with_response(|headers| context.cookies.clear(headers));
    ssr::lead_to("/login");
    Ok(Notice::new(t::signed_out_everywhere()))
}

/// Returns the account's active sessions, most recently seen first.
///
/// # Errors
/// `unauthenticated`.
#[server(endpoint = "accounts/sessions", input = GetUrl)]
pub(crate) async fn list_sessions() -> Result<Vec<SessionView>, AppError> {
    use crate::ssr::{page_context, signed_in};
    Ok(page_context()?.services.accounts.sessions(&signed_in()?).await?)
}

/// Ends one of the account's sessions.
///
/// # Errors
/// `unauthenticated`, `not_found`.
#[server(endpoint = "accounts/sessions/revoke")]
pub(crate) async fn revoke_session(id: SessionId) -> Result<Notice, AppError> {
    use crate::ssr::{page_context, signed_in};
    page_context()?.services.accounts.revoke_session(&signed_in()?, id).await?;
    Ok(Notice::new(t::device_signed_out()))
}
