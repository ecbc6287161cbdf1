//! Restoring a version, or the text after an edit (PRODUCT V5): the live text is committed first, and the restore itself is
//! another version, applied as a text edit so that the cursors of other editors keep their place.

use super::{
    Versions,
    commit::{Draft, bytes_to_commit, part_op_id},
    turns::of_document,
};
use crate::{
    documents::{Editor, RequestKey},
    edits::Edits,
    error::{Error, Result},
    hash::{sha256, sha256_parts},
    live::EditKind,
    storage::{Request, Restored, VersionRow},
};
use izanagi_shared::{
    rules::CommitMessage,
    wire::{ServerMessage, VersionNote},
};
use std::time::Duration;

/// Retries when the text is edited between the commit and the replacement.
const ROUNDS: u32 = 20;

/// What the live text becomes.
struct Source {
    content: String,
    content_hash: [u8; 32],
    restored: Restored,
    /// The messages of the versions: the one that restores, and the one before.
    messages: (ServerMessage, ServerMessage),
}

impl Versions {
    /// Sets the text to that of version `number`. Runs to completion even if the caller is dropped;
    /// a repeated request continues where it was interrupted.
    ///
    /// # Errors
    /// `NotFound`, `NothingToCommit` if both the live text and the head already equal that version,
    /// `IdempotencyMismatch`, `CorruptVersion`, `Trashed`, `Overloaded`, `Unavailable`.
    pub async fn restore(
        &self,
        editor: &Editor,
        number: u64,
        message: Option<CommitMessage>,
        key: RequestKey,
    ) -> Result<VersionRow> {
        let _reserved = self.core.budget.work(bytes_to_commit(editor, 0)).await?;
        let (this, editor) = (self.clone(), editor.clone());
        let restoring = async move {
            let message = message.as_ref().map(CommitMessage::as_str).unwrap_or_default();
            let body = sha256_parts(&[b"restore", &number.to_be_bytes(), message.as_bytes()]);
            let source = this.version_source(&editor, number);
            this.restore_now(&editor, source, message, key, body).await
        };
        self.core.run_to_end(restoring).await
    }

    /// Sets the text to that after edit `seq`, as [`Self::restore`].
    ///
    /// # Errors
    /// As there; `Invalid` when there is no such edit; `NotFound` when history is not kept that far
    /// back; `Internal` when it is damaged.
    pub async fn restore_edit(
        &self,
        editor: &Editor,
        seq: u64,
        message: Option<CommitMessage>,
        key: RequestKey,
    ) -> Result<VersionRow> {
        let _reserved = self.core.budget.work(bytes_to_commit(editor, 0)).await?;
        let (this, editor) = (self.clone(), editor.clone());
        let restoring = async move {
            let message = message.as_ref().map(CommitMessage::as_str).unwrap_or_default();
            let body = sha256_parts(&[b"restore edit", &seq.to_be_bytes(), message.as_bytes()]);
            let source = this.edit_source(&editor, seq);
            this.restore_now(&editor, source, message, key, body).await
        };
        self.core.run_to_end(restoring).await
    }

    async fn version_source(&self, editor: &Editor, number: u64) -> Result<Source> {
        let row = self.row(editor.id(), number).await?;
        Ok(Source {
            content: self.content(&row).await?.to_string(),
            content_hash: row.content_hash,
            restored: Restored::Version(number),
            messages: (ServerMessage::Restored(number), ServerMessage::BeforeRestoring(number)),
        })
    }

    async fn edit_source(&self, editor: &Editor, seq: u64) -> Result<Source> {
        let content = Edits::new(self.core.clone()).text_at(editor, seq).await?;
        Ok(Source {
            content_hash: sha256(&content),
            content,
            restored: Restored::Edit(seq),
            messages: (ServerMessage::RestoredEdit(seq), ServerMessage::BeforeRestoringEdit(seq)),
        })
    }

    async fn restore_now(
        &self,
        editor: &Editor,
        source: impl Future<Output = Result<Source>> + Send,
        message: &str,
        key: RequestKey,
        body_hash: [u8; 32],
    ) -> Result<VersionRow> {
        let after = key.part("after").request(body_hash, &*self.core.ids);
        let _turn = self.turns.take(after.key).await;
        let _alone = self.turns.take(of_document(editor.id())).await;
        if let Some(known) = self.known(&after).await? {
            return Ok(known);
        }
        let source = source.await?;
        self.bring_back(editor, &source, &after, key).await?;
        let fallback = || source.messages.0.to_string();
        let note =
            VersionNote::new(if message.is_empty() { fallback() } else { message.to_owned() });
        let draft = Draft {
            editor,
            note: &note,
            request: after,
            restored: Some(source.restored),
            seen: None,
        };
        self.commit_live(&draft).await
    }

    /// Sets the text to `source`. Only a text that some version contains is replaced, so concurrent
    /// edits are never lost.
    async fn bring_back(
        &self,
        editor: &Editor,
        source: &Source,
        after: &Request,
        key: RequestKey,
    ) -> Result<()> {
        let op_id = part_op_id(after, "edit");
        for round in 0..ROUNDS {
            let kind = |expected| EditKind::Replace { content: source.content.clone(), expected };
            if self.documents.knows_edit(editor, &op_id, &kind(None).request_hash()).await? {
                return Ok(());
            }
            let (row, head) = self.head(editor).await?;
            let present = self.documents.text_of(&row).await?.facts.hash;
            if present == source.content_hash {
                return Ok(());
            }
            let kept = match head {
                Some(head) if head.content_hash == present => present,
                _ => {
                    let part = key.part(&format!("before {round}"));
                    let before = part.request(after.body_hash, &*self.core.ids);
                    self.keep_present(editor, source.messages.1, before).await?
                }
            };
            match self.documents.server_edit(editor, op_id.clone(), kind(Some(vec![kept]))).await {
                Err(Error::Stale(_)) => {}
                other => return other.map(drop),
            }
        }
        // Too many edits at the same time.
        Err(Error::Overloaded(Duration::from_secs(1)))
    }

    /// Commits the live text; returns the hash of a text that a version contains.
    async fn keep_present(
        &self,
        editor: &Editor,
        message: ServerMessage,
        request: Request,
    ) -> Result<[u8; 32]> {
        let note = VersionNote::new(message.to_string());
        let draft = Draft { editor, note: &note, request, restored: None, seen: None };
        match self.commit_live(&draft).await {
            Ok(kept) => Ok(kept.content_hash),
            // A concurrent request has just committed it.
            Err(Error::NothingToCommit) => {
                let (_, head) = self.head(editor).await?;
                head.map(|head| head.content_hash).ok_or(Error::NothingToCommit)
            }
            Err(error) => Err(error),
        }
    }
}
