//! A client's updates: gate, log, replica, acknowledgement, in this order (DESIGN §6).

use super::{
    command::{ClientUpdate, Reply},
    replica::Replica,
    room::Room,
    seal::seal,
};
use crate::{
    error::{Error, Result},
    hash::sha256,
    storage::{Appended, Batch, ClientOwner, NewUpdate, StoreError},
};
use izanagi_shared::{
    crdt::{TextDoc, UpdateSummary, inspect_update},
    rules::MAX_CONTENT_BYTES,
};

pub(super) type Waiting = (ClientUpdate, Reply<u64>);

/// An update that passed the gate.
pub(super) struct Admitted {
    pub(super) update: NewUpdate,
    pub(super) summary: UpdateSummary,
}

impl Admitted {
    fn sealed(&self) -> NewUpdate {
        NewUpdate { delta: seal(&self.update.delta), ..self.update.clone() }
    }
}

impl Room {
    /// Takes several updates in; each is answered for itself.
    pub(super) async fn submit(&mut self, waiting: Vec<Waiting>) {
        let mut admitted = Vec::with_capacity(waiting.len());
        let mut replies = Vec::with_capacity(waiting.len());
        for (update, reply) in waiting {
            match self.admit(update) {
                Ok(update) => {
                    admitted.push(update);
                    replies.push(reply);
                }
                Err(error) => drop(reply.send(Err(error))),
            }
        }
        if admitted.is_empty() {
            return;
        }
        match self.append(&admitted).await {
            Ok(appended) => {
                for ((update, appended), reply) in admitted.into_iter().zip(appended).zip(replies) {
                    let answer = self.settle(update, appended).await;
                    drop(reply.send(answer));
                }
            }
            Err(error) => {
                for reply in replies {
                    drop(reply.send(Err(error.clone().into())));
                }
            }
        }
    }

    fn admit(&mut self, update: ClientUpdate) -> Result<Admitted> {
        let max = self.context.settings.max_update_bytes;
        if update.delta.len() > max {
            let message = format!(
                "An update can have {max} bytes; this has {}. Send it in several.",
                update.delta.len()
            );
            return Err(Error::TooLarge(message));
        }
        let summary = inspect_update(&update.delta)
            .map_err(|refusal| Error::BadUpdate(refusal.to_string()))?;
        let replica = self.replica()?;
        refuse_overflow(replica, &update.delta, &summary)?;
        Ok(Admitted {
            update: NewUpdate {
                actor: update.actor,
                op_id: update.op_id,
                delta_hash: sha256(&update.delta),
                delta: update.delta,
                clients: replica.doc.clients_of_new(&summary),
                client_owner: ClientOwner::User(update.actor),
            },
            summary,
        })
    }

    /// Writes updates to the log. After an unknown outcome it asks again: known op ids answer with
    /// their first number, so the truth comes out; and the replica is read back.
    pub(super) async fn append(
        &mut self,
        admitted: &[Admitted],
    ) -> std::result::Result<Vec<Appended>, StoreError> {
        const TRIES: u32 = 3;
        let batch = Batch {
            document_id: self.document,
            updates: admitted.iter().map(Admitted::sealed).collect(),
            at: self.context.clock.now(),
        };
        let mut tries = 0;
        loop {
            tries += 1;
            match self.context.writer.append(batch.clone()).await {
                Err(StoreError::Unknown(_)) if tries < TRIES => self.doubt(),
                Err(error) => {
                    self.doubt();
                    return Err(error);
                }
                Ok(appended) => {
                    for outcome in &appended {
                        if let Appended::New(seq) | Appended::Known(seq) = outcome {
                            self.context.seen.saw(self.document, *seq);
                        }
                    }
                    return Ok(appended);
                }
            }
        }
    }

    /// Brings the replica up to what the log says became of an update.
    async fn settle(&mut self, admitted: Admitted, appended: Appended) -> Result<u64> {
        match appended {
            Appended::New(seq) => {
                self.dirt.updated();
                let Ok(replica) = self.replica() else {
                    // Read back whole in the next turn, this update with it.
                    return Ok(seq);
                };
                if seq != replica.seq + 1 {
                    // Somebody else wrote in between.
                    self.doubt();
                    return Ok(seq);
                }
                match replica.apply(seq, &admitted.update.delta, admitted.summary) {
                    Ok(()) => Ok(seq),
                    Err(poisoned) => {
                        self.doubt();
                        self.quarantine(seq).await?;
                        Err(Error::BadUpdate(poisoned.0))
                    }
                }
            }
            Appended::Known(seq) => {
                if self.replica().is_ok_and(|replica| seq > replica.seq) {
                    self.doubt();
                }
                Ok(seq)
            }
            Appended::OtherBytes => {
                Err(Error::BadUpdate("this opId was used for another update".to_owned()))
            }
            Appended::ForeignClient(client) => {
                Err(Error::BadUpdate(format!("client id {client} belongs to somebody else")))
            }
        }
    }
}

/// Refuses an update that would make the text longer than a document may be.
fn refuse_overflow(replica: &mut Replica, delta: &[u8], summary: &UpdateSummary) -> Result<()> {
    if replica.has_room_for(summary.inserted_bytes) {
        return Ok(());
    }
    // What it deletes may make room: try on a copy.
    let mut copy = TextDoc::load(1, &replica.doc.encode()).map_err(Error::internal)?;
    if copy.apply(delta).is_ok() && copy.text().len() <= MAX_CONTENT_BYTES {
        return Ok(());
    }
    Err(Error::TooLarge(format!("A document can hold {MAX_CONTENT_BYTES} bytes (10 MiB).")))
}
