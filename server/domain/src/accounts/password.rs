//! Password hashing (PRODUCT A2): Argon2id with OWASP's parameters, on blocking threads and with
//! limited concurrency, so that many sign-ins do not slow down editing.

use crate::error::{Error, Result};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};
use izanagi_shared::{
    problem::FieldError,
    rules::{Password, Secret},
};
use std::{collections::HashSet, fmt, sync::Arc};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization as _;

/// Common passwords of ten or more characters, one per line, in lower case. Source: the frequency
/// list of zxcvbn (MIT), counted from the Xato corpus.
const COMMON: &str = include_str!("common_passwords.txt");

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
    hasher: Argon2<'static>,
    at_once: Arc<Semaphore>,
    common: Arc<HashSet<&'static str>>,
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
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&hasher, "a password of no account")?;
        Ok(Self {
            hasher,
            at_once: Arc::new(Semaphore::new(at_once)),
            common: Arc::new(COMMON.lines().collect()),
            decoy,
        })
    }

    /// Rejects common passwords.
    ///
    /// # Errors
    /// `common`, on the field `password`.
    pub fn refuse_common(&self, password: &Password) -> std::result::Result<(), FieldError> {
        let folded = prepared(password.expose()).to_lowercase();
        let mut chars = folded.chars();
        let first = chars.next();
        if self.common.contains(folded.as_str()) || chars.all(|c| Some(c) == first) {
            let message = "Many people use this password. Choose another one.";
            return Err(FieldError::new("password", "common", message));
        }
        Ok(())
    }

    /// Hashes a password with a fresh salt.
    ///
    /// # Errors
    /// No memory or randomness is available.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let hasher = self.hasher.clone();
        self.off_thread(move || hash(&hasher, password.expose())).await?
    }

    /// Whether the secret is the password behind the hash. Without a hash (no such account) it
    /// takes equally long and returns `false`.
    ///
    /// # Errors
    /// The stored hash is not a valid PHC string.
    pub async fn verify(&self, secret: Secret, stored: Option<PasswordHash>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let hasher = self.hasher.clone();
        let fits = self
            .off_thread(move || {
                let parsed = phc::PasswordHash::new(&stored.0).map_err(Error::internal)?;
                let secret = prepared(secret.expose());
                Ok::<_, Error>(hasher.verify_password(secret.as_bytes(), &parsed).is_ok())
            })
            .await??;
        Ok(fits && known)
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let permit = Arc::clone(&self.at_once).acquire_owned().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        })
        .await
        .map_err(Error::internal)
    }
}

/// Returns a password in the form that is compared (RFC 8265 §4.2): keyboards differ in how they
/// compose letters, and in which space they write.
fn prepared(password: &str) -> String {
    let is_space = |c: char| c.is_whitespace() && !c.is_control() && !c.is_ascii();
    password.nfc().map(|c| if is_space(c) { ' ' } else { c }).collect()
}

fn hash(hasher: &Argon2<'_>, password: &str) -> Result<PasswordHash> {
    let hashed = hasher.hash_password(prepared(password).as_bytes()).map_err(Error::internal)?;
    Ok(PasswordHash(hashed.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn refuses_what_many_people_use() {
        let passwords = Passwords::new(1).unwrap();
        for text in ["1234567890", "Qwertyuiop", "aaaaaaaaaaaa"] {
            assert_eq!(passwords.refuse_common(&password(text)).unwrap_err().code, "common");
        }
        assert!(passwords.refuse_common(&password("correct horse battery")).is_ok());
    }
}
