//! Encryption of the few secrets that are kept in the database, such as the URL of a store that has
//! moved: AES-256-GCM (NIST SP 800-38D) under keys derived from the signing keys by HKDF (RFC 5869).

use crate::{
    accounts::SigningKey,
    error::{Error, Result},
    storage::Sealed,
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, Salt},
};
use izanagi_shared::rules::Secret;
use std::{fmt, sync::Arc};

/// Keeps these keys apart from others that may be derived from the same signing keys.
const SALT: &[u8] = b"izanagi sealing";
const INFO: &[u8] = b"store urls";
const NONCE: usize = 12;

/// Keys that seal secrets, the current one first.
#[derive(Clone, Default)]
pub struct SealKeys(Arc<[[u8; 32]]>);

impl SealKeys {
    /// Derives a key from each signing key, the current one first.
    ///
    /// # Errors
    /// The derivation fails.
    pub fn derive<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> Result<Self> {
        let derive = |key: &SigningKey| {
            let mut derived = [0; 32];
            let material = Salt::new(HKDF_SHA256, SALT).extract(key.for_storage().as_bytes());
            let expanded = material.expand(&[INFO], HKDF_SHA256);
            expanded.and_then(|okm| okm.fill(&mut derived)).map_err(Error::internal)?;
            Ok(derived)
        };
        Ok(Self(keys.into_iter().map(derive).collect::<Result<_>>()?))
    }

    /// Seals a secret with the current key.
    ///
    /// # Errors
    /// There is no key, or no randomness.
    pub fn seal(&self, secret: &Secret) -> Result<Sealed> {
        let key = self.0.first().ok_or_else(|| Error::internal("there is no key to seal with"))?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(Error::internal)?;
        let mut sealed = secret.expose().as_bytes().to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(INFO), &mut sealed);
        let nonce = nonce.map_err(Error::internal)?;
        Ok(Sealed([nonce.as_ref().as_slice(), &sealed].concat()))
    }

    /// Opens what any of these keys has sealed; `None` if it is another's.
    #[must_use]
    pub fn open(&self, sealed: &Sealed) -> Option<Secret> {
        let (nonce, sealed) = sealed.0.split_first_chunk::<NONCE>()?;
        self.0.iter().find_map(|key| {
            let key = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
            let mut bytes = sealed.to_vec();
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let opened = key.open_in_place(nonce, Aad::from(INFO), &mut bytes).ok()?;
            Some(Secret::new(std::str::from_utf8(opened).ok()?))
        })
    }
}

impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_keys_open_what_was_sealed() {
        let [first, second] = [(); 2].map(|()| SigningKey::generate().unwrap());
        let before = SealKeys::derive([&first]).unwrap();
        let secret = Secret::new("mongodb://ann:tiger@host/notes");
        let sealed = before.seal(&secret).unwrap();
        assert!(!sealed.0.windows(5).any(|bytes| bytes == b"tiger"));
        let rotated = SealKeys::derive([&second, &first]).unwrap();
        assert_eq!(rotated.open(&sealed), Some(secret));
        assert_eq!(SealKeys::derive([&second]).unwrap().open(&sealed), None);
        for at in 0..sealed.0.len() {
            let mut damaged = sealed.clone();
            damaged.0[at] ^= 1;
            assert_eq!(before.open(&damaged), None);
        }
        assert_ne!(
            before.seal(&Secret::new("a")).unwrap(),
            before.seal(&Secret::new("a")).unwrap()
        );
    }
}
