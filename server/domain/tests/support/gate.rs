//! A document store in which a test can delay calls or make them fail.

#![allow(dead_code)]

use crate::support::{Plan, World};
use async_trait::async_trait;
use izanagi_domain::storage::{RecordPath, StoreError, StoreResult, Stores};
use izanagi_storage::faulty::{Faulty, Hook, Injector};
use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};
use tokio::sync::Notify;

/// What happens to the next matching call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trap {
    /// The first purge waits until the gate is opened.
    HoldPurge,
    /// The first update or patch waits until the gate is opened.
    HoldUpdate,
    /// Every read of this record panics.
    PanicAt(RecordPath),
    /// This record cannot be read.
    CorruptAt(RecordPath),
    /// This record cannot be purged.
    KeepAt(RecordPath),
}

/// Creates a world whose document store is behind a gate.
pub(crate) async fn gated() -> (World, Arc<Gate>) {
    let gate = Arc::<Gate>::default();
    let injector = Injector::hooked(Arc::clone(&gate) as _);
    let wrap = move |mut stores: Stores| {
        stores.documents = Arc::new(Faulty::new(stores.documents, &injector));
        stores
    };
    let world = World::with(Plan { wrap: Box::new(wrap), ..Plan::default() }).await;
    (world, gate)
}

/// Decides over the calls of a wrapped document store.
#[derive(Default)]
pub(crate) struct Gate {
    trap: Mutex<Option<Trap>>,
    arrived: Notify,
    opened: Notify,
}

impl Gate {
    pub(crate) fn set(&self, trap: impl Into<Option<Trap>>) {
        *self.trap.lock().unwrap() = trap.into();
    }

    /// Waits until a call is held.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Releases the held call.
    pub(crate) fn open(&self) {
        self.opened.notify_one();
    }

    async fn hold(&self, trap: &Trap) {
        let is_set = self.trap.lock().unwrap().as_ref() == Some(trap);
        if is_set {
            self.set(None);
            self.arrived.notify_one();
            self.opened.notified().await;
        }
    }
}

#[async_trait]
impl Hook for Gate {
    async fn before(&self, method: &'static str, args: &(dyn Debug + Sync)) -> StoreResult<()> {
        match method {
            "purge" => self.hold(&Trap::HoldPurge).await,
            "update" | "patch" => self.hold(&Trap::HoldUpdate).await,
            _ => {}
        }
        let trap = self.trap.lock().unwrap().clone();
        let is_at = |path: &RecordPath| format!("{args:?}").contains(&format!("{path:?}"));
        match (method, trap) {
            ("get", Some(Trap::PanicAt(path))) if is_at(&path) => panic!("injected panic"),
            ("get" | "get_many", Some(Trap::CorruptAt(path))) if is_at(&path) => {
                Err(StoreError::Corrupt("a record".to_owned()))
            }
            ("purge", Some(Trap::KeepAt(path))) if is_at(&path) => {
                Err(StoreError::Unavailable("stuck".to_owned()))
            }
            _ => Ok(()),
        }
    }
}
