//! Access tokens: RS256 JWTs (RFC 7519), and the keys that sign them (PRODUCT A3).

use super::{ACCESS_LIFETIME, Caller, LEEWAY};
use crate::{
    error::{Error, Result},
    hash::{sha256, sha256_parts},
};
use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi_shared::{
    id::{SessionId, UserId},
    rules::Secret,
    time::Timestamp,
};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash},
};
use lru::LruCache;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fmt, num::NonZeroUsize, sync::Arc};
use uuid::Uuid;

/// A private RSA key as PEM (PKCS #8).
#[derive(Clone)]
pub struct SigningKey(Secret);

impl SigningKey {
    /// Generates a key of 2,048 bits.
    ///
    /// # Errors
    /// No randomness is available.
    pub fn generate() -> Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(Error::internal)?;
        let der = pair.as_der().map_err(Error::internal)?;
        let base64 = STANDARD.encode(der.as_ref());
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for line in base64.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok(Self(Secret::new(pem)))
    }

    /// Wraps a stored key.
    #[must_use]
    pub const fn from_pem(pem: Secret) -> Self {
        Self(pem)
    }

    /// Returns the PEM text, for storage readable only by the server.
    #[must_use]
    pub fn for_storage(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Issuer and audience of tokens: `iss` and `aud`.
#[derive(Debug, Clone)]
pub struct TokenIssuer {
    /// The public URL, or `izanagi`.
    pub issuer: String,
    /// The same for every token of this server.
    pub audience: String,
}

/// Claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// Audience.
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// Expiry, in seconds since the epoch.
    pub exp: i64,
    /// Start of validity, in seconds since the epoch.
    pub nbf: i64,
    /// Issue time, in seconds since the epoch.
    pub iat: i64,
    /// The token's id.
    pub jti: Uuid,
    /// The session.
    pub sid: SessionId,
    /// The user's role.
    pub role: String,
}

/// An access token. Secret: its holder is signed in.
#[derive(Debug, Clone)]
pub struct AccessToken(Secret);

