//! A client's updates: gate, log, replica, acknowledgement, in this order (DESIGN §6).

use super::{
    command::{ClientUpdate, Reply},
    lineage::{Poisoned, Why},
    room::Room,
    seal::seal,
};
use crate::{
    error::{Error, Result},
    storage::{Appended, Batch, NewUpdate, StoreError},
};
use izanagi_shared::{
    crdt::{Scrutiny, UpdateSummary},
    rules::MAX_CONTENT_BYTES,
};

/// What is told of an update that is in the log and not in the text. The cause is for the log.
pub(crate) const SET_ASIDE: &str = "it cannot be applied to this document and was set aside";

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
        let mut batch = Vec::with_capacity(waiting.len());
        // What those in the batch may add to the text beside each other.
        let mut reserved = 0;
        for (update, reply) in waiting {
            match self.admit(update).await {
                Ok(admitted) => {
                    let bytes = admitted.summary.inserted_bytes;
                    if !self.has_room_for(reserved + bytes) {
                        // What goes before may make room as well as take it: first see it done.
                        self.write(std::mem::take(&mut batch)).await;
                        reserved = 0;
                        if let Err(error) = self.refuse_overflow(&admitted).await {
                            drop(reply.send(Err(error)));
                            continue;
                        }
                    }
                    reserved += bytes;
                    batch.push((admitted, reply));
                }
                Err(error) => drop(reply.send(Err(error))),
            }
        }
        self.write(batch).await;
    }

    /// Writes admitted updates, takes them into the replica and answers.
    async fn write(&mut self, batch: Vec<(Admitted, Reply<u64>)>) {
        if batch.is_empty() {
            return;
        }
        let (admitted, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
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

    async fn admit(&mut self, update: ClientUpdate) -> Result<Admitted> {
        let max = self.context.settings.max_update_bytes;
        if update.delta.len() > max {
            let message = format!(
                "An update can have {max} bytes; this has {}. Send it in several.",
                update.delta.len()
            );
            return Err(Error::TooLarge(message));
        }
        let takes_long = self.replica()?.takes_long(update.delta.len());
        self.with_replica(takes_long, move |replica| replica.admit(update)).await?
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
                self.take_in(seq, admitted).await
            }
            // It may be known from this very turn, and not be in the replica yet.
            Appended::Known(seq) => self.take_in(seq, admitted).await,
            Appended::Quarantined(_) => Err(Error::BadUpdate(SET_ASIDE.to_owned())),
            Appended::OtherBytes => {
                Err(Error::BadUpdate("this opId was used for another update".to_owned()))
            }
            Appended::ForeignClient(client) => {
                Err(Error::BadUpdate(format!("client id {client} belongs to somebody else")))
            }
        }
    }

    /// Sees to it that the replica holds this row of the log, or that it is set aside: only then is
    /// it known what to answer.
    async fn take_in(&mut self, seq: u64, admitted: Admitted) -> Result<u64> {
        self.ready().await?;
        let replica = self.replica()?;
        if seq == replica.seq + 1 {
            let Admitted { update, summary } = admitted;
            let takes_long = replica.takes_long(update.delta.len());
            let applied = self.with_replica(takes_long, move |replica| {
                replica.apply(seq, &update.delta, summary, Scrutiny::New)
            });
            if let Err(poisoned) = applied.await? {
                self.doubt();
                self.quarantine(&poisoned).await?;
                if let Poisoned { seq: unfit, why: Why::Unfit(why) } = &poisoned
                    && *unfit == seq
                {
                    return Err(Error::BadUpdate(why.to_string()));
                }
                // If that was another, this one is in the text once it is read again.
                self.ready().await?;
            }
        } else if seq > replica.seq {
            // Somebody else wrote in between.
            self.doubt();
            self.ready().await?;
        }
        if self.set_aside.contains(&seq) {
            return Err(Error::BadUpdate(SET_ASIDE.to_owned()));
        }
        Ok(seq)
    }

    fn has_room_for(&mut self, bytes: usize) -> bool {
        self.replica().is_ok_and(|replica| replica.has_room_for(bytes))
    }

    /// Refuses an update that would make the text longer than a document may be.
    async fn refuse_overflow(&mut self, admitted: &Admitted) -> Result<()> {
        self.ready().await?;
        let replica = self.replica()?;
        if replica.has_room_for(admitted.summary.inserted_bytes) {
            return Ok(());
        }
        let (delta, summary) = (admitted.update.delta.clone(), admitted.summary.clone());
        let fits = self.with_replica(true, move |replica| replica.has_room_with(&delta, &summary));
        if fits.await?? {
            return Ok(());
        }
        Err(Error::TooLarge(format!("A document can hold {MAX_CONTENT_BYTES} bytes (10 MiB).")))
    }
}
