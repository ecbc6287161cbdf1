//! Reading and replacing a document's text (PRODUCT D4), and single updates by HTTP.

use super::{Documents, Editor, Reader, view};
use crate::{
    core::Core,
    error::{Error, Internal, Result},
    hash::sha256,
    live::{
        ClientUpdate, EditKind, EditOutcome, LiveText, Missing, QUARANTINED, Receipt, ServerEdit,
    },
    patience::patiently,
    storage::{DocumentRow, SavedText, StoreError, short_hash},
};
use izanagi_shared::{
    crdt::read_state_vector,
    id::DocumentId,
    permission::{Action, Verdict, decide},
    problem::{CurrentContent, FieldError},
    rules::{Content, Title},
    text::word_memory,
    wire::DocumentView,
};

/// Peak memory of reading a text, in bytes per byte of text: the text and its JSON response.
pub(super) const READ_FACTOR: usize = 3;

/// Peak memory of replacing a text, in bytes per byte of the old and new text.
const REPLACE_FACTOR: usize = 4;

/// Client ids of a state vector that are looked up at once. Databases limit the values of a query.
const CLIENTS_AT_ONCE: usize = 1_000;

/// Maximum length of an `opId`, in bytes.
pub const LONGEST_OP_ID: usize = 64;

/// Precondition on the live text, from `If-Match` (RFC 9110 §13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: any text.
    Any,
    /// One of these hashes. The metadata part of an etag is ignored (API.md).
    Hashes(Vec<[u8; 32]>),
}

/// Result of replacing a text.
#[derive(Debug, Clone)]
pub struct Replaced {
    /// The document after the change, with content.
    pub document: DocumentView,
}

impl Documents {
    /// Returns the live text, including everything acknowledged so far.
    ///
    /// # Errors
    /// `Unavailable`; `Internal` if the stored data cannot be read.
    pub async fn text(&self, reader: &Reader) -> Result<LiveText> {
        self.text_of(reader.row()).await
    }

    /// Returns the live text, given a recently read row. It includes everything acknowledged before
    /// the row was read.
    pub(crate) async fn text_of(&self, row: &DocumentRow) -> Result<LiveText> {
        if !row.damage.live {
            self.rooms.saw(row.id, row.live_seq);
        }
        if !self.is_settled(row) {
            return match self.rooms.read(row.id).await {
                Err(Error::CorruptDocument(cause)) => self.damaged_text(row.id, cause).await,
                text => text,
            };
        }
        let length = usize::try_from(row.text.length).unwrap_or(usize::MAX);
        let _reserved = self.core.budget.work(length.saturating_mul(READ_FACTOR)).await?;
        if let Some(text) = self.stored_text(row).await? {
            return Ok(text);
        }
        // Row and text are read one after the other: in between, the text may have been saved, or the
        // document deleted. Only what does not match twice is damaged.
        let row = self.core.stores.relational.catalog.get(row.id).await;
        let row = row.map_err(Error::missing("document"))?;
        if self.is_settled(&row) {
            if let Some(text) = self.stored_text(&row).await? {
                return Ok(text);
            }
            tracing::error!(docId = %row.id, "the stored text is damaged; reading the log instead");
        }
        self.rooms.read(row.id).await
    }

    /// Whether the stored text was up to date when the row was read.
    pub(super) fn is_settled(&self, row: &DocumentRow) -> bool {
        let is_intact = !row.damage.text && !row.damage.live;
        is_intact && row.text.seq == row.live_seq && !self.rooms.is_open(row.id)
    }

