//! Sign-up and sign-in (PRODUCT A1, A2).

use super::{ACCESS_LIFETIME, AccessToken, Accounts, Caller, Device, RefreshSecret, Role, view};
use crate::{
    error::{Error, Result},
    storage::{Constraint, NewSession, Session, StoreError, StoreResult, User},
};
use izanagi_shared::{
    id::{SessionId, UserId},
    problem::FieldError,
    rules::{DisplayName, Email, FieldErrors, Password, Username, username_from_email},
    time::Timestamp,
    wire::{LoginRequest, SignupRequest, UserView},
};

/// Result of a sign-in or a refresh.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The user.
    pub user: UserView,
    /// The session.
    pub caller: Caller,
    /// Valid for [`ACCESS_LIFETIME`].
    pub access: AccessToken,
    /// Seconds until `access` expires.
    pub expires_in: u64,
    /// Exchanged for the next access token.
    pub refresh: RefreshSecret,
}

/// Maximum length of an email (PRODUCT A1).
const LONGEST_LOGIN: usize = 320;

struct NewAccount {
    username: Option<Username>,
    email: Email,
    password: Password,
    display_name: Option<DisplayName>,
}

/// Permission for one sign-up attempt, already counted against the rate limit.
#[derive(Debug)]
pub struct SignUpTurn(());

impl Accounts {
    /// Counts a sign-up attempt. This is the first check (DESIGN §8), before the body is read.
    ///
    /// # Errors
    /// `RateLimited`.
    pub fn take_sign_up_turn(&self, device: &Device) -> Result<SignUpTurn> {
        self.limits.sign_up(&device.ip).map(|()| SignUpTurn(()))
    }

    /// Creates an account and signs it in.
    ///
    /// # Errors
    /// `Invalid` with every invalid field, `UsernameTaken`, `EmailTaken`.
    pub async fn sign_up(
        &self,
        SignUpTurn(()): SignUpTurn,
        request: &SignupRequest,
        device: &Device,
    ) -> Result<SignedIn> {
        let account = self.check_account(request)?;
        let password_hash = self.passwords.hash(account.password).await?;
        let now = self.core.clock.now();
        let chosen = account.username.as_ref().map(|name| name.as_str().to_owned());
        let base = chosen.clone().unwrap_or_else(|| username_from_email(&account.email));
        let mut user = User {
            id: UserId(self.core.ids.uuid()),
            display_name: String::new(),
            username: base.clone(),
            email: account.email.as_str().to_owned(),
            bio: String::new(),
            role: Role::User,
            password_hash,
            created_at: now,
            last_login_at: None,
            deactivated_at: None,
        };
        // A generated username is replaced if it is taken; a chosen one is an error.
        for attempt in 0..10 {
            let shown = account.display_name.as_ref().map(DisplayName::as_str);
            user.display_name = shown.unwrap_or(&user.username).to_owned();
            match self.create_account(&user).await {
                Err(StoreError::Conflict(Constraint::Username))
                    if chosen.is_none() && attempt < 9 =>
                {
                    user.username = format!("{base}-{}", self.suffix());
                }
                Err(error) => return Err(error.into()),
                Ok(()) => break,
            }
        }
        self.start_session(&user, device, now).await
    }

    /// Creates an account; after a lost reply, checks whether it was created.
    async fn create_account(&self, user: &User) -> StoreResult<()> {
        match self.core.stores.relational.users.create(user).await {
            Err(StoreError::Unknown(what)) => {
                match self.core.stores.relational.users.by_id(user.id).await {
                    Ok(_) => Ok(()),
                    Err(StoreError::NotFound) => Err(StoreError::Unavailable(what)),
                    Err(error) => Err(error),
                }
            }
            other => other,
        }
    }

