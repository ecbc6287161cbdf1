//! Committing (PRODUCT V1, API.md): the live text, or a text merged into it first.

use super::{Versions, attempt::Attempt, chain_hash};
use crate::{
    documents::{Editor, IfMatch, RequestKey},
    error::{Error, Internal, Result},
    hash::{sha256, sha256_parts},
    live::{EditKind, LiveText},
    storage::{NewVersion, Request, StoreError, VersionRow},
};
use izanagi_shared::{
    rules::{CommitMessage, Content},
    text::diff,
};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct CommitInput {
    /// Why.
    pub message: CommitMessage,
    /// A text to merge into the live one first, and what it was made from.
    pub content: Option<(String, Base)>,
    /// The request's idempotency key.
    pub key: RequestKey,
}

/// What a committed text was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A version.
    Version(u64),
    /// The text with one of these hashes: the live one, or a version's.
    Text(IfMatch),
}

/// How often a commit starts anew because others commit at the same time.
const TRIES: u32 = 20;

/// A version to be, without what only the attempt knows.
pub(super) struct Draft<'a> {
    pub(super) editor: &'a Editor,
    pub(super) message: &'a str,
    pub(super) request: Request,
    pub(super) restored_from: Option<u64>,
    /// Whether equal content is refused.
    pub(super) refuse_unchanged: bool,
}

impl Versions {
    /// Commits; runs to its end even when the caller goes away.
    ///
    /// # Errors
    /// `NothingToCommit`, `Stale`, `IdempotencyMismatch`, `Invalid`, `Trashed`, `Unavailable`.
    pub async fn commit(&self, editor: &Editor, input: CommitInput) -> Result<VersionRow> {
        let (this, editor) = (self.clone(), editor.clone());
        let task = self.tasks.spawn(async move { this.commit_now(&editor, input).await });
        task.await.map_err(Error::internal)?
    }

    async fn commit_now(&self, editor: &Editor, input: CommitInput) -> Result<VersionRow> {
        let content = input.content.as_ref().map_or("", |(content, _)| content.as_str());
        let body_hash =
            sha256_parts(&[b"commit", input.message.as_str().as_bytes(), content.as_bytes()]);
        let request = input.key.request(body_hash, &*self.ids);
        if let Some(known) = self.known(&request).await? {
            return Ok(known);
        }
        if let Some((content, base)) = input.content {
            self.merge_in(editor, content, base, &request).await?;
        }
        let draft = Draft {
            editor,
            message: input.message.as_str(),
            request,
            restored_from: None,
            refuse_unchanged: true,
        };
        self.commit_live(&draft).await
    }

    /// The version that this request has made before, if it has.
    pub(super) async fn known(&self, request: &Request) -> Result<Option<VersionRow>> {
        match self.stores.versions.by_request(&request.key).await {
            Ok(row) if row.body_hash == request.body_hash => Ok(Some(row)),
            Ok(_) => Err(Error::IdempotencyMismatch),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Merges the change from the base to `content` into the live text; once for each request.
    async fn merge_in(
        &self,
        editor: &Editor,
        content: String,
        base: Base,
        request: &Request,
    ) -> Result<()> {
        // A commit never refuses JSON that does not parse (PRODUCT V2b).
        let content = Content::parse(content)?.into_string();
        let base = match base {
            Base::Version(number) => {
                let row = self.row(editor.id(), number).await?;
                self.content(&row).await?.to_string()
            }
            Base::Text(IfMatch::Any) => self.documents.text(editor).await?.content.to_string(),
            Base::Text(IfMatch::Hashes(hashes)) => self.text_with(editor, &hashes).await?,
        };
        let op_id = part_op_id(request, "edit");
        let kind = EditKind::Merge { base, content };
        self.documents.server_edit(editor, op_id, kind).await.map(drop)
    }

    async fn text_with(&self, editor: &Editor, hashes: &[[u8; 32]]) -> Result<String> {
        let live = self.documents.text(editor).await?;
        if hashes.contains(&live.facts.hash) {
            return Ok(live.content.to_string());
        }
        for hash in hashes {
            match self.stores.versions.by_content(editor.id(), hash).await {
                Ok(row) => return Ok(self.content(&row).await?.to_string()),
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(crate::documents::stale(editor, &live))
    }

    /// Commits the live text as the next version.
    pub(super) async fn commit_live(&self, draft: &Draft<'_>) -> Result<VersionRow> {
        for _ in 0..TRIES {
            let text = self.documents.text(draft.editor).await?;
            let head = self.head(draft.editor).await?;
            if let Some(head) = &head
                && draft.refuse_unchanged
                && head.content_hash == text.facts.hash
            {
                // The first look came before the last commit of the same request, perhaps.
                return self.known(&draft.request).await?.ok_or(Error::NothingToCommit);
            }
            let version = self.next_version(draft, head.as_ref(), &text).await?;
            match self.attempt(&version, &text.content, draft.restored_from).await? {
                Attempt::Committed => {
                    self.cache.put(version.commit_id, text.content);
                    self.outbox_bell.notify_one();
                    return Ok(self.stores.versions.by_commit(version.commit_id).await?);
                }
                Attempt::RequestKnown => {
                    return self.known(&draft.request).await?.ok_or_else(|| {
                        Error::internal("a request is known and has made no version")
                    });
                }
                Attempt::HeadMoved | Attempt::TryAgain => {}
            }
        }
        Err(Error::Unavailable(Internal::new("too many commits at the same time")))
    }

    /// The newest version, if there is any.
    pub(super) async fn head(&self, editor: &Editor) -> Result<Option<VersionRow>> {
        let row = self.stores.catalog.get(editor.id()).await;
        let row = row.map_err(Error::missing("document"))?;
        match row.head_version {
            0 => Ok(None),
            number => Ok(Some(self.stores.versions.get(row.id, number).await?)),
        }
    }

    async fn next_version(
        &self,
        draft: &Draft<'_>,
        head: Option<&VersionRow>,
        text: &LiveText,
    ) -> Result<NewVersion> {
        let before = match head {
            Some(head) => self.content(head).await?,
            None => "".into(),
        };
        let count = diff::count_lines(&before, &text.content);
        let (author_id, at) = (draft.editor.user(), self.clock.now());
        let parent_chain = head.map(|head| &head.chain_hash);
        let content_hash = sha256(&*text.content);
        let mut version = NewVersion {
            document_id: draft.editor.id(),
            number: head.map_or(0, |head| head.number) + 1,
            commit_id: self.fresh_commit(),
            parent_commit: head.map(|head| head.commit_id),
            content_id: String::new(),
            content_hash,
            chain_hash: chain_hash(parent_chain, &content_hash, author_id, draft.message, at),
            length: text.facts.length,
            added: count.added as u64,
            removed: count.removed as u64,
            message: draft.message.to_owned(),
            author_id,
            request: draft.request,
            at,
        };
        version.content_id = Self::content_id(&version);
        Ok(version)
    }
}

/// The op id of the edit that is one part of a request (DESIGN §5).
pub(super) fn part_op_id(request: &Request, part: &str) -> String {
    hex::encode(&sha256_parts(&[&request.key, part.as_bytes()])[..16])
}
