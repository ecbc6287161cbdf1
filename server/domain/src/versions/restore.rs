//! Restoring a version (PRODUCT V5): the present text is committed first, the restore is one more
//! version, made as a text edit, so that people who are typing keep their place.

use super::{
    Versions,
    commit::{Draft, part_op_id},
};
use crate::{
    documents::{Editor, RequestKey},
    error::{Error, Result},
    hash::sha256_parts,
    live::EditKind,
    storage::{Request, VersionRow},
};
use izanagi_shared::rules::CommitMessage;

impl Versions {
    /// Makes the text what it was in version `number`; runs to its end even when the caller goes
    /// away. A repeated request goes on where it was interrupted.
    ///
    /// # Errors
    /// `NotFound`, `NothingToCommit` when the text is that version's already and so is the head,
    /// `IdempotencyMismatch`, `CorruptVersion`, `Trashed`, `Unavailable`.
    pub async fn restore(
        &self,
        editor: &Editor,
        number: u64,
        message: Option<CommitMessage>,
        key: RequestKey,
    ) -> Result<VersionRow> {
        let (this, editor) = (self.clone(), editor.clone());
        let task =
            self.tasks.spawn(async move { this.restore_now(&editor, number, message, key).await });
        task.await.map_err(Error::internal)?
    }

    async fn restore_now(
        &self,
        editor: &Editor,
        number: u64,
        message: Option<CommitMessage>,
        key: RequestKey,
    ) -> Result<VersionRow> {
        let message = message.as_ref().map(CommitMessage::as_str).unwrap_or_default();
        let body_hash = sha256_parts(&[b"restore", &number.to_be_bytes(), message.as_bytes()]);
        let after = key.part("after").request(body_hash, &*self.ids);
        if let Some(known) = self.known(&after).await? {
            return Ok(known);
        }
        let source = self.row(editor.id(), number).await?;
        let content = self.content(&source).await?;
        self.commit_before(editor, number, &key.part("before").request(body_hash, &*self.ids))
            .await?;
        let op_id = part_op_id(&after, "edit");
        let kind = EditKind::Replace { content: content.to_string(), expected: None };
        self.documents.server_edit(editor, op_id, kind).await?;
        let fallback = format!("Restored version {number}");
        let message = if message.is_empty() { &fallback } else { message };
        let draft = Draft {
            editor,
            message,
            request: after,
            restored_from: Some(number),
            refuse_unchanged: true,
        };
        self.commit_live(&draft).await
    }

    /// Keeps what is there now; nothing happens when the newest version is just that.
    async fn commit_before(&self, editor: &Editor, number: u64, request: &Request) -> Result<()> {
        let message = format!("Before restoring version {number}");
        let draft = Draft {
            editor,
            message: &message,
            request: *request,
            restored_from: None,
            refuse_unchanged: true,
        };
        match self.commit_live(&draft).await {
            Ok(_) | Err(Error::NothingToCommit) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
