//! Password hashing (PRODUCT A2): Argon2id with OWASP's parameters, on blocking threads and with
//! limited concurrency, so that many sign-ins do not slow down editing.

use super::{
    common::{CommonPasswords, OwnNames, fold},
    memory::Memory,
};
use crate::error::{Error, Result};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::phc::{self, Output, ParamsString, Salt},
};
use izanagi_shared::{
    problem::FieldError,
    rules::{Password, Secret},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

/// Passwords that may wait for their turn; further ones are refused.
const MOST_WAITING: usize = 64;
/// When a refused client may try again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// An Argon2id hash in PHC form. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a hash read from storage.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the PHC string, for storage.
    #[must_use]
    pub fn for_storage(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Passwords {
    params: Params,
    at_once: Arc<Semaphore>,
    /// One for each password that is being hashed or waits for that.
    places: Arc<Semaphore>,
    memory: Arc<Memory>,
    common: Arc<CommonPasswords>,
    /// Verified when the account does not exist, so that the response takes equally long.
    decoy: PasswordHash,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

impl Passwords {
    /// Creates a hasher that processes at most `at_once` passwords concurrently (19 MiB each, 2
    /// passes, one lane: OWASP's Password Storage Cheat Sheet).
    ///
    /// # Errors
    /// The Argon2 parameters are invalid.
    pub fn new(at_once: usize) -> Result<Self> {
        let params = Params::new(19 * 1024, 2, 1, None).map_err(Error::internal)?;
        let memory = Memory::default();
        let decoy = hash(&params, &memory, "a password of no account")?;
        Ok(Self {
            params,
            at_once: Arc::new(Semaphore::new(at_once)),
            places: Arc::new(Semaphore::new(at_once.saturating_add(MOST_WAITING))),
            memory: Arc::new(memory),
            common: Arc::new(CommonPasswords::load()),
            decoy,
        })
    }

    /// Rejects passwords that are guessed first: common ones and the user's own names.
    ///
    /// # Errors
    /// `common` or `own_name`, on the field `password`.
    pub fn refuse_guessable(
        &self,
        password: &Password,
        own: &OwnNames,
    ) -> std::result::Result<(), FieldError> {
        let folded = fold(password.expose());
        self.common.refuse(&folded)?;
        own.refuse(&folded)
    }

    /// Hashes a password with a fresh salt.
    ///
    /// # Errors
    /// `Overloaded` if too many passwords wait; `Internal` without memory or randomness.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let (params, memory) = (self.params.clone(), Arc::clone(&self.memory));
        self.in_turn(move || hash(&params, &memory, password.expose())).await?
    }

    /// Whether the secret is the password behind the hash. Without a hash (no such account) it
    /// takes equally long and returns `false`.
    ///
    /// # Errors
    /// `Overloaded` if too many passwords wait; `Internal` if the stored hash is not a valid PHC
    /// string.
    pub async fn verify(&self, secret: Secret, stored: Option<PasswordHash>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let memory = Arc::clone(&self.memory);
        let fits = self.in_turn(move || fits(&memory, secret.expose(), &stored)).await??;
        Ok(fits && known)
    }

    /// Frees the memory of earlier hashes, unless one was made since the last call.
    pub fn release_idle_memory(&self) {
        self.memory.release_if_idle();
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Error::Overloaded(RETRY_AFTER))?;
        let turn = Arc::clone(&self.at_once).acquire_owned().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            work()
        })
        .await
        .map_err(Error::internal)
    }
}

/// Returns a password in the form that is compared (RFC 8265 §4.2): keyboards differ in how they
/// compose letters, and in which space they write.
pub(super) fn prepared(password: &str) -> String {
    let is_space = |c: char| c.is_whitespace() && !c.is_control() && !c.is_ascii();
    password.nfc().map(|c| if is_space(c) { ' ' } else { c }).collect()
}

fn hash(params: &Params, memory: &Memory, password: &str) -> Result<PasswordHash> {
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    let salt = Salt::generate();
    let hasher = Argon2::new(algorithm, version, params.clone());
    let output = output(&hasher, memory, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
    let hash = phc::PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: ParamsString::try_from(params).map_err(Error::internal)?,
        salt: Some(salt),
        hash: Some(output),
    };
    Ok(PasswordHash(hash.to_string()))
}