    fn check_account(&self, request: &SignupRequest) -> Result<NewAccount> {
        let mut errors = FieldErrors::default();
        // A blank username is an error: a user who is shown the field would not expect that a part
        // of the email address becomes public.
        let username = request.username.as_deref().map(|text| errors.take(Username::parse(text)));
        let email = errors.take(Email::parse(&request.email));
        let password = errors.take(
            Password::parse(&request.password)
                .and_then(|password| self.passwords.refuse_common(&password).map(|()| password)),
        );
        // A blank display name means the same as none: it is the username.
        let given = request.display_name.as_deref().filter(|text| !text.trim().is_empty());
        let display_name = given.map(|text| errors.take(DisplayName::parse(text)));
        match (email, password, errors.into_vec()) {
            (Some(email), Some(password), errors) if errors.is_empty() => Ok(NewAccount {
                username: username.flatten(),
                email,
                password,
                display_name: display_name.flatten(),
            }),
            (_, _, errors) => Err(Error::Invalid(errors)),
        }
    }

    fn suffix(&self) -> String {
        let mut bytes = [0; 2];
        self.core.ids.fill(&mut bytes);
        hex::encode(bytes)
    }

    /// Signs a user in by username or email.
    ///
    /// # Errors
    /// `RateLimited`; `Invalid` if no name is given; `InvalidCredentials` for an unknown name, a
    /// wrong password and a deactivated account alike, after the same time.
    pub async fn sign_in(&self, request: &LoginRequest, device: &Device) -> Result<SignedIn> {
        let login = request.login.as_deref().map(str::trim).unwrap_or_default();
        if login.chars().count() > LONGEST_LOGIN {
            let message = format!("A username or email has at most {LONGEST_LOGIN} characters.");
            return Err(FieldError::new("login", "too_long", message).with(&LONGEST_LOGIN).into());
        }
        self.limits.sign_in(login, &device.ip)?;
        if login.is_empty() {
            let message = "Enter your username or email.";
            return Err(FieldError::new("login", "blank", message).into());
        }
        let user = match self.core.stores.relational.users.by_login(&login.to_lowercase()).await {
            Ok(user) => Some(user),
            Err(StoreError::NotFound) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(user) = &user {
            // Username and email of an account share one limit.
            self.limits.sign_in(&user.id.to_string(), &device.ip)?;
        }
        let stored = user.as_ref().map(|user| user.password_hash.clone());
        let fits = self.passwords.verify(request.password.clone(), stored).await?;
        let Some(user) = user.filter(|user| fits && user.deactivated_at.is_none()) else {
            return Err(Error::InvalidCredentials);
        };
        self.start_session(&user, device, self.core.clock.now()).await
    }

    async fn start_session(
        &self,
        user: &User,
        device: &Device,
        now: Timestamp,
    ) -> Result<SignedIn> {
        let session = Session {
            id: SessionId(self.core.ids.uuid()),
            user_id: user.id,
            user_agent: device.user_agent.chars().take(300).collect(),
            ip: device.ip.clone(),
            created_at: now,
            last_activity_at: now,
            revoked_at: None,
        };
        let mut bytes = [0; 32];
        self.core.ids.fill(&mut bytes);
        let refresh = RefreshSecret::from_bytes(&bytes);
        let caller = Caller { user: user.id, session: session.id, role: user.role };
        let token = self.new_token(session.id, &refresh, None, now);
        let new = NewSession { session, token };
        let begun = self.core.stores.relational.sessions.create(&new);
        begun.await.map_err(|error| match error {
            // Deleted or deactivated while the password was checked.
            StoreError::Conflict(Constraint::Account) => Error::InvalidCredentials,
            other => other.into(),
        })?;
        let user = User { last_login_at: Some(now), ..user.clone() };
        self.signed_in(&user, &caller, refresh, now)
    }

    pub(super) fn signed_in(
        &self,
        user: &User,
        caller: &Caller,
        refresh: RefreshSecret,
        now: Timestamp,
    ) -> Result<SignedIn> {
        Ok(SignedIn {
            user: view(user),
            caller: *caller,
            access: self.tokens.issue(caller, self.core.ids.uuid(), now)?,
            expires_in: ACCESS_LIFETIME.as_secs(),
            refresh,
        })
    }
}
