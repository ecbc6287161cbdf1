//! What becomes of updates that were pending when their senders got a receipt.

use super::{
    command::{Receipt, Reply},
    room::Room,
    submit::QUARANTINED,
};
use crate::{error::Error, storage::KnownOp};
use izanagi_shared::id::ActorId;

/// An update that was pending when its sender got a receipt.
pub(super) struct Unsettled {
    pub(super) seq: u64,
    pub(super) actor: ActorId,
    pub(super) op_id: String,
    pub(super) reply: Reply<Receipt>,
}

impl Room {
    /// Tells the senders of updates that were pending what has become of them.
    pub(super) async fn answer_settled(&mut self) {
        self.unsettled.retain(|it| !it.reply.is_closed());
        let waiting = std::mem::take(&mut self.unsettled);
        let still_waits =
            |it: &Unsettled| self.loaded().is_none_or(|replica| replica.is_waiting(it.seq));
        let (waiting, settled) = waiting.into_iter().partition::<Vec<_>, _>(still_waits);
        self.unsettled = waiting;
        for Unsettled { seq, actor, op_id, reply } in settled {
            let receipt = match self.known_op(actor, &op_id).await {
                Ok(Some(KnownOp { quarantined: false, .. })) => Ok(Receipt { seq, pending: false }),
                Ok(_) => Err(Error::BadUpdate(QUARANTINED.to_owned())),
                Err(error) => Err(error),
            };
            // The sender may be gone.
            drop(reply.send(receipt));
        }
    }
}
