//! Secrets at rest: AES-256-GCM (NIST SP 800-38D) with keys that HKDF-SHA256 (RFC 5869) derives.

use crate::error::{Error, Result};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, Salt},
};
use izanagi_shared::rules::Secret;
use std::{fmt, sync::Arc};

/// Version of the format: this byte, the nonce (12 bytes), the ciphertext with its tag.
const FORMAT: u8 = 1;
const SALT: &[u8] = b"izanagi sealing v1";

/// Seals and opens secrets that are stored in a database. The database alone is not enough to read
/// them.
#[derive(Clone)]
pub struct Sealer {
    /// Secrets of high entropy. The first one seals, any of them opens.
    secrets: Arc<[Secret]>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    /// Seals with `current`, and opens also what was sealed with one of `former`. The secrets must be
    /// random: no work is spent on slowing down guesses.
    pub fn new(current: Secret, former: impl IntoIterator<Item = Secret>) -> Self {
        Self { secrets: std::iter::once(current).chain(former).collect() }
    }

    /// Encrypts a secret. `purpose` and `owner` must be the same when it is opened, so that a sealed
    /// value cannot be put in the place of another.
    ///
    /// # Errors
    /// No randomness is available.
    pub fn seal(&self, purpose: &str, owner: &[u8], plain: &Secret) -> Result<Vec<u8>> {
        let first = self.secrets.first().ok_or_else(|| Error::internal("no sealing secret"))?;
        let mut sealed = plain.expose().as_bytes().to_vec();
        let nonce = key(first, purpose)?
            .seal_in_place_append_tag(Aad::from(owner), &mut sealed)
            .map_err(Error::internal)?;
        Ok([&[FORMAT], nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Whether the current secret sealed a value, rather than a former one or none of them.
    #[must_use]
    pub fn is_current(&self, purpose: &str, owner: &[u8], sealed: &[u8]) -> bool {
        let current = Self { secrets: self.secrets.iter().take(1).cloned().collect() };
        current.open(purpose, owner, sealed).is_some()
    }

    /// Decrypts a sealed secret; `None` if none of the secrets opens it, or it was changed.
    #[must_use]
    pub fn open(&self, purpose: &str, owner: &[u8], sealed: &[u8]) -> Option<Secret> {
        let (&FORMAT, rest) = sealed.split_first()? else { return None };
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>()?;
        self.secrets.iter().find_map(|secret| {
            let mut text = ciphertext.to_vec();
            let key = key(secret, purpose).ok()?;
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let plain = key.open_in_place(nonce, Aad::from(owner), &mut text).ok()?;
            String::from_utf8(plain.to_vec()).ok().map(Secret::new)
        })
    }
}

fn key(secret: &Secret, purpose: &str) -> Result<RandomizedNonceKey> {
    let mut key = [0; 32];
    Salt::new(HKDF_SHA256, SALT)
        .extract(secret.expose().as_bytes())
        .expand(&[purpose.as_bytes()], &AES_256_GCM)
        .and_then(|material| material.fill(&mut key))
        .map_err(Error::internal)?;
    RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(current: &str, former: &[&str]) -> Sealer {
        Sealer::new(Secret::new(current), former.iter().map(|secret| Secret::new(*secret)))
    }

    #[test]
    fn opens_what_it_sealed_for_the_same_purpose_and_owner() {
        let sealer = sealer("a", &[]);
        let sealed = sealer.seal("keys", b"1", &Secret::new("hunter2")).unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
        assert_eq!(sealer.open("keys", b"1", &sealed), Some(Secret::new("hunter2")));
        assert_eq!(sealer.open("other", b"1", &sealed), None);
        assert_eq!(sealer.open("keys", b"2", &sealed), None);
        assert_ne!(sealer.seal("keys", b"1", &Secret::new("hunter2")).unwrap(), sealed);
    }

    #[test]
    fn a_former_secret_still_opens_and_a_foreign_one_does_not() {
        let sealed = sealer("old", &[]).seal("keys", b"", &Secret::new("x")).unwrap();
        assert!(sealer("new", &["old"]).open("keys", b"", &sealed).is_some());
        assert!(!sealer("new", &["old"]).is_current("keys", b"", &sealed));
        assert!(sealer("old", &["new"]).is_current("keys", b"", &sealed));
        assert!(sealer("new", &[]).open("keys", b"", &sealed).is_none());
    }

    #[test]
    fn a_changed_or_short_value_is_not_opened() {
        let sealer = sealer("a", &[]);
        let sealed = sealer.seal("keys", b"", &Secret::new("x")).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(sealer.open("keys", b"", &changed), None, "byte {at}");
            assert_eq!(sealer.open("keys", b"", &sealed[..at]), None, "{at} bytes");
        }
    }
}
