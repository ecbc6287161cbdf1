//! The room: one task, one document, one turn at a time.

use super::{
    command::Command,
    heavy::MANY_BYTES,
    lineage::{Poisoned, Why},
    persist::Dirt,
    replica::{LiveText, Loaded, Replica},
    rooms::RoomContext,
};
use crate::{
    error::{Error, Internal, Result},
    storage::StoreError,
};
use izanagi_shared::id::DocumentId;
use std::{collections::BTreeSet, sync::Arc};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

pub(super) struct Room {
    pub(super) document: DocumentId,
    pub(super) context: RoomContext,
    pub(super) dirt: Dirt,
    /// Rows of the log that are in no text: nobody may be told that they are.
    pub(super) set_aside: BTreeSet<u64>,
    mailbox: mpsc::Receiver<Command>,
    /// `None` before the first command and after anything that casts doubt on it.
    replica: Option<Box<Replica>>,
}

impl Room {
    pub(super) fn new(
        document: DocumentId,
        context: RoomContext,
        mailbox: mpsc::Receiver<Command>,
    ) -> Self {
        let (dirt, set_aside) = (Dirt::default(), BTreeSet::new());
        Self { document, context, dirt, set_aside, mailbox, replica: None }
    }

    /// Serves commands until it is quiet for long or the process stops; then closes the mailbox
    /// and serves what is left in it.
    pub(super) async fn run(mut self) {
        let idle = self.context.settings.idle_after;
        let mut quiet_at = Instant::now() + idle;
        loop {
            let wake_at = self.dirt.next_due(&self.context.settings).unwrap_or(quiet_at);
            tokio::select! {
                biased;
                () = self.context.stop.cancelled() => break,
                command = self.mailbox.recv() => match command {
                    Some(command) => {
                        self.serve(command).await;
                        quiet_at = Instant::now() + idle;
                    }
                    None => break,
                },
                () = sleep_until(wake_at.min(quiet_at)) => {
                    if Instant::now() >= quiet_at {
                        break;
                    }
                    self.persist_what_is_due().await;
                }
            }
        }
        self.mailbox.close();
        while let Some(command) = self.mailbox.recv().await {
            self.serve(command).await;
        }
        self.notice_others();
        if let Err(error) = self.persist_all().await {
            // Nothing is lost: the log holds every update.
            tracing::warn!(docId = %self.document, ?error, "a quiet room could not be persisted");
        }
    }

    async fn serve(&mut self, command: Command) {
        let mut next = Some(command);
        while let Some(command) = next.take() {
            self.notice_others();
            match self.ready().await {
                Ok(()) => next = self.serve_one(command).await,
                Err(error) => command.refuse(error),
            }
        }
        // A stream of commands must not put the snapshot off for ever.
        if self.dirt.snapshot_due(&self.context.settings) {
            self.persist_what_is_due().await;
        }
    }

    /// Serves a command; gives back the one that it took out of the mailbox and did not serve.
    async fn serve_one(&mut self, command: Command) -> Option<Command> {
        match command {
            Command::Submit { update, reply } => {
                // Whatever else waits goes with it: one write to the disk for all.
                let mut batch = vec![(update, reply)];
                let next = self.gather(&mut batch);
                self.submit(batch).await;
                return next;
            }
            Command::Edit { edit, reply } => {
                let outcome = self.edit(edit).await;
                drop(reply.send(outcome));
            }
            Command::Read { reply } => {
                let text = self.text().await;
                drop(reply.send(text));
            }
            Command::Missing { state_vector, reply } => {
                let missing = self.missing(state_vector).await;
                drop(reply.send(missing));
            }
            Command::Persist { reply } => {
                let done = self.persist_all().await;
                drop(reply.send(done));
            }
        }
        None
    }

    /// Takes further updates out of the mailbox, up to the first command that is none.
    fn gather(&mut self, batch: &mut Vec<super::submit::Waiting>) -> Option<Command> {
        const MOST: usize = 64;
        while batch.len() < MOST {
            match self.mailbox.try_recv().ok()? {
                Command::Submit { update, reply } => batch.push((update, reply)),
                other => return Some(other),
            }
        }
        None
    }

