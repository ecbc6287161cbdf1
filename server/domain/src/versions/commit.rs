//! Committing (PRODUCT V1, API.md): the live text, optionally after merging a text into it.

use super::{Versions, attempt::Attempt, chain_hash, head::Head, turns::of_document};
use crate::{
    documents::{Editor, IfMatch, RequestKey},
    error::{Error, Result},
    hash::sha256_parts,
    live::{EditKind, LiveText},
    storage::{
        DocumentRow, Freshness, NewVersion, Request, Restored, StoreError, Topic, VersionRow,
        short_hash,
    },
};
use izanagi_shared::{
    id::DocumentId,
    rules::Content,
    text::diff::{self, LineCount},
    text::word_memory,
    wire::{Person, VersionNote},
};
use std::{sync::Arc, time::Duration};

/// A commit request.
#[derive(Debug, Clone)]
pub struct CommitInput {
    /// What the author says about the version.
    pub note: VersionNote,
    /// Text to merge into the live one first, with its base.
    pub content: Option<(String, Base)>,
    /// The request's idempotency key.
    pub key: RequestKey,
}

/// Base of a committed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A version.
    Version(u64),
    /// The live text or a version with one of these hashes.
    Text(IfMatch),
}

/// Total length of two texts that are scanned for their common ends in place, in some 100 µs.
const SCANNED: usize = 1024 * 1024;

/// Retries when other commits move the head.
const TRIES: u32 = 20;

/// A new version, except for what is specific to an attempt.
pub(super) struct Draft<'a> {
    pub(super) editor: &'a Editor,
    pub(super) note: &'a VersionNote,
    pub(super) request: Request,
    pub(super) restored: Option<Restored>,
    /// The document as last read by this request, unless it has changed it since. Good enough for
    /// an attempt, but not for refusing the request.
    pub(super) seen: Option<&'a DocumentRow>,
}

impl Versions {
    /// Commits; runs to completion even if the caller is dropped.
    ///
    /// # Errors
    /// `NothingToCommit`, `Stale`, `IdempotencyMismatch`, `Invalid`, `Trashed`, `Overloaded`,
    /// `Unavailable`.
    pub async fn commit(&self, editor: &Editor, input: CommitInput) -> Result<VersionRow> {
        let content = input.content.as_ref().map_or(0, |(content, _)| content.len());
        let _reserved = self.core.budget.work(bytes_to_commit(editor, content)).await?;
        let (this, editor) = (self.clone(), editor.clone());
        self.core.run_to_end(async move { this.commit_now(&editor, input).await }).await
    }

    async fn commit_now(&self, editor: &Editor, input: CommitInput) -> Result<VersionRow> {
        let request = input.key.request(body_hash(&input), &*self.core.ids);
        let _turn = self.turns.take(request.key).await;
        // Otherwise another commit could take in what this one merges, and nothing would be left to
        // commit.
        let _alone = self.turns.take(of_document(editor.id())).await;
        if input.key.is_given()
            && let Some(known) = self.known(&request).await?
        {
            return Ok(known);
        }
        let seen = input.content.is_none().then(|| editor.row());
        if let Some((content, base)) = input.content
            && let Err(refusal) = self.merge_in(editor, content, base, &request).await
        {
            return self.refuse(&request, refusal).await;
        }
        let draft = Draft { editor, note: &input.note, request, restored: None, seen };
        self.commit_live(&draft).await
    }

