//! Accounts and sessions on the wire (API.md, Auth).

use crate::{
    id::{SessionId, UserId},
    rules::Secret,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// `POST /auth/signup`.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignupRequest {
    /// Where mail goes; also a way to sign in.
    pub email: String,
    /// 10–256 characters.
    pub password: Secret,
    /// 3–32 of `[a-z0-9_-]`; made from the email when absent.
    #[serde(default)]
    pub username: Option<String>,
    /// What others see; the username when absent.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// `POST /auth/login`. One of `login`, `email` and `username` names the account.
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

/// `POST /auth/refresh`; the cookie serves when the body is empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefreshRequest {
    /// The refresh token, for programs that keep it themselves.
    #[serde(default)]
    pub refresh_token: Option<Secret>,
}

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// The account.
    pub id: UserId,
    /// The unique name.
    pub username: String,
    /// The unique address.
    pub email: String,
    /// What others see.
    pub display_name: String,
    /// A few words about oneself.
    pub bio: String,
    /// `user`, `premium` or `admin`.
    pub role: String,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When they last signed in, anywhere.
    pub last_login_at: Option<Timestamp>,
}

/// The answer to sign-up and sign-in.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuthAnswer {
    /// Who is signed in now.
    pub user: UserView,
    /// A JWT for `Authorization: Bearer`; the same as in the cookie.
    pub access_token: String,
    /// Seconds until it expires.
    pub expires_in: u64,
}

/// The answer to a refresh.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RefreshAnswer {
    /// The next JWT.
    pub access_token: String,
    /// Seconds until it expires.
    pub expires_in: u64,
}

/// `PATCH /me`. A field left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateMeRequest {
    /// What others see.
    #[serde(default)]
    pub display_name: Option<String>,
    /// A few words about oneself, up to 2,000 characters.
    #[serde(default)]
    pub bio: Option<String>,
}

/// A signed-in device (PRODUCT A4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// For revoking it.
    pub id: SessionId,
    /// What the browser or program called itself.
    pub user_agent: String,
    /// The address it was last seen at.
    pub ip: String,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it was last seen, to the minute.
    pub last_activity_at: Timestamp,
    /// Whether the request that asked came from it.
    pub current: bool,
}
