//! Commands sent to a room.

use super::{replica::LiveText, room::Room, seats::SeatId};
use crate::{
    budget::Reservation,
    error::{Error, Internal, Result},
    hash::sha256_parts,
};
use futures::future::BoxFuture;
use izanagi_shared::id::ActorId;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::oneshot;

/// One Yjs update from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientUpdate {
    /// The sender.
    pub actor: ActorId,
    /// The sender's id for the update; each id is applied only once.
    pub op_id: String,
    /// The update, v1.
    pub delta: Vec<u8>,
}

/// Answer to an update that is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its seq.
    pub seq: u64,
    /// Whether it waits for another update, so that it is not in the document and may lapse: it does
    /// not count as saved.
    pub pending: bool,
}

/// An update in the queue of its room. Resolves to its receipt. If it is dropped, the update is applied
/// all the same.
#[derive(Debug)]
#[must_use = "it says whether the update was accepted"]
pub struct PostedUpdate {
    /// Resolves to the receipt once the update is durable and, unless it is pending, applied.
    pub receipt: PendingReceipt,
    /// Resolves once an update that was pending is not any more, or fails because it has lapsed or the
    /// room has closed. Meaningless if it was not pending.
    pub settled: PendingReceipt,
}

impl Future for PostedUpdate {
    type Output = Result<Receipt>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receipt).poll(context)
    }
}

/// A receipt that comes later.
#[derive(Debug)]
pub struct PendingReceipt(pub(super) oneshot::Receiver<Result<Receipt>>);

impl Future for PendingReceipt {
    type Output = Result<Receipt>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let gone = |_| Err(Error::Unavailable(Internal::new("the room is gone")));
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or_else(gone))
    }
}

/// What a replica lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Seq of the newest update.
    pub seq: u64,
    /// The lineage: a replica of another one must not apply this.
    pub lineage: [u8; 16],
    /// A Yjs update, v1.
    pub delta: Vec<u8>,
    /// What the server has: a state vector, v1. Pending updates are not in it.
    pub state_vector: Vec<u8>,
}

/// An edit made by the server on behalf of a user, as a minimal change of the live text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEdit {
    /// The user.
    pub actor: ActorId,
    /// Derived from the request, so that a retry does not edit twice.
    pub op_id: String,
    /// SHA-256 of the request, to detect a different one with the same id.
    pub request_hash: [u8; 32],
    /// The edit.
    pub kind: EditKind,
}

/// Kinds of server edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditKind {
    /// Sets the text to `content` if the hash of the current text is one of `expected`; `None`
    /// matches any text.
    Replace {
        /// The new text.
        content: String,
        /// Accepted hashes of the current text.
        expected: Option<Vec<[u8; 32]>>,
    },
    /// Merges the change from `base` to `content` into the text.
    Merge {
        /// The text that `content` is based on.
        base: String,
        /// The changed text.
        content: String,
    },
    /// Adds what a page shows and the text lacks, after it was restored from an earlier state.
    AddBack {
        /// The last text of which the page knows that it was saved.
        saved: String,
        /// The page's text.
        mine: String,
    },
}

