//! The caller of a request, identified by the middleware and extracted here.

use crate::{problem::ApiError, state::AppState};
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};
use izanagi_domain::{
    accounts::{Caller, Device},
    documents::{Editor, HistoryReader, Owner, Reader},
    error::Error,
    principal::Principal,
};
use izanagi_shared::id::{DocumentId, UserId};
use std::convert::Infallible;

use super::{DocumentPath, Path};

/// Marks a request whose own token is invalid or expired. Its sender expects to be signed in, so it
/// is not treated as anonymous.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BadToken;

/// Any caller, signed in or not; rejects an invalid token with 401.
#[derive(Debug, Clone)]
pub(crate) struct Asking(pub(crate) Principal);

impl<S: Sync> FromRequestParts<S> for Asking {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if parts.extensions.get::<BadToken>().is_some() {
            return Err(Error::Unauthenticated.into());
        }
        Ok(Self(parts.extensions.get::<Principal>().cloned().unwrap_or_default()))
    }
}

/// A caller with an account; rejects all others with 401.
#[derive(Debug, Clone)]
pub(crate) struct AskingUser {
    pub(crate) who: Principal,
    pub(crate) user: UserId,
}

impl<S: Sync> FromRequestParts<S> for AskingUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Asking(who) = Asking::from_request_parts(parts, state).await?;
        let user = who.require_user()?;
        Ok(Self { who, user })
    }
}

/// A caller with a session; rejects all others with 401.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedInCaller(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for SignedInCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let who = parts.extensions.get::<Principal>();
        let caller = who.ok_or(Error::Unauthenticated)?.require_session()?;
        Ok(Self(caller))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SignedInCaller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        let who = parts.extensions.get::<Principal>();
        Ok(who.and_then(|who| who.require_session().ok()).map(Self))
    }
}

/// Defines an extractor of a right to the document in the path (DESIGN §1).
macro_rules! right {
    ($(#[$doc:meta])* $name:ident($handle:ty) by $method:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(crate) struct $name(pub(crate) $handle);

        impl FromRequestParts<AppState> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(
                parts: &mut Parts,
                state: &AppState,
            ) -> Result<Self, ApiError> {
                let Asking(who) = Asking::from_request_parts(parts, state).await?;
                let id = document(parts, state, &who).await?;
                Ok(Self(state.services.documents.$method(&who, id).await?))
            }
        }
    };
}

right! {
    /// The right to read the document.
    Readable(Reader) by for_reader
}
right! {
    /// The right to read its versions.
    HistoryReadable(HistoryReader) by for_history
}
right! {
    /// The right to edit it.
    Editable(Editor) by for_editor
}
right! {
    /// The right to manage it.
    Owned(Owner) by for_owner
}

/// Returns the document id in the path. An anonymous caller gets 401 before a malformed id is
/// reported (DESIGN §8).
async fn document(
    parts: &mut Parts,
    state: &AppState,
    who: &Principal,
) -> Result<DocumentId, ApiError> {
    match Path::<DocumentPath>::from_request_parts(parts, state).await {
        Ok(Path(path)) => Ok(path.id),
        Err(_) if who.is_anonymous() => Err(Error::Unauthenticated.into()),
        Err(error) => Err(error),
    }
}

/// Address and user agent of the client.
#[derive(Debug, Clone, Default)]
pub(crate) struct FromDevice(pub(crate) Device);

impl<S: Sync> FromRequestParts<S> for FromDevice {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Device>().cloned().unwrap_or_default()))
    }
}