impl AccessToken {
    /// Returns the JWT, for the response and the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Signs and verifies access tokens.
#[derive(Clone)]
pub struct Tokens {
    issuer: TokenIssuer,
    keys: Arc<RwLock<Arc<Keys>>>,
    validation: Validation,
    /// Claims of tokens with a valid signature, by their SHA-256.
    verified: Arc<Mutex<LruCache<[u8; 32], Claims>>>,
}

/// The keys of one moment.
struct Keys {
    /// The SHA-256 of all of them, to notice a change.
    hash: [u8; 32],
    kid: String,
    signing: EncodingKey,
    verifying: HashMap<String, DecodingKey>,
    set: JwkSet,
}

/// Tokens whose signatures are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("kid", &self.keys.read().kid).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Signs with `current`; verifies with `current` and `former` (key rotation).
    ///
    /// # Errors
    /// A key is not an RSA key in PKCS #8 PEM.
    pub fn new(issuer: TokenIssuer, current: &SigningKey, former: &[SigningKey]) -> Result<Self> {
        let keys = Keys::new(current, former)?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&issuer.issuer]);
        validation.set_audience(&[&issuer.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Times are checked against the injected clock.
        validation.validate_exp = false;
        Ok(Self {
            issuer,
            keys: Arc::new(RwLock::new(Arc::new(keys))),
            validation,
            verified: Arc::new(Mutex::new(LruCache::new(REMEMBERED))),
        })
    }

    /// Replaces the keys, for all clones.
    ///
    /// # Errors
    /// As [`Self::new`]; the former keys then stay.
    pub fn replace(&self, current: &SigningKey, others: &[SigningKey]) -> Result<()> {
        if self.keys.read().hash != hash_of(current, others) {
            let keys = Arc::new(Keys::new(current, others)?);
            *self.keys.write() = keys;
        }
        Ok(())
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read())
    }

    /// Issues a token for this caller, valid from `now` for [`ACCESS_LIFETIME`].
    pub(super) fn issue(&self, caller: &Caller, jti: Uuid, now: Timestamp) -> Result<AccessToken> {
        let claims = Claims {
            iss: self.issuer.issuer.clone(),
            aud: self.issuer.audience.clone(),
            sub: caller.user,
            exp: now.plus(ACCESS_LIFETIME).as_seconds(),
            nbf: now.as_seconds(),
            iat: now.as_seconds(),
            jti,
            sid: caller.session,
            role: caller.role.as_str().to_owned(),
        };
        let mut header = Header::new(Algorithm::RS256);
        let keys = self.keys();
        header.kid = Some(keys.kid.clone());
        jsonwebtoken::encode(&header, &claims, &keys.signing)
            .map(|token| AccessToken(Secret::new(token)))
            .map_err(Error::internal)
    }

    /// Returns the claims of a token if a known key signed it and it is currently valid.
    ///
    /// # Errors
    /// `Unauthenticated` otherwise. The reason is not revealed.
    fn verify_signature(&self, token: &str, now: Timestamp) -> Result<Claims> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Error::Unauthenticated)?;
        // No extension is understood here, so none may be critical (RFC 7515 §4.1.11).
        if header.crit.is_some() {
            return Err(Error::Unauthenticated);
        }
        let keys = self.keys();
        let key = header.kid.as_ref().and_then(|kid| keys.verifying.get(kid));
        let key = key.ok_or(Error::Unauthenticated)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation)
            .map_err(|_| Error::Unauthenticated)?
            .claims;
        let begun = now.plus(LEEWAY).as_seconds() >= claims.nbf;
        let ended = now.minus(LEEWAY).as_seconds() >= claims.exp;
        if begun && !ended { Ok(claims) } else { Err(Error::Unauthenticated) }
    }

    /// Returns the claims of a valid token, like `verify_signature`. Every request of a session
    /// comes with the same token, so its signature is verified once.
    ///
    /// # Errors
    /// `Unauthenticated` if the token is invalid. The reason is not revealed.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims> {
        let key = sha256(token);
        let known = self.verified.lock().get(&key).cloned();
        if let Some(claims) = known
            && (claims.nbf..claims.exp).contains(&now.as_seconds())
        {
            return Ok(claims);
        }
        let claims = self.verify_signature(token, now)?;
        self.verified.lock().put(key, claims.clone());
        Ok(claims)
    }

    pub(super) fn jwks(&self) -> Result<serde_json::Value> {
        serde_json::to_value(&self.keys().set).map_err(Error::internal)
    }
}

impl Keys {
    fn new(current: &SigningKey, others: &[SigningKey]) -> Result<Self> {
        let mut verifying = HashMap::new();
        let mut set = JwkSet::default();
        let mut first = None;
        for key in std::iter::once(current).chain(others) {
            let encoding =
                EncodingKey::from_rsa_pem(key.for_storage().as_bytes()).map_err(Error::internal)?;
            let (kid, jwk) = public_half(&encoding).map_err(Error::internal)?;
            let decoding = DecodingKey::from_jwk(&jwk).map_err(Error::internal)?;
            verifying.insert(kid.clone(), decoding);
            set.keys.push(jwk);
            first.get_or_insert((kid, encoding));
        }
        let (kid, signing) = first.ok_or_else(|| Error::internal("no signing key"))?;
        Ok(Self { hash: hash_of(current, others), kid, signing, verifying, set })
    }
}

fn hash_of(current: &SigningKey, others: &[SigningKey]) -> [u8; 32] {
    let keys = std::iter::once(current).chain(others);
    sha256_parts(&keys.map(|key| key.for_storage().as_bytes()).collect::<Vec<_>>())
}

