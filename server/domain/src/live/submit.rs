//! A client's updates: gate, log, replica, acknowledgement, in this order (DESIGN §6).

use super::{
    command::{ClientUpdate, Reply},
    lineage::invalid,
    room::Room,
    seal::seal,
};
use crate::{
    error::{Error, Result},
    storage::{Appended, Batch, NewUpdate, StoreError},
};
use izanagi_shared::{
    crdt::{Trial, UpdateSummary, Validation},
    rules::MAX_CONTENT_BYTES,
};

/// What the sender of a quarantined update is told. The cause is for the log.
pub(crate) const QUARANTINED: &str = "it cannot be applied to this document and is quarantined";

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
    /// Submits several updates; each gets its own answer.
    pub(super) async fn submit(&mut self, waiting: Vec<Waiting>) {
        let mut batch = Vec::with_capacity(waiting.len());
        // Several updates are checked against each other as well: the later ones may build on those
        // before them, which are not in the replica yet.
        let mut trial = (waiting.len() > 1).then(|| self.trial()).flatten();
        // Bytes that the updates of the batch may add to the text.
        let mut reserved = 0;
        for (update, reply) in waiting {
            match self.admit(update, &mut trial).await {
                Ok(admitted) => {
                    let bytes = admitted.summary.inserted_bytes;
                    if !self.has_room_for(reserved + bytes) {
                        // Those before may free room as well as take it: apply them first.
                        self.write(std::mem::take(&mut batch)).await;
                        reserved = 0;
                        if let Err(error) = self.refuse_overflow(&admitted).await {
                            drop(reply.send(Err(error)));
                            trial = self.trial();
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

    fn trial(&mut self) -> Option<Trial> {
        self.replica().ok().map(|replica| replica.lineage.trial())
    }

    /// Writes admitted updates, applies them and answers.
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

    async fn admit(&mut self, update: ClientUpdate, trial: &mut Option<Trial>) -> Result<Admitted> {
        let max = self.context.settings.max_update_bytes;
        if update.delta.len() > max {
            let message = format!(
                "An update can have {max} bytes; this has {}. Send it in several.",
                update.delta.len()
            );
            return Err(Error::TooLarge(message));
        }
        self.ready().await?;
        let takes_long = self.replica()?.takes_long(update.delta.len());
        let mut given = trial.take();
        let admitted = self.with_replica(takes_long, move |replica| {
            let admitted = replica.admit(update, given.as_mut());
            (admitted, given)
        });
        let (admitted, given) = admitted.await?;
        *trial = given;
        if self.replica()?.is_broken {
            self.invalidate();
            *trial = None;
        }
        admitted
    }

    /// Writes updates to the log. After an unknown outcome it asks again: op ids that are known answer
    /// with their first seq, so the true outcome becomes known, and the replica is read again.
    pub(super) async fn append(
        &mut self,
        admitted: &[Admitted],
    ) -> std::result::Result<Vec<Appended>, StoreError> {
        const TRIES: u32 = 3;
        let batch = Batch {
            document_id: self.document,
            updates: admitted.iter().map(Admitted::sealed).collect(),
            after: None,
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
                self.dirty.updated(admitted.update.delta.len());
                self.take_in(seq, admitted).await
            }
            // It may be known from this very turn, and not be in the replica yet.
            Appended::Known(seq) => self.take_in(seq, admitted).await,
            Appended::Quarantined(_) => Err(Error::BadUpdate(QUARANTINED.to_owned())),
            Appended::OtherBytes => {
                Err(Error::BadUpdate("this opId was used for another update".to_owned()))
            }
            Appended::ForeignClient(client) => {
                Err(Error::BadUpdate(format!("client id {client} belongs to another user")))
            }
        }
    }

    /// Makes sure that the replica holds this row of the log, or that it is quarantined: only then is
    /// it known what to answer.
    async fn take_in(&mut self, seq: u64, admitted: Admitted) -> Result<u64> {
        self.ready().await?;
        let replica = self.replica()?;
        if seq == replica.seq + 1 {
            let Admitted { update, summary } = admitted;
            let takes_long = replica.takes_long(update.delta.len());
            let applied = self.with_replica(takes_long, move |replica| {
                replica.apply(seq, &update.delta, summary, Validation::Untrusted)
            });
            if let Err(rejected) = applied.await? {
                self.invalidate();
                self.quarantine(&rejected).await?;
                if let Some(cause) = invalid(&rejected).filter(|_| rejected.tag == seq) {
                    return Err(Error::BadUpdate(cause.to_string()));
                }
                // If another update was rejected, this one is in the text once it is read again.
                self.ready().await?;
            }
        } else if seq > replica.seq {
            // Another room wrote in between.
            self.invalidate();
            self.ready().await?;
        }
        if self.quarantined.contains(&seq) {
            return Err(Error::BadUpdate(QUARANTINED.to_owned()));
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
