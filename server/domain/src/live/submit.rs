//! A client's updates: gate, log, replica, acknowledgement, in this order (DESIGN §6).

use super::{
    append::again,
    command::{ClientUpdate, Receipt, Sender, Waiting},
    lineage::invalid,
    news::News,
    room::Room,
    seats::SeatId,
    settled::Unsettled,
    space::{Claim, Fit},
    tell::Untold,
    waiting::{Sent, Size},
};
use crate::{
    error::{Error, Result},
    storage::{Appended, BatchOutcome, NewUpdate},
};
use izanagi_shared::{
    crdt::{Checker, Integrated, Rejected, UpdateSummary, Validation},
    id::ActorId,
    rules::MAX_CONTENT_BYTES,
};

/// Message for the sender of an update that is quarantined or has lapsed. The cause is only logged.
pub(crate) const QUARANTINED: &str = "it could not be applied to this document: it is invalid, or \
                                      what it depends on did not arrive in time; send it again \
                                      with all that it depends on, under a new opId";

const WAIT_NO_MORE: &str = "it depends on changes that this document does not have, and too many of \
                            such updates are waiting already; send the missing changes first";

/// What a row has changed, or why it cannot be applied.
type Applied = std::result::Result<Vec<Integrated>, Rejected>;

/// An update that passed validation.
pub(super) struct Admitted {
    pub(super) update: NewUpdate,
    pub(super) summary: UpdateSummary,
    /// Whether a part of it has to wait for other updates.
    pub(super) waits: bool,
    /// Whether it is an edit made in the replica, which contains it already. Until its row is noted,
    /// the replica must not be used further.
    pub(super) made_here: bool,
    /// The end of the log, as far as it was checked against it.
    pub(super) after: u64,
    /// The seat that sent it.
    pub(super) from: Option<SeatId>,
}

impl Room {
    /// Submits several updates; each gets its own reply.
    pub(super) async fn submit(&mut self, waiting: Vec<Waiting>) {
        let mut batch = Vec::with_capacity(waiting.len());
        // Updates of a batch are also checked against each other: later ones may depend on earlier
        // ones, which are not in the replica yet.
        let is_alone = waiting.len() == 1;
        let mut checker = None;
        // What the updates of this batch may add to the document, and those of them that wait.
        let mut reserved = Claim::default();
        let mut waits = Vec::new();
        for Waiting { update, sender } in waiting {
            if checker.is_none() && !is_alone {
                // There is none yet, or a job that failed has lost it with all it knew of the batch.
                self.write(std::mem::take(&mut batch)).await;
                reserved = Claim::default();
                waits.clear();
                match self.checker().await {
                    Ok(copy) => checker = Some(copy),
                    Err(error) => {
                        drop(sender.answer(Err(error)));
                        continue;
                    }
                }
            }
            if let Err(error) = sender.check() {
                drop(sender.answer(Err(error)));
                continue;
            }
            let update = match self.news(update, sender.may_repeat).await {
                Ok(News::Some(update)) => update,
                Ok(News::None(receipt)) => {
                    drop(sender.answer(Ok(receipt)));
                    continue;
                }
                Err(error) => {
                    drop(sender.answer(Err(error)));
                    continue;
                }
            };
            let mut admitted = match self.admit(update, &mut checker, &waits).await {
                Ok(admitted) => admitted,
                Err(error) => {
                    drop(sender.answer(Err(error)));
                    continue;
                }
            };
            if !self.has_room_for(self.claim(reserved, &admitted)) {
                // Earlier updates may free space as well as use it, so apply them first.
                let written = self.write(std::mem::take(&mut batch)).await;
                reserved = Claim::default();
                waits.clear();
                match (self.make_room_for(&admitted).await, written) {
                    // It was checked against what is written now.
                    (Ok(true), Some(end)) => admitted.after = admitted.after.max(end),
                    // The checker knows what has lapsed now, or what was not written.
                    (Ok(_), _) => checker = None,
                    (Err(error), _) => {
                        drop(sender.answer(Err(error)));
                        checker = None;
                        continue;
                    }
                }
            }
            reserved = self.claim(reserved, &admitted);
            if admitted.waits {
                let size = Size::of(&admitted.update.delta, &admitted.summary);
                waits.push((admitted.update.actor, size));
            }
            batch.push((Admitted { from: sender.seat, ..admitted }, sender));
        }
        self.write(batch).await;
    }

    /// Copies the checker.
    async fn checker(&mut self) -> Result<Checker> {
        self.ready().await?;
        let takes_long = self.replica()?.takes_long_to_copy();
        self.with_replica(takes_long, |replica| replica.lineage.doc().checker().clone()).await
    }

