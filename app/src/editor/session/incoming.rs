//! Updates of others on their way into the text. An update costs time by the length of the text, so
//! that of many writers in a long text are applied together, and leave time for the user's keys.

use super::{
    clock,
    open::{Session, with},
};
use crate::words;
use izanagi_shared::{crdt::combine_updates, sync::engine::Stop};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

/// Time between updates as a multiple of the time that the last one took.
const REST_FACTOR: u32 = 4;
/// The longest time that an update waits.
const LONGEST_REST: Duration = Duration::from_millis(250);
/// A shorter time is not waited for.
const SHORTEST_REST: Duration = Duration::from_millis(10);

/// Updates that wait.
#[derive(Default)]
pub(super) struct Incoming {
    updates: RefCell<Vec<Vec<u8>>>,
    is_planned: Cell<bool>,
    /// When the next ones may be applied.
    rested_at: Cell<Duration>,
}

impl Session {
    /// Applies an update of others, at once if the last one was long enough ago.
    pub(super) fn take_in(self: &Rc<Self>, update: Vec<u8>) {
        let incoming = &self.incoming;
        incoming.updates.borrow_mut().push(update);
        if incoming.is_planned.get() {
            return;
        }
        let rest = incoming.rested_at.get().saturating_sub(clock::moment().now);
        if rest < SHORTEST_REST {
            return self.apply_incoming();
        }
        incoming.is_planned.set(true);
        let weak = Rc::downgrade(self);
        let _ = clock::later(rest, move || with(&weak, |it| it.apply_incoming()));
    }

    fn apply_incoming(self: &Rc<Self>) {
        let incoming = &self.incoming;
        incoming.is_planned.set(false);
        let updates = std::mem::take(&mut *incoming.updates.borrow_mut());
        let began = clock::moment().now;
        self.apply_together(updates);
        let ended = clock::moment().now;
        let rest = ended.saturating_sub(began).saturating_mul(REST_FACTOR).min(LONGEST_REST);
        incoming.rested_at.set(ended + rest);
    }

    fn apply_together(self: &Rc<Self>, updates: Vec<Vec<u8>>) {
        let parts: Vec<&[u8]> = updates.iter().map(Vec::as_slice).collect();
        let combined = if parts.len() > 1 { combine_updates(&parts, |_| 0) } else { Ok(None) };
        let updates = match combined {
            Ok(Some(combined)) => vec![combined],
            Ok(None) | Err(_) => updates,
        };
        for update in updates {
            self.apply(&update);
        }
    }

    /// Applies an update of others.
    pub(super) fn apply(self: &Rc<Self>, update: &[u8]) {
        if !self.merge(update) {
            let (code, message) = (String::new(), words::reason_cannot_merge());
            self.close_socket();
            let stop = Stop::Refused { code, message };
            self.drive(|engine, at, out| engine.rebase_failed(at, stop, out));
        }
    }

    /// Forgets updates of another lineage.
    pub(super) fn forget_incoming(&self) {
        self.incoming.updates.borrow_mut().clear();
    }
}
