//! Bytes of which each caller gets a share: how long they are held depends on the caller's network, and
//! a few that are slow must not keep all others waiting.

use super::reservation::{Bytes, Reservation};
use crate::{accounts::Network, error::Result};
use izanagi_shared::id::UserId;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

/// Whose memory is reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A user, on all connections.
    User(UserId),
    /// A caller without an account, by its network.
    Network(Network),
}

/// Number of callers from which on those that hold nothing are forgotten.
const MANY: usize = 1_024;

/// What each caller may hold at once.
pub(super) struct Shares {
    share: usize,
    state: Mutex<State>,
}

struct State {
    of: HashMap<Caller, Weak<Bytes>>,
    /// When to look again for callers that hold nothing.
    tidy_at: usize,
}

impl Shares {
    pub(super) fn new(share: usize) -> Self {
        Self { share, state: Mutex::new(State { of: HashMap::new(), tidy_at: MANY }) }
    }

    /// Reserves a part of the caller's share. A request for more than the share takes all of it.
    pub(super) async fn reserve(&self, caller: Caller, bytes: usize) -> Result<Reservation> {
        if caller == Caller::Network(Network::None) {
            return Ok(Reservation::none());
        }
        let share = self.of(caller);
        Ok(share.reserve(bytes).await?.keeping(share))
    }

    fn of(&self, caller: Caller) -> Arc<Bytes> {
        let mut state = self.state.lock();
        if let Some(share) = state.of.get(&caller).and_then(Weak::upgrade) {
            return share;
        }
        if state.of.len() >= state.tidy_at {
            state.of.retain(|_, share| share.strong_count() > 0);
            state.tidy_at = MANY.max(state.of.len() * 2);
        }
        let share = Arc::new(Bytes::new(self.share));
        state.of.insert(caller, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
#[allow(clippy::significant_drop_tightening, reason = "tests hold budgets on purpose")]
mod tests {
    use super::*;
    use futures::FutureExt as _;
    use uuid::Uuid;

    const KIB: usize = 1_024;

    const fn user(number: u128) -> Caller {
        Caller::User(UserId(Uuid::from_u128(number)))
    }

    #[test]
    fn a_caller_gets_a_share_and_no_more() {
        let shares = Shares::new(10 * KIB);
        let taken = |caller, bytes| shares.reserve(caller, bytes).now_or_never().transpose();
        let first = taken(user(1), 6 * KIB).unwrap().unwrap();
        assert!(taken(user(1), 5 * KIB).unwrap().is_none());
        let rest = taken(user(1), 4 * KIB).unwrap().unwrap();
        assert!(taken(user(2), 100 * KIB).unwrap().is_some(), "more than a share takes all of it");
        drop((first, rest));
        assert!(taken(user(1), 10 * KIB).unwrap().is_some());
    }

    #[test]
    fn callers_that_hold_nothing_are_forgotten() {
        let shares = Shares::new(KIB);
        for number in 0..10 * MANY as u128 {
            drop(shares.reserve(user(number), KIB).now_or_never());
        }
        assert!(shares.state.lock().of.len() <= MANY + 1);
    }
}
