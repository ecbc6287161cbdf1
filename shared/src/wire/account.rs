//! Account and session bodies (API.md, Auth).

use crate::{
    id::{SessionId, UserId},
    rules::Secret,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Body of `POST /auth/signup`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignupRequest {
    /// Email address; can also be used to sign in.
    pub email: String,
    /// 10–256 characters.
    pub password: Secret,
    /// 3–32 characters of `[a-z0-9_-]`; derived from the email address if absent, but not if blank.
    #[serde(default)]
    pub username: Option<String>,
    /// Name shown to other users; defaults to the username.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// Body of `POST /auth/login`. Exactly one of `login`, `email` and `username` is required.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoginRequest {
    /// Username or email.
    #[serde(default, alias = "email", alias = "username")]
    pub login: Option<String>,
    /// The password.
    pub password: Secret,
}

/// Body of `POST /auth/refresh`. If it is empty, the refresh token is read from the cookie.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefreshRequest {
    /// Refresh token, for clients that do not use cookies.
    #[serde(default)]
    pub refresh_token: Option<Secret>,
}

/// An account as seen by its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// Account id.
    pub id: UserId,
    /// Unique username.
    pub username: String,
    /// Unique email address.
    pub email: String,
    /// Name shown to other users.
    pub display_name: String,
    /// Short self-description.
    pub bio: String,
    /// `user`, `premium` or `admin`.
    pub role: String,
    /// Time of sign-up.
    pub created_at: Timestamp,
    /// Time of the last sign-in on any device.
    pub last_login_at: Option<Timestamp>,
}

/// Response to sign-up and sign-in.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuthAnswer {
    /// The signed-in user.
    pub user: UserView,
    /// JWT for `Authorization: Bearer`; the access cookie has the same value.
    pub access_token: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
}

/// Response to a refresh.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefreshAnswer {
    /// New access token (JWT).
    pub access_token: String,
    /// Seconds until the access token expires.
    pub expires_in: u64,
}

/// Body of `PATCH /me`. Omitted fields are left unchanged.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateMeRequest {
    /// Name shown to other users.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Short self-description, up to 2,000 characters.
    #[serde(default)]
    pub bio: Option<String>,
}

/// A signed-in device (PRODUCT A4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Session id, used to revoke the session.
    pub id: SessionId,
    /// `User-Agent` of the client.
    pub user_agent: String,
    /// IP address of the last request.
    pub ip: String,
    /// Time of sign-in.
    pub created_at: Timestamp,
    /// Time of the last request, accurate to the minute.
    pub last_activity_at: Timestamp,
    /// Whether this is the session of the current request.
    pub current: bool,
}
