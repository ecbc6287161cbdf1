//! Who is asking; found out by the middleware, taken from the request here.

use crate::problem::ApiError;
use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::request::Parts,
};
use izanagi_domain::{
    accounts::{Caller, Device},
    error::Error,
};
use std::convert::Infallible;

/// Somebody who is signed in; refuses everybody else with 401.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedInCaller(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for SignedInCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Caller>().copied();
        Ok(Self(caller.ok_or(Error::Unauthenticated)?))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SignedInCaller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Caller>().copied().map(Self))
    }
}

/// Marks a request with a token of its own that is none or over. It is nobody's, and not anybody's
/// either.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BadToken;

/// Anybody, signed in or not; refuses a bad token with 401, for its sender takes itself for
/// somebody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnyCaller(pub(crate) Option<Caller>);

impl<S: Sync> FromRequestParts<S> for AnyCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if parts.extensions.get::<BadToken>().is_some() {
            return Err(Error::Unauthenticated.into());
        }
        Ok(Self(parts.extensions.get::<Caller>().copied()))
    }
}

/// From where the request comes.
#[derive(Debug, Clone, Default)]
pub(crate) struct FromDevice(pub(crate) Device);

impl<S: Sync> FromRequestParts<S> for FromDevice {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Device>().cloned().unwrap_or_default()))
    }
}