impl EditKind {
    /// Bytes of text to compare with the current one.
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Replace { content, .. } => content.len(),
            Self::Merge { base, content } => base.len() + content.len(),
            Self::AddBack { saved, mine } => saved.len() + mine.len(),
        }
    }

    /// Upper bound of the text's bytes during the edit and after it, if it has `current` before.
    pub(super) fn text_at_most(&self, current: usize) -> usize {
        match self {
            Self::Replace { content, .. } => current.max(content.len()),
            // Whatever a merge inserts is part of its content.
            Self::Merge { content, .. } => current.saturating_add(content.len()),
            Self::AddBack { mine, .. } => current.saturating_add(mine.len()),
        }
    }

    /// Hash that distinguishes a retry from a different request with the same op id. The base of a
    /// merge is excluded: the edit itself changes the text that the precondition resolves against,
    /// and a retry must still be recognised.
    pub(crate) fn request_hash(&self) -> [u8; 32] {
        match self {
            Self::Replace { content, .. } => sha256_parts(&[b"replace", content.as_bytes()]),
            Self::Merge { content, .. } => Self::merge_hash(content),
            Self::AddBack { saved, mine } => {
                let length = saved.len().to_le_bytes();
                sha256_parts(&[b"add back", &length, saved.as_bytes(), mine.as_bytes()])
            }
        }
    }

    /// Returns [`Self::request_hash`] of a merge of `content` with any base.
    pub(crate) fn merge_hash(content: &str) -> [u8; 32] {
        sha256_parts(&[b"merge", content.as_bytes()])
    }
}

/// Result of a server edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditOutcome {
    /// The text is as requested.
    Done(LiveText),
    /// The precondition failed; nothing was changed.
    Stale(LiveText),
}

pub(super) type Reply<T> = oneshot::Sender<Result<T>>;

/// Work on a room, or on the error if it cannot be loaded.
pub(super) type Job = Box<dyn for<'a> FnOnce(Result<&'a mut Room>) -> BoxFuture<'a, ()> + Send>;

/// A message to a room. It is small, because mailboxes have memory for several.
pub(super) enum Command {
    /// Separate from other work, because several updates are written together.
    Submit(Box<Waiting>),
    Run(Job),
}

/// An update and its sender.
pub(super) struct Waiting {
    pub(super) update: ClientUpdate,
    pub(super) sender: Sender,
}

/// The right of a connection to edit. It is checked when its update's turn comes, too: the right may
/// end while the update waits.
pub(crate) trait Permit: Send + Sync {
    /// # Errors
    /// Why the connection may not edit.
    fn check(&self) -> Result<()>;
}

/// The sender of an update.
pub(super) struct Sender {
    pub(super) reply: Reply<Receipt>,
    /// Notified when an update that was pending is not any more.
    pub(super) settled: Option<Reply<Receipt>>,
    /// Its seat, which is not told of the update.
    pub(super) seat: Option<SeatId>,
    pub(super) permit: Option<Arc<dyn Permit>>,
    /// Whether the update may repeat what the document has, which is then left out.
    pub(super) may_repeat: bool,
    /// How often the update was checked again because another room has written.
    pub(super) moves: u32,
    /// Memory for the update, until the sender has an answer.
    pub(super) reserved: Reservation,
}

impl Sender {
    /// Checks that the sender still may edit.
    pub(super) fn check(&self) -> Result<()> {
        self.permit.as_ref().map_or(Ok(()), |permit| permit.check())
    }

    /// Answers; the sender may be gone. Returns where to send that a pending update is settled.
    pub(super) fn answer(self, answer: Result<Receipt>) -> Option<Reply<Receipt>> {
        let is_pending = matches!(answer, Ok(Receipt { pending: true, .. }));
        drop(self.reply.send(answer));
        drop(self.reserved);
        self.settled.filter(|_| is_pending)
    }
}

impl Command {
    /// Runs `work` on the room and sends its result.
    pub(super) fn run<T: Send + 'static>(
        reply: Reply<T>,
        work: impl for<'a> FnOnce(&'a mut Room) -> BoxFuture<'a, Result<T>> + Send + 'static,
    ) -> Self {
        Self::Run(Box::new(move |room| {
            Box::pin(async move {
                let answer = match room {
                    Ok(room) => work(room).await,
                    Err(error) => Err(error),
                };
                // The caller may be gone.
                drop(reply.send(answer));
            })
        }))
    }

    /// Answers with an error.
    pub(super) async fn refuse(self, error: Error) {
        match self {
            Self::Submit(waiting) => drop(waiting.sender.answer(Err(error))),
            Self::Run(job) => job(Err(error)).await,
        }
    }
}