    /// Appends admitted updates to the log, applies them and replies. Returns the seq of the last row
    /// that it has written, 0 if there is none; `None` if a checker that knows the updates agrees with
    /// the document no more.
    async fn write(&mut self, batch: Vec<(Admitted, Sender)>) -> Option<u64> {
        if batch.is_empty() {
            return Some(0);
        }
        let (admitted, senders): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let after = match self.may_push_in(&admitted, &senders) {
            true => None,
            false => admitted.iter().map(|update| update.after).min(),
        };
        match self.append(&admitted, after).await {
            Ok(BatchOutcome::Appended(appended)) => {
                let last = appended.iter().filter_map(|it| match it {
                    Appended::New(seq) => Some(*seq),
                    _ => None,
                });
                let last = last.max().unwrap_or_default();
                let mut answers = Vec::with_capacity(senders.len());
                let ops = admitted.iter().map(|it| (it.update.actor, it.update.op_id.clone()));
                let ops: Vec<_> = ops.collect();
                for (update, appended) in admitted.into_iter().zip(appended) {
                    answers.push(self.settle(update, appended).await);
                }
                // Only now, because later updates of a batch may complete earlier ones.
                for ((answer, sender), (actor, op_id)) in answers.into_iter().zip(senders).zip(ops)
                {
                    let receipt = match answer {
                        Ok(seq) => self.receipt(seq).await,
                        Err(error) => Err(error),
                    };
                    let seq = receipt.as_ref().map_or(0, |receipt| receipt.seq);
                    if let Some(reply) = sender.answer(receipt) {
                        self.unsettled.push(Unsettled { seq, actor, op_id, reply });
                    }
                }
                self.answer_settled().await;
                self.tell();
                Some(last)
            }
            Ok(BatchOutcome::Moved(tail)) => {
                self.take_in_or_load(tail).await;
                let again = admitted.into_iter().zip(senders).filter_map(again).collect();
                Box::pin(self.submit(again)).await;
                None
            }
            Err(error) => {
                for sender in senders {
                    drop(sender.answer(Err(error.clone().into())));
                }
                None
            }
        }
    }

    async fn admit(
        &mut self,
        update: ClientUpdate,
        checker: &mut Option<Checker>,
        waits: &[(ActorId, Size)],
    ) -> Result<Admitted> {
        self.ready().await?;
        self.check_quarantine(update.actor, &update.op_id).await?;
        let mut given = checker.take();
        let takes_long = self.replica()?.takes_long(update.delta.len(), given.is_some());
        let admitted = self.with_replica(takes_long, move |replica| {
            let admitted = replica.admit(update, given.as_mut());
            (admitted, given)
        });
        let (admitted, given) = admitted.await?;
        *checker = given;
        if self.replica()?.is_broken {
            self.invalidate();
            *checker = None;
        }
        let admitted = admitted?;
        if let Err(error) = self.check_waiting(&admitted, waits).await {
            // The checker counts on this update.
            *checker = None;
            return Err(error);
        }
        Ok(admitted)
    }

    /// Refuses an update that would wait beside too many others, unless it waits already.
    async fn check_waiting(&mut self, admitted: &Admitted, more: &[(ActorId, Size)]) -> Result<()> {
        let Admitted { update, summary, .. } = admitted;
        let size = Size::of(&update.delta, summary);
        if !admitted.waits || self.replica()?.waiting.has_place(update.actor, size, more) {
            return Ok(());
        }
        match self.known_op(update.actor, &update.op_id).await? {
            Some(_) => Ok(()),
            None => Err(Error::BadUpdate(WAIT_NO_MORE.to_owned())),
        }
    }

    /// Updates the replica according to the log's answer for an update.
    pub(super) async fn settle(&mut self, admitted: Admitted, appended: Appended) -> Result<u64> {
        let made_here = admitted.made_here;
        if made_here && !matches!(appended, Appended::New(_)) {
            // The replica contains an edit that is not in the log, or is there under another seq.
            self.invalidate();
        }
        match appended {
            Appended::New(seq) => {
                self.dirty.updated(admitted.update.delta.len());
                self.take_in(seq, admitted).await
            }
            // It may be known from this same batch and not be in the replica yet.
            Appended::Known(seq) => self.take_in(seq, admitted).await,
            Appended::Quarantined(_) => Err(Error::BadUpdate(QUARANTINED.to_owned())),
            Appended::OtherBytes if made_here => Err(Error::IdempotencyMismatch),
            Appended::OtherBytes => {
                Err(Error::BadUpdate("this opId was used for another update".to_owned()))
            }
            Appended::OtherLineage => {
                // Either the sender or this replica is of a former one.
                self.invalidate();
                Err(Error::OtherLineage)
            }
            Appended::ForeignClient(_) if made_here => {
                Err(Error::internal("the log rejected the server's own edit"))
            }
            Appended::ForeignClient(client) => {
                Err(Error::BadUpdate(format!("client id {client} belongs to another user")))
            }
        }
    }

