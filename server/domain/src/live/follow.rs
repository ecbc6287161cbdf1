//! Following other rooms that write into the same document, on this node or another: what they have
//! appended is taken in without loading the document again, if nothing else has happened to the log.

use super::{replica::Replica, room::Room, tell::Untold};
use crate::{
    error::Result,
    storage::{BusEvent, LogTail, LoggedUpdate},
};
use std::time::Duration;

/// A room with seats looks at the log this often, in case that the bus has lost something: with the
/// time that it takes, edits on other nodes are shown within five seconds.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(4);

impl Room {
    /// Looks at the log if an event said that there is more in it.
    pub(super) async fn look_if_behind(&mut self) {
        let heard = self.heard.take();
        if self.tells() && self.loaded().is_none_or(|replica| replica.seq < heard) {
            self.look().await;
        }
    }

    /// Takes in what other rooms have written, if anything. On an error, the next look or command
    /// tries again.
    pub(super) async fn look(&mut self) {
        if let Some(after) = self.loaded().map(|replica| replica.seq) {
            match self.context.log.since(self.document, after).await {
                Ok(tail) if tail.live_seq > after => self.take_in_or_load(tail).await,
                Ok(_) | Err(_) => return,
            }
        }
        // Seats wait for what a load yields. Without them, the next command loads the document.
        if self.tells()
            && let Err(error) = self.ready().await
        {
            tracing::debug!(docId = %self.document, ?error, "the log of a room could not be read");
        }
    }

    /// Tells other nodes that the log has grown.
    pub(super) fn publish(&mut self) {
        if let Some(seq) = self.unpublished.take() {
            let document = self.document;
            self.context.bus.publish(BusEvent::DocumentEdited { document, seq });
        }
    }

    /// Whether another room has written, as far as this process has seen.
    pub(super) fn is_behind(&self) -> bool {
        let seen = self.context.seen.highest(self.document);
        self.loaded().is_some_and(|replica| replica.seq < seen)
    }

    /// Takes in what other rooms have written. If that is not possible, the document is loaded again.
    pub(super) async fn follow(&mut self) -> Result<()> {
        if !self.take_in_others().await {
            self.invalidate();
        }
        self.ready().await
    }

    /// Takes in these rows, which follow what this room knew. If that is not possible, the document is
    /// loaded again when it is used next.
    pub(super) async fn take_in_or_load(&mut self, tail: LogTail) {
        if !self.take_in_rows(tail).await {
            self.invalidate();
        }
    }

    async fn take_in_others(&mut self) -> bool {
        let Some(after) = self.loaded().map(|replica| replica.seq) else { return false };
        match self.context.log.since(self.document, after).await {
            Ok(tail) => self.take_in_rows(tail).await,
            Err(_) => false,
        }
    }

    async fn take_in_rows(&mut self, tail: LogTail) -> bool {
        let Some(after) = self.loaded().map(|replica| replica.seq) else { return false };
        if !is_whole(&tail, after) || tail.live_seq < self.context.seen.highest(self.document) {
            return false;
        }
        let lengths: Vec<usize> = tail.updates.iter().map(|update| update.delta.len()).collect();
        let (tells, bytes) = (self.tells(), lengths.iter().sum());
        let takes_long = self.loaded().is_some_and(|replica| replica.takes_long(bytes, true));
        let rows = tail.updates;
        let followed = self.with_replica(takes_long, move |replica| replica.follow(rows, tells));
        let Ok(Some(changes)) = followed.await else { return false };
        lengths.into_iter().for_each(|bytes| self.dirty.updated(bytes));
        self.context.seen.saw(self.document, tail.live_seq);
        self.note_changes(changes);
        true
    }
}

impl Replica {
    /// Applies rows that others have appended; returns what they have changed, if it `tells`. After
    /// `None`, discard the replica.
    fn follow(&mut self, rows: Vec<LoggedUpdate>, tells: bool) -> Option<Vec<Untold>> {
        let mut changes = Vec::new();
        for row in rows {
            changes.extend(self.replay(row, tells).ok()?.ok()?);
        }
        Some(changes)
    }
}

/// Whether these are all rows after a seq, none of them quarantined.
fn is_whole(tail: &LogTail, after: u64) -> bool {
    let seqs = tail.updates.iter().map(|update| update.seq);
    tail.is_complete_after(after)
        && tail.quarantined.is_empty()
        && seqs.eq(after + 1..=tail.live_seq)
}