    /// Returns the version this request has already created, if any.
    pub(super) async fn known(&self, request: &Request) -> Result<Option<VersionRow>> {
        match self.core.stores.relational.versions.by_request(&request.key).await {
            Ok(row) if row.body_hash == short_hash(&request.body_hash) => Ok(Some(row)),
            Ok(_) => Err(Error::IdempotencyMismatch),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Decides about a refused request: closes its open attempts first, then looks for its version.
    /// A lookup before the fence proves nothing.
    pub(super) async fn refuse(&self, request: &Request, refusal: Error) -> Result<VersionRow> {
        if refusal.internal_cause().is_some() {
            // The outcome is unknown or an internal error, not a refusal.
            return Err(refusal);
        }
        self.core.stores.relational.intents.fence_request(&request.key).await?;
        self.known(request).await?.ok_or(refusal)
    }

    /// Merges the change from the base to `content` into the live text, once per request.
    async fn merge_in(
        &self,
        editor: &Editor,
        content: String,
        base: Base,
        request: &Request,
    ) -> Result<()> {
        // A commit accepts JSON that does not parse (PRODUCT V2b).
        let content = Content::parse(content)?.into_string();
        let (op_id, hash) = (part_op_id(request, "edit"), EditKind::merge_hash(&content));
        // The edit has changed the text that its precondition names, so a retry must skip the
        // check.
        if self.documents.knows_edit(editor, &op_id, &hash).await? {
            return Ok(());
        }
        let base = self.base_text(editor, base).await?;
        let kind = EditKind::Merge { base, content };
        self.documents.server_edit(editor, op_id, kind).await.map(drop)
    }

    async fn base_text(&self, editor: &Editor, base: Base) -> Result<String> {
        match base {
            Base::Version(0) => Ok(String::new()),
            Base::Version(number) => {
                let row = self.row(editor.id(), number).await?;
                Ok(self.content(&row).await?.to_string())
            }
            Base::Text(IfMatch::Any) => Ok(self.documents.text(editor).await?.content.to_string()),
            Base::Text(IfMatch::Hashes(hashes)) => self.text_with(editor, &hashes).await,
        }
    }

    async fn text_with(&self, editor: &Editor, hashes: &[[u8; 32]]) -> Result<String> {
        let live = self.documents.text(editor).await?;
        if hashes.contains(&live.facts.hash) {
            return Ok(live.content.to_string());
        }
        for hash in hashes {
            match self.core.stores.relational.versions.by_content(editor.id(), hash).await {
                Ok(row) => return Ok(self.content(&row).await?.to_string()),
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(crate::documents::stale(editor, &live))
    }

    /// Commits the live text as the next version.
    pub(super) async fn commit_live(&self, draft: &Draft<'_>) -> Result<VersionRow> {
        let author = draft.editor.person().cloned();
        let author = author.unwrap_or_else(|| Person::without_account(draft.editor.actor()));
        let mut seen = draft.seen.cloned();
        for _ in 0..TRIES {
            let is_fresh = seen.is_none();
            // Read the head before the text, so that the text is at least as new.
            let (row, head) = match seen.take() {
                Some(row) => {
                    let head = self.head_of(&row).await?;
                    (row, head)
                }
                None => self.head(draft.editor).await?,
            };
            let text = self.documents.text_of(&row).await?;
            if head.is_some_and(|head| head.content_hash == text.facts.hash) {
                if !is_fresh {
                    continue;
                }
                return self.refuse(&draft.request, Error::NothingToCommit).await;
            }
            let version = self.next_version(draft, head, &row, &text).await?;
            match self.attempt(&version, &text.content).await? {
                Attempt::Committed => {
                    let committed = version.into_row(author);
                    self.cache.put(committed.commit_id, text.content);
                    self.heads.put(Head::from(&committed));
                    self.documents.announce(committed.document_id, Some(draft.editor.actor()));
                    self.core.wake.up(Topic::Demote);
                    if draft.restored.is_some() {
                        self.core.wake.up(Topic::MakeWhole);
                    }
                    return Ok(committed);
                }
                Attempt::RequestKnown => {
                    return self.known(&draft.request).await?.ok_or_else(|| {
                        Error::internal("the request key exists but its version does not")
                    });
                }
                Attempt::HeadMoved | Attempt::TryAgain => {}
            }
        }
        // Too many commits at the same time.
        Err(Error::Overloaded(Duration::from_secs(1)))
    }

    async fn next_version(
        &self,
        draft: &Draft<'_>,
        head: Option<Head>,
        row: &DocumentRow,
        text: &LiveText,
    ) -> Result<NewVersion> {
        let before = match head {
            Some(head) => self.content_to_count(row.id, head).await?,
            None => "".into(),
        };
        let after = Arc::clone(&text.content);
        let work = work_to_count(&before, &after);
        let count = move || diff::count_lines(&before, &after);
        let count: LineCount = self.core.budget.run_on(work, count).await?;
        let (author_id, at) = (draft.editor.actor(), self.core.clock.now());
        let parent_chain = head.as_ref().map(|head| &head.chain_hash);
        let content_hash = text.facts.hash;
        Ok(NewVersion {
            document_id: draft.editor.id(),
            number: head.map_or(0, |head| head.number) + 1,
            commit_id: self.fresh_commit(),
            parent_commit: head.map(|head| head.commit_id),
            content_hash,
            parent_chain_hash: parent_chain.copied(),
            chain_hash: chain_hash(parent_chain, &content_hash, author_id, draft.note, at),
            length: text.facts.length,
            added: count.added as u64,
            removed: count.removed as u64,
            note: draft.note.clone(),
            restored: draft.restored,
            author_id,
            request: draft.request,
            at,
        })
    }

    /// A damaged parent must not block the next version; only the line counts depend on it.
    async fn content_to_count(&self, document: DocumentId, head: Head) -> Result<Arc<str>> {
        if let Some(text) = self.cache.get(head.commit_id) {
            return Ok(text);
        }
        let row = self
            .core
            .stores
            .relational
            .versions
            .get(Freshness::Fresh, document, head.number)
            .await?;
        match self.content(&row).await {
            Err(Error::CorruptVersion { number, internal }) => {
                tracing::error!(docId = %document, number, cause = internal.for_log(),
                    "the newest version is damaged; counting its lines as zero");
                Ok("".into())
            }
            other => other,
        }
    }
}

/// Estimates the work of counting changed lines, in bytes: of the part that differs, if looking for
/// it takes less time than changing threads.
fn work_to_count(before: &str, after: &str) -> usize {
    match before.len() + after.len() {
        bytes if bytes <= SCANNED => diff::changed_bytes(before, after),
        bytes => bytes,
    }
}

/// Peak memory of a commit, in bytes: the text, its parent, a merge with `content`, and the encoded
/// record.
pub(super) fn bytes_to_commit(editor: &Editor, content: usize) -> usize {
    let text = usize::try_from(editor.row().text.length).unwrap_or(usize::MAX);
    text.max(content).saturating_mul(6).saturating_add(word_memory(text.saturating_add(content)))
}

/// Identity of a request. `If-Match` is excluded, because a retry may send a newer one.
fn body_hash(input: &CommitInput) -> [u8; 32] {
    let note = serde_json::to_vec(&input.note).unwrap_or_default();
    match &input.content {
        None => sha256_parts(&[b"commit", &note]),
        Some((content, Base::Text(_))) => sha256_parts(&[b"commit", &note, content.as_bytes()]),
        Some((content, Base::Version(number))) => {
            sha256_parts(&[b"commit", &note, content.as_bytes(), &number.to_be_bytes()])
        }
    }
}

/// Returns the op id of the edit that is part of a request (DESIGN §5).
pub(super) fn part_op_id(request: &Request, part: &str) -> String {
    hex::encode(&sha256_parts(&[&request.key, part.as_bytes()])[..16])
}
