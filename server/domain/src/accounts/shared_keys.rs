//! Signing keys that all nodes take from the relational store, sealed with a secret of the settings
//! (PRODUCT A3). A new key first only verifies, so that every node knows it before one signs with it.

use super::{ACCESS_LIFETIME, Accounts, SigningKey};
use crate::{
    error::Error,
    sealing::Sealer,
    storage::{AuditEvent, Clock, Ids, KeyStore, SealedKey, StoreError},
};
use izanagi_shared::{id::ActorId, rules::Secret, time::Timestamp};
use std::{fmt, sync::Arc, time::Duration};

/// How long a new key waits before it signs. Clocks of nodes may differ by a minute.
pub const ACTIVE_AFTER: Duration = Duration::from_secs(120);
/// Interval at which a node reads the keys.
const READ_EVERY: Duration = Duration::from_secs(10);
/// How long a key is kept after its successor began to sign: longer than any token that it signed.
const KEPT_FOR: Duration = ACCESS_LIFETIME.saturating_mul(2);
/// Most keys at a time, which bounds what rotations can add.
const MOST: usize = 8;
const PURPOSE: &str = "signing key";

/// Why there are no shared keys.
#[derive(Debug, thiserror::Error)]
pub enum SharedKeysError {
    /// The secret is not the one that sealed them.
    #[error(
        "the secret does not open the signing keys in the database; use the one that sealed them"
    )]
    WrongSecret,
    /// Too many rotations.
    #[error("the keys were rotated {MOST} times within an hour; try again later")]
    TooManyRotations,
    /// Another process has rotated the keys at the same time.
    #[error("the keys were rotated by another process at the same time")]
    RotatedMeanwhile,
    /// The store failed.
    #[error("cannot access the signing keys in the database: {0}")]
    Store(#[from] StoreError),
    /// A key could not be generated, sealed or read.
    #[error(transparent)]
    Key(#[from] Error),
}

/// The key that signs now, and all others, which only verify.
#[derive(Debug, Clone)]
pub struct KeySet {
    /// Signs new tokens.
    pub current: SigningKey,
    /// Verify tokens, together with `current`.
    pub others: Vec<SigningKey>,
}

/// The signing keys in the relational store.
#[derive(Clone)]
pub struct SharedKeys {
    store: Arc<dyn KeyStore>,
    sealer: Sealer,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    first: Option<SigningKey>,
}

impl fmt::Debug for SharedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedKeys").finish_non_exhaustive()
    }
}

impl SharedKeys {
    /// Keys in this store, sealed by `sealer`. An empty store gets `first`, or a new one.
    #[must_use]
    pub fn new(
        store: Arc<dyn KeyStore>,
        sealer: Sealer,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        first: Option<SigningKey>,
    ) -> Self {
        Self { store, sealer, clock, ids, first }
    }

    /// Reads the keys; adds the first one, which signs at once. All nodes that start at the same
    /// time get the same key.
    ///
    /// # Errors
    /// The store fails, or the secret is not the one that sealed the keys.
    pub async fn load(&self) -> Result<KeySet, SharedKeysError> {
        self.open(&self.stored().await?)
    }

    async fn stored(&self) -> Result<Vec<SealedKey>, SharedKeysError> {
        let mut stored = self.store.list().await?;
        if stored.is_empty() {
            let first = self.first.clone().map_or_else(SigningKey::generate, Ok)?;
            let key = self.sealed(&first, self.clock.now())?;
            // If another node was faster, or the outcome is unknown, the keys are there now.
            let added = self.store.add(&key, None, &[], &self.event("signing_key_created")).await;
            stored = self.store.list().await?;
            if stored.is_empty() {
                added?;
            }
        }
        Ok(stored)
    }

    /// Adds a key, and removes those whose tokens have all expired. Returns from when it signs.
    ///
    /// # Errors
    /// As [`Self::load`]; too many rotations; another process rotates the keys at the same time.
    pub async fn rotate(&self) -> Result<Timestamp, SharedKeysError> {
        let stored = self.stored().await?;
        self.open(&stored)?;
        let now = self.clock.now();
        // The successor of a key stands before it.
        let ended = now.minus(KEPT_FOR);
        let is_over = |pair: &&[SealedKey]| pair[0].signs_from < ended;
        let over: Vec<_> = stored.windows(2).filter(is_over).map(|pair| pair[1].id).collect();
        if stored.len() - over.len() >= MOST {
            return Err(SharedKeysError::TooManyRotations);
        }
        let key = self.sealed(&SigningKey::generate()?, now.plus(ACTIVE_AFTER))?;
        let newest = stored.first().map(|key| key.id);
        let added = self.store.add(&key, newest, &over, &self.event("signing_key_rotated")).await;
        let is_there = match added {
            Err(StoreError::Unknown(_)) => {
                self.store.list().await?.iter().any(|stored| stored.id == key.id)
            }
            added => added?,
        };
        if is_there { Ok(key.signs_from) } else { Err(SharedKeysError::RotatedMeanwhile) }
    }

    fn sealed(
        &self,
        key: &SigningKey,
        signs_from: Timestamp,
    ) -> Result<SealedKey, SharedKeysError> {
        let id = self.ids.uuid();
        let pem = Secret::new(key.for_storage());
        let sealed = self.sealer.seal(PURPOSE, id.as_bytes(), &pem)?;
        Ok(SealedKey { id, sealed, signs_from })
    }

    fn event(&self, action: &'static str) -> AuditEvent {
        AuditEvent {
            action,
            actor: Some(ActorId::SERVER),
            subject: String::new(),
            ip: String::new(),
            at: self.clock.now(),
        }
    }

    /// Opens the keys, newest first. The newest that may sign does; the oldest if none may.
    fn open(&self, stored: &[SealedKey]) -> Result<KeySet, SharedKeysError> {
        let open = |key: &SealedKey| {
            let pem = self.sealer.open(PURPOSE, key.id.as_bytes(), &key.sealed);
            pem.map(SigningKey::from_pem).ok_or(SharedKeysError::WrongSecret)
        };
        let mut keys = stored.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let now = self.clock.now();
        let may_sign = stored.iter().position(|key| key.signs_from <= now);
        let signs = may_sign.unwrap_or(keys.len().saturating_sub(1));
        if keys.is_empty() {
            return Err(Error::internal("no signing key").into());
        }
        let current = keys.remove(signs);
        Ok(KeySet { current, others: keys })
    }
}

impl Accounts {
    /// Reads the shared keys again until the server stops, so that a rotation on one node reaches all.
    pub fn follow_keys(&self, keys: SharedKeys) {
        let (tokens, stop) = (self.tokens.clone(), self.core.stop.clone());
        self.core.tasks.spawn(async move {
            let wait = || tokio::time::timeout(READ_EVERY, stop.cancelled());
            while wait().await.is_err() {
                let replaced = match keys.load().await {
                    Ok(set) => tokens.replace(&set.current, &set.others).map_err(Into::into),
                    Err(error) => Err(error),
                };
                if let Err(error) = replaced {
                    // The keys in memory stay valid.
                    tracing::warn!(%error, "cannot read the signing keys");
                }
            }
        });
    }
}