/// Whether this password has this hash, whose parameters may be those of an earlier version.
fn fits(memory: &Memory, password: &str, stored: &PasswordHash) -> Result<bool> {
    let parsed = phc::PasswordHash::new(&stored.0).map_err(Error::internal)?;
    let algorithm = Algorithm::try_from(parsed.algorithm.as_str()).map_err(Error::internal)?;
    let version = parsed.version.map_or(Ok(Version::default()), Version::try_from);
    let params = Params::try_from(&parsed).map_err(Error::internal)?;
    let (Some(salt), Some(expected)) = (parsed.salt, parsed.hash) else {
        return Err(Error::internal("a stored password hash has no salt or no hash"));
    };
    let hasher = Argon2::new(algorithm, version.map_err(Error::internal)?, params);
    // In constant time.
    Ok(output(&hasher, memory, password, &salt, expected.len())? == expected)
}

fn output(
    hasher: &Argon2<'_>,
    memory: &Memory,
    password: &str,
    salt: &[u8],
    length: usize,
) -> Result<Output> {
    let password = prepared(password);
    let mut bytes = [0; Output::MAX_LENGTH];
    let bytes = bytes.get_mut(..length).ok_or_else(|| Error::internal("a hash is too long"))?;
    let hashed = memory.with(hasher.params().block_count(), |memory| {
        hasher.hash_password_into_with_memory(password.as_bytes(), salt, bytes, memory)
    });
    hashed.map_err(Error::internal)?;
    Output::new(bytes).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::PasswordHasher as _;
    use izanagi_shared::rules::Email;

    fn password(text: &str) -> Password {
        Password::parse(&Secret::new(text)).unwrap()
    }

    #[tokio::test]
    async fn knows_its_own_hash_and_no_other() {
        let passwords = Passwords::new(1).unwrap();
        let stored = passwords.hash(password("correct horse battery")).await.unwrap();
        assert!(stored.for_storage().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let verify = |text: &str, stored| passwords.verify(Secret::new(text), stored);
        assert!(verify("correct horse battery", Some(stored.clone())).await.unwrap());
        assert!(!verify("correct horse batterz", Some(stored)).await.unwrap());
        assert!(!verify("a password of no account", None).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_may_be_composed_differently() {
        let passwords = Passwords::new(1).unwrap();
        let stored = passwords.hash(password("cafe\u{301} au\u{3000}lait \u{c5}")).await.unwrap();
        for (text, fits) in [
            ("caf\u{e9} au lait A\u{30a}", true),
            ("caf\u{e9} au\u{a0}lait \u{212b}", true),
            ("cafe au lait \u{c5}", false),
            ("Caf\u{e9} au lait \u{c5}", false),
        ] {
            let known = passwords.verify(Secret::new(text), Some(stored.clone())).await.unwrap();
            assert_eq!(known, fits, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_guessed_first() {
        let passwords = Passwords::new(1).unwrap();
        let email = Email::parse("ada@example.org").unwrap();
        let names = OwnNames::of(Some(&email), &["ada"]);
        let code = |text| {
            let refused = passwords.refuse_guessable(&password(text), &names);
            refused.err().map(|error| error.code)
        };
        for text in ["1234567890", "Qwertyuiop", "aaaaaaaaaaaa", "Manchester"] {
            assert_eq!(code(text).as_deref(), Some("common"), "{text}");
        }
        assert_eq!(code("Ada@Example.org").as_deref(), Some("own_name"));
        assert_eq!(code("correct horse battery"), None);
    }

    #[tokio::test]
    async fn hashes_beyond_those_that_may_wait_are_refused() {
        let passwords = Passwords::new(1).unwrap();
        let turn = Arc::clone(&passwords.at_once).acquire_owned().await.unwrap();
        let verify = || passwords.verify(Secret::new("x"), None);
        let mut waiting: Vec<_> = (0..=MOST_WAITING).map(|_| Box::pin(verify())).collect();
        for hash in &mut waiting {
            assert!(futures::poll!(hash).is_pending());
        }
        assert!(matches!(verify().await, Err(Error::Overloaded(_))));
        // A client that gives up makes room.
        waiting.pop();
        let mut next = Box::pin(verify());
        assert!(futures::poll!(&mut next).is_pending());
        waiting.clear();
        drop(turn);
        assert!(!next.await.unwrap());
    }

    #[tokio::test]
    async fn a_hash_made_with_other_parameters_is_verified() {
        let passwords = Passwords::new(1).unwrap();
        let params = Params::new(64, 1, 1, Some(16)).unwrap();
        let former = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let stored = former.hash_password("correct horse battery".as_bytes()).unwrap().to_string();
        let verify =
            |text: &str| passwords.verify(Secret::new(text), Some(PasswordHash(stored.clone())));
        assert!(verify("correct horse battery").await.unwrap());
        assert!(!verify("correct horse batterz").await.unwrap());
    }
}
