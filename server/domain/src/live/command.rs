//! What can be asked of a room.

use super::replica::LiveText;
use crate::{error::Result, hash::sha256_parts};
use izanagi_shared::id::UserId;
use tokio::sync::oneshot;

/// One Yjs update from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientUpdate {
    /// Who sent it.
    pub actor: UserId,
    /// The sender's id for it; applied once.
    pub op_id: String,
    /// The update, v1.
    pub delta: Vec<u8>,
}

/// An edit that the server makes for somebody, as a minimal change of the live text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEdit {
    /// For whom.
    pub actor: UserId,
    /// Made from the request, so that a repeated request edits once.
    pub op_id: String,
    /// SHA-256 of what is asked, to notice another request under the same id.
    pub request_hash: [u8; 32],
    /// What to do.
    pub kind: EditKind,
}

/// What a server edit does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditKind {
    /// Makes the text `content`, if its hash is one of `expected` (or whatever it is, when `None`).
    Replace {
        /// The text to be.
        content: String,
        /// The hashes that the present text may have.
        expected: Option<Vec<[u8; 32]>>,
    },
    /// Merges the change from `base` to `content` into the text.
    Merge {
        /// What `content` was made from.
        base: String,
        /// The changed text.
        content: String,
    },
}

impl EditKind {
    /// How many bytes of text there are to compare with the present one.
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::Replace { content, .. } => content.len(),
            Self::Merge { base, content } => base.len() + content.len(),
        }
    }

    /// What tells a repeated request from another one under the same op id. The base of a merge is
    /// no part of it: the edit itself moves the text that the request's precondition is resolved
    /// against, and a request that is repeated must know itself again.
    pub(crate) fn request_hash(&self) -> [u8; 32] {
        match self {
            Self::Replace { content, .. } => sha256_parts(&[b"replace", content.as_bytes()]),
            Self::Merge { content, .. } => Self::merge_hash(content),
        }
    }

    /// The [`Self::request_hash`] of a merge of `content`, whatever its base.
    pub(crate) fn merge_hash(content: &str) -> [u8; 32] {
        sha256_parts(&[b"merge", content.as_bytes()])
    }
}

/// What came of a server edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditOutcome {
    /// The text is as asked.
    Done(LiveText),
    /// The text has moved on in a way that the edit does not allow; nothing was changed.
    Stale(LiveText),
}

pub(super) type Reply<T> = oneshot::Sender<Result<T>>;

/// A message to a room.
pub(super) enum Command {
    Submit {
        update: ClientUpdate,
        reply: Reply<u64>,
    },
    Edit {
        edit: ServerEdit,
        reply: Reply<EditOutcome>,
    },
    Read {
        reply: Reply<LiveText>,
    },
    Missing {
        state_vector: Vec<u8>,
        reply: Reply<(u64, Vec<u8>)>,
    },
    /// Stores a snapshot and the text now.
    Persist {
        reply: Reply<()>,
    },
}

impl Command {
    /// Answers with an error, whatever was asked.
    pub(super) fn refuse(self, error: crate::error::Error) {
        // A caller that has gone away does not need its answer.
        match self {
            Self::Submit { reply, .. } => drop(reply.send(Err(error))),
            Self::Edit { reply, .. } => drop(reply.send(Err(error))),
            Self::Read { reply } => drop(reply.send(Err(error))),
            Self::Missing { reply, .. } => drop(reply.send(Err(error))),
            Self::Persist { reply } => drop(reply.send(Err(error))),
        }
    }
}