    async fn missing(&mut self, state_vector: Vec<u8>) -> Result<(u64, Vec<u8>)> {
        let is_long = self.replica()?.is_long();
        let missing = self.with_replica(is_long, move |replica| {
            replica.lineage.missing_from(&state_vector).map(|delta| (replica.seq, delta))
        });
        let missing = missing.await?;
        missing.map_err(|_| Error::BadUpdate("these bytes are no state vector".to_owned()))
    }

    pub(super) async fn text(&mut self) -> Result<LiveText> {
        let is_long = self.replica()?.is_long();
        self.with_replica(is_long, Replica::text).await
    }

    /// Does something with the replica, on another thread if it `takes_long`. If it panics there,
    /// the replica is gone.
    pub(super) async fn with_replica<T: Send + 'static>(
        &mut self,
        takes_long: bool,
        work: impl FnOnce(&mut Replica) -> T + Send + 'static,
    ) -> Result<T> {
        let mut replica = self.replica.take().ok_or_else(not_loaded)?;
        let done = self.context.heavy.run(takes_long, move || {
            let done = work(&mut replica);
            (replica, done)
        });
        let (replica, done) = done.await?;
        self.replica = Some(replica);
        Ok(done)
    }

    pub(super) fn replica(&mut self) -> Result<&mut Replica> {
        self.replica.as_deref_mut().ok_or_else(not_loaded)
    }

    /// Forgets the replica; the next turn reads it back from the log.
    pub(super) fn doubt(&mut self) {
        self.replica = None;
    }

    /// A room that is closing and the one that opens in its place serve beside each other for a
    /// moment; what the other has written is to be read.
    fn notice_others(&mut self) {
        let seen = self.context.seen.highest(self.document);
        if self.replica.as_ref().is_some_and(|replica| replica.seq < seen) {
            self.doubt();
        }
    }

    /// Makes sure that there is a replica.
    pub(super) async fn ready(&mut self) -> Result<()> {
        // A row that panics yrs is set aside, and the document is read again without it.
        while self.replica.is_none() {
            let loaded = self.context.log.load(self.document).await;
            let log = loaded.map_err(Error::missing("document"))?;
            let seen = self.context.seen.highest(self.document);
            if log.live_seq < seen {
                let internal =
                    Internal::new(format!("the log ends at {}, not {seen}", log.live_seq));
                return Err(Error::Unavailable(internal));
            }
            self.context.seen.saw(self.document, log.live_seq);
            let quarantined = log.updates.iter().filter(|update| update.quarantined);
            self.set_aside.extend(quarantined.map(|update| update.seq));
            let bytes: usize = log.updates.iter().map(|update| update.delta.len()).sum();
            let takes_long = log.snapshot.state.len() + bytes > MANY_BYTES;
            let ids = Arc::clone(&self.context.ids);
            let load = move || Replica::load(log, &*ids);
            match self.context.heavy.run(takes_long, load).await?? {
                Loaded::Whole(replica) => {
                    self.dirt.loaded(replica.rows_waiting());
                    self.replica = Some(replica);
                }
                Loaded::Poisoned(poisoned) => self.quarantine(&poisoned).await?,
            }
        }
        Ok(())
    }

    /// Sets a row of the log aside.
    pub(super) async fn quarantine(&mut self, poisoned: &Poisoned) -> Result<()> {
        let (seq, cause) = (poisoned.seq, &poisoned.why);
        if matches!(cause, Why::Unfit(_)) {
            tracing::warn!(docId = %self.document, seq, %cause, "an update does not fit; it is set aside");
        } else {
            tracing::error!(docId = %self.document, seq, %cause, "an update could not be applied; it is set aside");
        }
        let now = self.context.clock.now();
        match self.context.log.quarantine(self.document, seq, now).await {
            Ok(()) | Err(StoreError::NotFound) => {
                self.set_aside.insert(seq);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn not_loaded() -> Error {
    Error::Unavailable(Internal::new("room not loaded"))
}
