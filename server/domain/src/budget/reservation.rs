//! A part of a budget, given back when dropped.

use crate::error::{Error, Result};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes are counted in units of this size: a semaphore counts in 32 bits.
const UNIT: usize = 1024;

/// A part of a budget. Keep it for as long as the memory it stands for is held.
#[derive(Debug)]
#[must_use = "a reservation that is dropped reserves nothing"]
pub struct Reservation {
    /// Not as a permit: clippy would take whatever leads to a reservation, like a room, for a lock.
    units: Option<(Arc<Semaphore>, usize)>,
    /// Part of a caller's share.
    share: Option<Box<(Reservation, Arc<Bytes>)>>,
}

impl Reservation {
    /// For work that needs no budget.
    pub const fn none() -> Self {
        Self { units: None, share: None }
    }

    pub(super) fn of(permit: OwnedSemaphorePermit) -> Self {
        let units = (Arc::clone(permit.semaphore()), permit.num_permits());
        permit.forget();
        Self { units: Some(units), share: None }
    }

    /// Keeps a share in memory for as long as a part of it is taken.
    pub(super) fn keeping(self, share: Arc<Bytes>) -> Self {
        Self { units: None, share: Some(Box::new((self, share))) }
    }

    /// Adds the part of a caller's share that it takes.
    pub(super) fn of_share(mut self, mut part: Self) -> Self {
        self.share = part.share.take();
        self
    }

    /// Gives back what exceeds this many bytes.
    pub fn shrink_to(&mut self, bytes: usize) {
        if let Some(share) = &mut self.share {
            share.0.shrink_to(bytes);
        }
        if let Some((semaphore, units)) = &mut self.units {
            let excess = units.saturating_sub(bytes.div_ceil(UNIT));
            *units -= excess;
            semaphore.add_permits(excess);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some((semaphore, units)) = &self.units {
            semaphore.add_permits(*units);
        }
    }
}

/// A number of bytes that many share, first come, first served.
#[derive(Debug)]
pub(super) struct Bytes {
    units: Arc<Semaphore>,
    all: u32,
}

impl Bytes {
    pub(super) fn new(bytes: usize) -> Self {
        let all = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        Self { units: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Reserves bytes. A request for more than there are takes all of them: it runs alone.
    pub(super) async fn reserve(&self, bytes: usize) -> Result<Reservation> {
        let permit = Arc::clone(&self.units).acquire_many_owned(self.units_of(bytes)).await;
        Ok(Reservation::of(permit.map_err(Error::internal)?))
    }

    /// Reserves bytes if they are free.
    pub(super) fn try_reserve(&self, bytes: usize) -> Option<Reservation> {
        let permit = Arc::clone(&self.units).try_acquire_many_owned(self.units_of(bytes));
        permit.ok().map(Reservation::of)
    }

    fn units_of(&self, bytes: usize) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.all)
    }
}
