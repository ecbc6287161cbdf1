//! Telling the seats of a room what has changed. The order of an update is: durable, applied,
//! acknowledged, told (DESIGN §6).
//!
//! Seats are told up to a seq. If the document had to be loaded again, the load yields what the rows
//! after that seq have changed, so nothing is left out, whatever happened to the replica in between.

use super::{
    event::{Closing, LiveUpdate},
    replica::Replica,
    room::Room,
    seats::{SeatId, Seats},
};
use crate::storage::LoadedLog;
use izanagi_shared::{
    crdt::{ClientRange, Integrated},
    id::ActorId,
};
use std::{collections::BTreeSet, ops::Deref, sync::Arc};

/// A change that seats have not been told of.
#[derive(Debug)]
pub(super) struct Untold {
    pub(super) seq: u64,
    pub(super) actor: ActorId,
    pub(super) change: Integrated,
    /// The sender's seat.
    pub(super) from: Option<SeatId>,
}

/// What the seats of a room have been told.
#[derive(Default)]
pub(super) struct Told {
    /// All up to this seq. `None` before the first load of a lineage.
    seq: Option<u64>,
    lineage: Option<[u8; 16]>,
    /// Rows up to there of which nothing was told, because all of them waits.
    unheard: BTreeSet<u64>,
    /// Rows that were in quarantine when it was last looked at.
    quarantined: BTreeSet<u64>,
    next: Vec<(Arc<LiveUpdate>, Option<SeatId>)>,
}

/// The seats of a room, which are closed when it ends, however it ends.
pub(super) struct OwnSeats(pub(super) Arc<Seats>);

impl Deref for OwnSeats {
    type Target = Seats;

    fn deref(&self) -> &Seats {
        &self.0
    }
}

impl Drop for OwnSeats {
    fn drop(&mut self) {
        self.0.close(Closing::Overloaded);
    }
}

impl Told {
    /// Forgets what is to be told next: the replica is not reliable, and the next load finds it.
    pub(super) fn forget_next(&mut self) {
        self.next = Vec::new();
    }

    pub(super) const fn lineage(&self) -> Option<[u8; 16]> {
        self.lineage
    }
}

impl Room {
    /// Whether changes are to be noted.
    pub(super) fn tells(&self) -> bool {
        self.seats.are_taken()
    }

    /// Returns the seq after which a load is to note changes.
    pub(super) fn told_seq(&self) -> Option<u64> {
        self.told.seq.filter(|_| self.tells())
    }

    /// Notes changes, to tell the seats of them once their senders have an answer.
    pub(super) fn note_changes(&mut self, changes: impl IntoIterator<Item = Untold>) {
        for Untold { seq, actor, change, from } in changes {
            if !change.is_empty() {
                // The sender lacks what others have sent before.
                let except = from.filter(|_| !change.has_released);
                let update = self.seats.update(seq, actor, change.update.into());
                self.told.next.push((update, except));
            }
        }
    }

    /// Tells the seats of what was noted.
    pub(super) fn tell(&mut self) {
        for (update, except) in std::mem::take(&mut self.told.next) {
            self.seats.broadcast(&update, except);
        }
        self.publish();
        let Some(replica) = self.loaded() else { return };
        if self.told.seq != Some(replica.seq) {
            let (seq, unheard) = (replica.seq, replica.rows_without_effect());
            (self.told.seq, self.told.unheard) = (Some(seq), unheard);
        }
    }

    /// Compares the log with what seats have been told. If they were told something that is no longer
    /// part of the document, they have to start anew.
    pub(super) fn compare_with_told(&mut self, log: &LoadedLog) {
        for seq in &log.quarantined {
            self.note_quarantined(*seq);
        }
        if self.told.lineage.is_some_and(|lineage| lineage != log.lineage) {
            self.seats.dismiss(Closing::Resync);
            self.told.seq = None;
        }
        self.told.lineage = Some(log.lineage);
        self.told.quarantined = log.quarantined.iter().copied().collect();
    }

    /// Notes that this row is in quarantine.
    pub(super) fn note_quarantined(&mut self, seq: u64) {
        let is_new = self.told.quarantined.insert(seq);
        let was_told = self.told.seq.is_some_and(|told| seq <= told);
        if is_new && was_told && !self.told.unheard.contains(&seq) && self.tells() {
            tracing::warn!(docId = %self.document, seq, "connections were told of an update that is quarantined");
            self.seats.dismiss(Closing::Resync);
        }
    }
}

impl Replica {
    /// Returns the rows of which nothing is applied.
    fn rows_without_effect(&self) -> BTreeSet<u64> {
        let clock_of = |client| self.lineage.doc().clock_of(client);
        let is_ahead = |range: &ClientRange| clock_of(range.client) <= range.start;
        let has_no_effect = |seq: &u64| {
            let row = self.rows.get(seq);
            row.is_some_and(|row| row.structs.iter().chain(&row.deletes).all(is_ahead))
        };
        self.waiting.seqs().into_iter().filter(has_no_effect).collect()
    }
}