    /// Ensures that this log row is in the replica or quarantined; only then is the reply known.
    async fn take_in(&mut self, seq: u64, admitted: Admitted) -> Result<u64> {
        self.ready().await?;
        let at = self.context.clock.now();
        let (actor, op_id) = (admitted.update.actor, admitted.update.op_id.clone());
        let replica = self.replica()?;
        if seq == replica.seq + 1 {
            let Admitted { update, summary, made_here, from, .. } = admitted;
            let tells = self.tells();
            let replica = self.replica()?;
            let releases = replica.lineage.doc().would_release(&summary);
            let takes_long = replica.takes_long(update.delta.len(), releases);
            let sent = Sent { by: actor, at };
            let applied = self.with_replica(takes_long, move |replica| -> Applied {
                if made_here {
                    let released = replica.made_here(seq, &update.delta, summary)?;
                    let edit = tells.then(|| Integrated::from(update.delta.to_vec()));
                    return Ok(edit.into_iter().chain([released]).collect());
                }
                let untrusted = Validation::Untrusted;
                let change = replica.apply(seq, sent, &update.delta, summary, untrusted, tells)?;
                Ok(change.into_iter().collect::<Vec<_>>())
            });
            match applied.await {
                Ok(Ok(changes)) => {
                    let untold = |change| Untold { seq, actor, change, from };
                    self.note_changes(changes.into_iter().map(untold));
                    return Ok(seq);
                }
                Ok(Err(rejected)) => {
                    self.invalidate();
                    // One that waited is rejected again by the load, which knows what is left of it.
                    if rejected.tag == seq {
                        self.reject(&rejected, None).await?;
                        if let Some(cause) = invalid(&rejected) {
                            return Err(Error::BadUpdate(cause.to_string()));
                        }
                    }
                }
                // It is durable, so a reload decides.
                Err(_) => self.invalidate(),
            }
        } else if seq > replica.seq && admitted.made_here {
            // Another room has written in between, and an edit that the replica contains already would
            // not be told.
            self.invalidate();
        } else if seq > replica.seq {
            self.follow().await?;
        }
        self.ready().await?;
        // A load does not list those that a snapshot of another room has passed.
        let known = self.known_op(actor, &op_id).await?;
        if self.quarantined.contains(&seq) || known.is_some_and(|known| known.quarantined) {
            return Err(Error::BadUpdate(QUARANTINED.to_owned()));
        }
        Ok(seq)
    }

    /// Returns the receipt for a row that is in the replica.
    async fn receipt(&mut self, seq: u64) -> Result<Receipt> {
        self.ready().await?;
        Ok(Receipt { seq, pending: self.replica()?.is_waiting(seq) })
    }

    /// Adds an update to the claim of its batch.
    fn claim(&self, batch: Claim, admitted: &Admitted) -> Claim {
        let own = Size::of(&admitted.update.delta, &admitted.summary);
        let released = self.loaded().map(|replica| replica.released_by(&admitted.summary));
        batch.and(own, released.unwrap_or_default())
    }

    fn has_room_for(&mut self, claim: Claim) -> bool {
        self.replica().is_ok_and(|replica| replica.has_room_for(claim))
    }

    /// Checks an update against the maximum length of a document. Waiting updates make room for it.
    /// Returns whether a checker of its batch still knows the document.
    async fn make_room_for(&mut self, admitted: &Admitted) -> Result<bool> {
        let mut lapses = 0;
        self.ready().await?;
        loop {
            if self.has_room_for(self.claim(Claim::default(), admitted)) {
                return Ok(lapses == 0);
            }
            let (delta, summary) = (admitted.update.delta.clone(), admitted.summary.clone());
            let fit = self.with_replica(true, move |replica| replica.fit(&delta, &summary));
            match fit.await?? {
                Fit::Whole => return Ok(lapses == 0),
                Fit::WithoutWaiting => self.lapse_all(&mut lapses).await?,
                Fit::No => {
                    let NewUpdate { actor, op_id, .. } = &admitted.update;
                    if self.known_op(*actor, op_id).await?.is_some() {
                        // It was admitted before, and waits.
                        return Ok(false);
                    }
                    return Err(Error::TooLarge(format!(
                        "A document can have at most {MAX_CONTENT_BYTES} bytes (10 MiB)."
                    )));
                }
            }
        }
    }
}
