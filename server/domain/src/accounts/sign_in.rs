//! Sign-up and sign-in (PRODUCT A1, A2).

use super::{
    ACCESS_LIFETIME, AccessToken, Accounts, Caller, Device, Network, OwnNames, RefreshSecret, Role,
    limits::SignInTo, view,
};
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
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

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
/// How many of an account's sessions, the newest first, tell where it has signed in from.
const KNOWN_SESSIONS: u32 = 100;

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
    pub async fn take_sign_up_turn(&self, device: &Device) -> Result<SignUpTurn> {
        self.limits.sign_up(&device.ip).await.map(|()| SignUpTurn(()))
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
        // A blank display name means the same as none: it is the username.
        let given = request.display_name.as_deref().filter(|text| !text.trim().is_empty());
        let names = [request.username.as_deref(), given].map(Option::unwrap_or_default);
        let own = OwnNames::of(email.as_ref(), &names);
        let password = errors.take(Password::parse(&request.password).and_then(|password| {
            self.passwords.refuse_guessable(&password, &own).map(|()| password)
        }));
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
    /// `RateLimited`; `Invalid` if no name or no password is given; `InvalidCredentials` for an
    /// unknown name, a wrong password and a deactivated account alike, after the same time;
    /// `Overloaded`.
    pub async fn sign_in(&self, request: &LoginRequest, device: &Device) -> Result<SignedIn> {
        self.limits.sign_in_from(&device.ip).await?;
        let login = check_login(request)?;
        let user = match self.core.stores.relational.users.by_login(&login).await {
            Ok(user) => Some(user),
            Err(StoreError::NotFound) => None,
            Err(error) => return Err(error.into()),
        };
        // Asked for unknown names too, so that the response takes equally long.
        let id = user.as_ref().map_or(UserId(Uuid::nil()), |user| user.id);
        let is_known = self.has_signed_in_from(id, &device.ip).await?;
        let to = if user.is_some() { SignInTo::Account(id) } else { SignInTo::Name(login) };
        self.limits.sign_in(&to, &device.ip, is_known).await?;
        let stored = user.as_ref().map(|user| user.password_hash.clone());
        let fits = self.passwords.verify(request.password.clone(), stored).await?;
        let Some(user) = user.filter(|user| fits && user.deactivated_at.is_none()) else {
            return Err(Error::InvalidCredentials);
        };
        self.start_session(&user, device, self.core.clock.now()).await
    }

    /// Whether the user has signed in from the network of this address, so that strangers cannot
    /// lock the user out there. Sessions are the record of it: they are stored, each has the address
    /// where it began and where it was last seen, and they are removed 30 days after they end. A
    /// cookie that recognises a device would need a key, and programs would not send it.
    async fn has_signed_in_from(&self, user: UserId, ip: &str) -> Result<bool> {
        let network = Network::of_text(ip);
        let known = self.core.stores.relational.sessions.addresses(user, KNOWN_SESSIONS).await?;
        Ok(known.iter().any(|address| Network::of_text(address) == network))
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

/// Returns the name to look up, folded as it is stored.
fn check_login(request: &LoginRequest) -> Result<String> {
    let mut errors = FieldErrors::default();
    let login = request.login.as_deref().map(str::trim).unwrap_or_default();
    if login.chars().count() > LONGEST_LOGIN {
        let message = format!("A username or email has at most {LONGEST_LOGIN} characters.");
        errors.push(FieldError::new("login", "too_long", message).with(&LONGEST_LOGIN));
    }
    if login.is_empty() {
        errors.push(FieldError::new("login", "blank", "Enter your username or email."));
    }
    if request.password.expose().is_empty() {
        errors.push(FieldError::new("password", "blank", "Enter a password."));
    }
    errors.none_or(login.to_lowercase().nfc().collect()).map_err(Error::Invalid)
}
