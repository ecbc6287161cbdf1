//! Appending to the log, on the condition that it ends where it did when the updates were checked: an
//! update that another room appends in between may contradict them, or leave no space for them.

use super::{
    command::{ClientUpdate, Sender, Waiting},
    room::Room,
    seal::seal,
    space::Claim,
    submit::Admitted,
    waiting::Size,
};
use crate::{
    error::Error,
    storage::{Appended, Batch, BatchOutcome, NewUpdate, StoreError, StoreResult},
};
use std::time::Duration;

/// How often updates are checked again because another room has written, before they push in. A room
/// that is a little faster in each round would keep out the others for as long as it writes.
const PATIENT_MOVES: u32 = 10;
/// How often they are checked again at most.
const MOST_MOVES: u32 = 30;
/// Room for what others may write before updates that push in: bytes of text and of updates, and items.
const AMPLE: Size = Size { update: 2 << 20, text: 2 << 20, items: 10_000 };

impl Room {
    /// Appends updates to the log. After an unknown outcome it appends again: known op ids are
    /// answered with their original seq, which reveals the outcome. The replica is then reloaded. If
    /// the log does not end at `after`, if that is given, nothing is written.
    pub(super) async fn append(
        &mut self,
        admitted: &[Admitted],
        after: Option<u64>,
    ) -> StoreResult<BatchOutcome> {
        const TRIES: u32 = 3;
        let batch = Batch {
            document_id: self.document,
            updates: admitted.iter().map(Admitted::sealed).collect(),
            after,
            at: self.context.clock.now(),
        };
        let mut tries = 0;
        loop {
            tries += 1;
            match self.context.writer.append(batch.clone()).await {
                Err(StoreError::Unknown(_)) if tries < TRIES => self.invalidate(),
                Err(error) => {
                    self.invalidate();
                    return Err(error);
                }
                Ok(BatchOutcome::Appended(appended)) => {
                    for outcome in &appended {
                        if let Appended::New(seq) = outcome {
                            self.unpublished = self.unpublished.max(Some(*seq));
                        }
                        if let Appended::New(seq) | Appended::Known(seq) = outcome {
                            self.context.seen.saw(self.document, *seq);
                        }
                    }
                    return Ok(BatchOutcome::Appended(appended));
                }
                Ok(moved) => return Ok(moved),
            }
        }
    }
}

impl Room {
    /// Whether updates may be appended behind whatever others have written meanwhile: they have lost
    /// against others often, nothing waits that they could contradict, and there is ample room. In the
    /// worst case a row is quarantined when it is applied, and its sender is told.
    pub(super) fn may_push_in(&mut self, admitted: &[Admitted], senders: &[Sender]) -> bool {
        let Ok(replica) = self.replica() else { return false };
        senders.iter().all(|sender| sender.moves >= PATIENT_MOVES)
            && admitted.iter().all(|update| !update.waits && !update.made_here)
            && replica.waiting.seqs().is_empty()
            && replica.has_room_for(Claim::default().and(AMPLE, Size::default()))
    }
}

impl Admitted {
    fn sealed(&self) -> NewUpdate {
        NewUpdate { delta: seal(&self.update.delta).into(), ..self.update.clone() }
    }
}

/// Returns an update that is to be checked again, unless that has happened too often: then its sender
/// is told.
pub(super) fn again((admitted, mut sender): (Admitted, Sender)) -> Option<Waiting> {
    sender.moves += 1;
    if sender.moves > MOST_MOVES {
        drop(sender.answer(Err(too_many())));
        return None;
    }
    let NewUpdate { actor, op_id, delta, .. } = admitted.update;
    Some(Waiting { update: ClientUpdate { actor, op_id, delta: delta.into() }, sender })
}

/// Too many rooms write into one document.
pub(super) const fn too_many() -> Error {
    Error::Overloaded(Duration::from_secs(1))
}