fn public_half(key: &EncodingKey) -> jsonwebtoken::errors::Result<(String, Jwk)> {
    let mut jwk = Jwk::from_encoding_key(key, Algorithm::RS256)?;
    let kid = jwk.thumbprint(ThumbprintHash::SHA256)?;
    jwk.common.key_id = Some(kid.clone());
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok((kid, jwk))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Role;
    use std::time::Duration;

    fn tokens(current: &SigningKey, former: &[SigningKey]) -> Tokens {
        let issuer = TokenIssuer { issuer: "izanagi".into(), audience: "izanagi".into() };
        Tokens::new(issuer, current, former).unwrap()
    }

    fn caller() -> Caller {
        Caller {
            user: UserId(Uuid::from_u128(1)),
            session: SessionId(Uuid::from_u128(2)),
            role: Role::User,
        }
    }

    #[test]
    fn verifies_what_it_issued_until_it_ends() {
        let tokens = tokens(&SigningKey::generate().unwrap(), &[]);
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let token = tokens.issue(&caller(), Uuid::from_u128(3), now).unwrap();
        let claims = tokens.verify(token.expose(), now).unwrap();
        assert_eq!((claims.sub, claims.sid), (caller().user, caller().session));
        let second = Duration::from_secs(1);
        let end = now.plus(ACCESS_LIFETIME + LEEWAY);
        for (at, valid) in [
            (now.minus(LEEWAY), true),
            (now.minus(LEEWAY + second), false),
            (end.minus(second), true),
            (end, false),
        ] {
            assert_eq!(tokens.verify(token.expose(), at).is_ok(), valid, "{at:?}");
        }
    }

    #[test]
    fn a_former_key_still_verifies_and_a_foreign_one_does_not() {
        let (old, new) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let token = tokens(&old, &[]).issue(&caller(), Uuid::from_u128(3), now).unwrap();
        assert!(tokens(&new, &[old]).verify(token.expose(), now).is_ok());
        assert!(tokens(&new, &[]).verify(token.expose(), now).is_err());
    }

    #[test]
    fn replaced_keys_reach_every_clone() {
        let (old, new) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let (first, other) = (tokens(&old, &[]), tokens(&new, &[]));
        let clone = first.clone();
        first.replace(&new, &[old]).unwrap();
        let token = clone.issue(&caller(), Uuid::from_u128(3), now).unwrap();
        assert!(other.verify(token.expose(), now).is_ok());
        assert_eq!(clone.jwks().unwrap()["keys"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_changed_token_is_refused() {
        let tokens = tokens(&SigningKey::generate().unwrap(), &[]);
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let token = tokens.issue(&caller(), Uuid::from_u128(3), now).unwrap();
        let mut parts: Vec<&str> = token.expose().split('.').collect();
        parts[2] = "AAAA";
        assert!(tokens.verify(&parts.join("."), now).is_err());
        assert!(tokens.verify("", now).is_err());
    }

    #[test]
    fn a_token_with_a_critical_extension_is_refused() {
        let tokens = tokens(&SigningKey::generate().unwrap(), &[]);
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let token = tokens.issue(&caller(), Uuid::from_u128(3), now).unwrap();
        let claims = tokens.verify(token.expose(), now).unwrap();
        for crit in [None, Some(vec!["b64".to_owned()]), Some(Vec::new())] {
            let is_plain = crit.is_none();
            let kid = Some(tokens.keys().kid.clone());
            let header = Header { kid, crit, ..Header::new(Algorithm::RS256) };
            let signed = jsonwebtoken::encode(&header, &claims, &tokens.keys().signing).unwrap();
            assert_eq!(tokens.verify(&signed, now).is_ok(), is_plain, "{:?}", header.crit);
        }
    }

    #[test]
    fn publishes_public_halves_only() {
        let set = tokens(&SigningKey::generate().unwrap(), &[]).jwks().unwrap();
        let key = &set["keys"][0];
        assert_eq!((key["kty"].as_str(), key["alg"].as_str()), (Some("RSA"), Some("RS256")));
        assert!(key["kid"].is_string() && key["n"].is_string());
        assert!(key.get("d").is_none());
    }
}