    /// Returns the stored text; `None` if it is older than the row, or does not match its hash. Such a
    /// text is never returned: it can be rebuilt from the log.
    async fn stored_text(&self, row: &DocumentRow) -> Result<Option<LiveText>> {
        match self.core.stores.relational.log.text(row.id).await {
            Ok(SavedText { content, facts, .. }) => {
                // A room may have stored a newer text since the row was read.
                let is_sound = facts.seq >= row.text.seq && sha256(&content) == facts.hash;
                Ok(is_sound.then(|| LiveText { content: content.into(), facts }))
            }
            Err(StoreError::Corrupt(_) | StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the stored text of a document whose editing state is damaged, if it is the newest.
    async fn damaged_text(&self, document: DocumentId, cause: Internal) -> Result<LiveText> {
        let row = self.core.stores.relational.catalog.get(document).await;
        let row = row.map_err(Error::missing("document"))?;
        let mut is_newest = row.text.seq == row.live_seq;
        if is_newest && row.damage.live {
            // The number itself may be too low. Each edit of the last weeks has an op.
            let ops = self.core.stores.relational.inspect.ops(document).await?;
            is_newest = ops.highest_op_seq <= row.text.seq;
        }
        let text = if is_newest { self.stored_text(&row).await? } else { None };
        text.ok_or(Error::CorruptDocument(cause))
    }

    /// Checks the precondition early, so that a request body is not read needlessly. It is checked
    /// again in the room when the text is replaced.
    ///
    /// # Errors
    /// `Stale` with the live text.
    pub async fn require_match(&self, editor: &Editor, if_match: &IfMatch) -> Result<()> {
        let IfMatch::Hashes(hashes) = if_match else { return Ok(()) };
        let text = self.text(editor).await?;
        if hashes.contains(&text.facts.hash) { Ok(()) } else { Err(stale(editor, &text)) }
    }

    /// Replaces the whole text by a minimal edit if the precondition holds. Runs to completion even
    /// if the caller is dropped.
    ///
    /// # Errors
    /// `Invalid`, `Stale` with the live text, `Unavailable`.
    pub async fn replace(
        &self,
        editor: &Editor,
        content: String,
        title: Option<&str>,
        if_match: IfMatch,
    ) -> Result<Replaced> {
        let title = title.map(Title::parse).transpose()?;
        let old = usize::try_from(editor.row().text.length).unwrap_or(usize::MAX);
        let bytes = old.saturating_add(content.len());
        let bytes = bytes.saturating_mul(REPLACE_FACTOR).saturating_add(word_memory(bytes));
        let _reserved = self.core.budget.work(bytes).await?;
        let (this, editor) = (self.clone(), editor.clone());
        let replacing = async move { this.replace_now(&editor, content, title, if_match).await };
        self.core.run_to_end(replacing).await
    }

    async fn replace_now(
        &self,
        editor: &Editor,
        content: String,
        title: Option<Title>,
        if_match: IfMatch,
    ) -> Result<Replaced> {
        let content = Content::parse_as(editor.row().kind, content)?.into_string();
        let expected = match if_match {
            IfMatch::Any => None,
            IfMatch::Hashes(hashes) => Some(hashes),
        };
        let title = title.filter(|title| title.as_str() != editor.row().details.title);
        if title.is_some() && decide(editor.standing(), Action::ChangeDetails) != Verdict::Allowed {
            return Err(Error::Forbidden);
        }
        let kind = EditKind::Replace { content, expected };
        let text = self.server_edit(editor, self.fresh_op_id(), kind).await?;
        if let Some(title) = &title {
            patiently(|| self.rename(editor, title)).await?;
        }
        let document = patiently(|| self.reread(editor, Some(text.clone()))).await?;
        Ok(Replaced { document })
    }

    /// Adds what a page shows and the text lacks, after the document was restored from an earlier state.
    /// Pages that do so at the same time add it once. `saved` is the last text of which the page
    /// knows that it was saved; `mine` if absent.
    ///
    /// # Errors
    /// `Invalid` for a text; `TooLarge`, `Trashed`, `Overloaded`, `Unavailable`.
    pub async fn add_back(
        &self,
        editor: &Editor,
        saved: Option<String>,
        mine: String,
    ) -> Result<()> {
        let mine = Content::parse(mine)?.into_string();
        let saved = saved.map(Content::parse).transpose()?.map(Content::into_string);
        let saved = saved.unwrap_or_else(|| mine.clone());
        let current = usize::try_from(editor.row().text.length).unwrap_or(usize::MAX);
        let bytes = current.saturating_add(saved.len()).saturating_add(mine.len());
        // Words are compared twice: of the page's texts, and of the document's.
        let words = word_memory(bytes).saturating_mul(2);
        let bytes = bytes.saturating_mul(REPLACE_FACTOR).saturating_add(words);
        let _reserved = self.core.budget.work(bytes).await?;
        let (this, editor) = (self.clone(), editor.clone());
        let adding = async move {
            let kind = EditKind::AddBack { saved, mine };
            this.server_edit(&editor, this.fresh_op_id(), kind).await.map(drop)
        };
        self.core.run_to_end(adding).await
    }

    /// Submits one Yjs update by HTTP; returns a receipt once it is durable.
    ///
    /// # Errors
    /// `Invalid` for an invalid op id; `BadUpdate`, `TooLarge`, `Trashed`, `Unavailable`.
    pub async fn submit(&self, editor: &Editor, op_id: &str, delta: Vec<u8>) -> Result<Receipt> {
        check_op_id(op_id)?;
        let actor = editor.actor();
        let update = ClientUpdate { actor, op_id: op_id.to_owned(), delta };
        self.rooms.submit(editor.id(), update).await
    }

    /// Returns what a replica with this state vector (v1) lacks.
    ///
    /// # Errors
    /// `BadUpdate` if the bytes are not a state vector; `OtherLineage` if the replica has edits of a
    /// former lineage.
    pub async fn missing(&self, reader: &Reader, state_vector: Vec<u8>) -> Result<Missing> {
        let (row, clients) = (reader.row(), clients_in(&state_vector));
        let length = usize::try_from(row.text.length).unwrap_or(usize::MAX);
        let _reserved = self.core.budget.work(length.saturating_mul(READ_FACTOR)).await?;
        if !row.damage.live {
            self.rooms.saw(row.id, row.live_seq);
        }
        self.rooms.expect_lineage(row.id, row.lineage).await;
        let missing = self.rooms.missing(row.id, state_vector).await?;
        if row.lineage_seq > 0 || missing.lineage != row.lineage {
            require_no_former(&self.core, row.id, &clients).await?;
        }
        Ok(missing)
    }

    /// Stores a snapshot and the text of a document immediately.
    ///
    /// # Errors
    /// The store failed.
    pub async fn persist(&self, document: DocumentId) -> Result<()> {
        self.rooms.persist(document).await
    }

    /// Submits an edit to the room.
    pub(crate) async fn server_edit(
        &self,
        editor: &Editor,
        op_id: String,
        kind: EditKind,
    ) -> Result<LiveText> {
        let request_hash = kind.request_hash();
        let edit = ServerEdit { actor: editor.actor(), op_id, request_hash, kind };
        match self.rooms.edit(editor.id(), edit).await? {
            EditOutcome::Done(text) => Ok(text),
            EditOutcome::Stale(text) => Err(stale(editor, &text)),
        }
    }

    /// Whether the log contains this edit.
    ///
    /// # Errors
    /// `IdempotencyMismatch` if another edit has this id; `BadUpdate` if the edit is quarantined.
    pub(crate) async fn knows_edit(
        &self,
        editor: &Editor,
        op_id: &str,
        request_hash: &[u8; 32],
    ) -> Result<bool> {
        match self.core.stores.relational.log.known_op(editor.id(), editor.actor(), op_id).await {
            Ok(op) if op.hash != short_hash(request_hash) => Err(Error::IdempotencyMismatch),
            Ok(op) if op.quarantined => Err(Error::BadUpdate(QUARANTINED.to_owned())),
            Ok(_) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns an op id for an edit that is never retried.
    pub(crate) fn fresh_op_id(&self) -> String {
        self.core.ids.uuid().to_string()
    }
}

/// Returns the client ids in a state vector (v1). What is none is refused where it is used.
pub(super) fn clients_in(state_vector: &[u8]) -> Vec<u64> {
    read_state_vector(state_vector).unwrap_or_default().into_keys().collect()
}

/// Checks that a replica with edits of these client ids has none of a former lineage: it would show
/// the text twice.
///
/// # Errors
/// `OtherLineage`.
pub(super) async fn require_no_former(
    core: &Core,
    document: DocumentId,
    clients: &[u64],
) -> Result<()> {
    for clients in clients.chunks(CLIENTS_AT_ONCE) {
        let former = core.stores.relational.log.former_clients(document, clients).await?;
        if !former.is_empty() {
            return Err(Error::OtherLineage);
        }
    }
    Ok(())
}

/// Checks an op id of a client's.
///
/// # Errors
/// `Invalid`.
pub(super) fn check_op_id(op_id: &str) -> Result<()> {
    if op_id.is_empty() || op_id.len() > LONGEST_OP_ID || op_id.chars().any(char::is_control) {
        let message = format!("Use 1 to {LONGEST_OP_ID} printable characters.");
        return Err(FieldError::new("opId", "invalid", message).into());
    }
    Ok(())
}

/// Returns the `Stale` error with the live text.
pub(crate) fn stale(reader: &Reader, text: &LiveText) -> Error {
    Error::Stale(Box::new(CurrentContent {
        etag: view::etag(&text.facts.hash, reader.row().meta_rev),
        content: text.content.to_string(),
    }))
}
