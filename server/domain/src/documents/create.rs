//! Creating documents (PRODUCT D2).

use super::Documents;
use crate::{
    error::{Error, Result},
    hash::{sha256, sha256_parts},
    live::{LiveText, Snapshot, random_client_id},
    patience::patiently,
    principal::Principal,
    storage::{Constraint, Ids, NewDocument, Request, StoreError, TextFacts},
};
use izanagi_shared::{
    crdt::TextDoc,
    id::{DocumentId, UserId},
    permission::Scope,
    problem::FieldError,
    rules::{Content, DocumentKind, FieldErrors, Title},
    wire::{CreateDocumentRequest, Details, DocumentView},
};

/// An `Idempotency-Key` sent by a client, bound to user, method and path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestKey(Option<[u8; 32]>);

impl RequestKey {
    /// Maximum length of a key, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// No key: every request is new.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Returns the key of a user's request (DESIGN §5).
    ///
    /// # Errors
    /// `Invalid` if it is empty or too long.
    pub fn new(user: UserId, method: &str, path: &str, key: &str) -> Result<Self> {
        if key.is_empty() || key.len() > Self::MAX_BYTES {
            let message = format!("Use 1 to {} characters.", Self::MAX_BYTES);
            return Err(FieldError::new("Idempotency-Key", "invalid", message).into());
        }
        let parts =
            [user.0.as_bytes().as_slice(), method.as_bytes(), path.as_bytes(), key.as_bytes()];
        Ok(Self(Some(sha256_parts(&parts))))
    }

    /// Whether the client may send the request again under this key.
    pub(crate) const fn is_given(self) -> bool {
        self.0.is_some()
    }

    /// Derives the key of one part of a multi-part request.
    #[must_use]
    pub fn part(self, name: &str) -> Self {
        Self(self.0.map(|key| sha256_parts(&[&key, name.as_bytes()])))
    }

    /// Adds the hash of the body; without a key, uses a fresh random one.
    pub(crate) fn request(self, body_hash: [u8; 32], ids: &dyn Ids) -> Request {
        let key = self.0.unwrap_or_else(|| {
            let mut fresh = [0; 32];
            ids.fill(&mut fresh);
            fresh
        });
        Request { key, body_hash }
    }
}

/// An uploaded file.
#[derive(Debug, Clone)]
pub struct Upload {
    /// File name; its extension determines the document kind.
    pub file_name: String,
    /// Content, which must be UTF-8.
    pub bytes: Vec<u8>,
}

/// A validated new document.
struct NewText {
    details: Details,
    kind: DocumentKind,
    content: Content,
}

/// A new document with the values computed from its text.
struct Prepared {
    id: DocumentId,
    details: Details,
    kind: DocumentKind,
    content: String,
    body_hash: [u8; 32],
    state: Vec<u8>,
    client_id: u64,
    facts: TextFacts,
}

/// Peak memory of creating a document, in bytes per byte of text: the text, its CRDT state, their
/// copies on the way to the store, and the response.
const CREATE_FACTOR: usize = 6;

impl NewText {
    /// Validates a request.
    ///
    /// # Errors
    /// `Invalid` with every invalid field.
    fn from_request(request: CreateDocumentRequest) -> Result<Self> {
        let mut errors = FieldErrors::default();
        let details = request.details();
        let content = match request.content {
            Some(content) => errors.take(Content::parse_as(request.kind, content)),
            // Empty text is not valid JSON, so an empty JSON document starts as an empty object.
            None if request.kind == DocumentKind::Json => {
                errors.take(Content::parse("{}\n".into()))
            }
            None => Some(Content::default()),
        };
        match (details, content) {
            (Ok(details), Some(content)) => Ok(Self { details, kind: request.kind, content }),
            (details, _) => {
                let mut all = details.err().unwrap_or_default();
                all.extend(errors.into_vec());
                Err(Error::Invalid(all))
            }
        }
    }

    /// Validates an uploaded file. The title is its name without the extension, or `untitled`.
    ///
    /// # Errors
    /// `Invalid`, naming the file and, if it is not UTF-8, the offset of the first invalid byte.
    fn from_upload(upload: Upload, untitled: &str) -> Result<Self> {
        let name = upload.file_name;
        // The name precedes the values of the file's own error.
        let refuse = |code: &str, message: String, args: &[String]| {
            let error = FieldError::new("file", code, message).with(&name);
            Error::from(args.iter().fold(error, |error, arg| error.with(arg)))
        };
        let kind = DocumentKind::of_file_name(&name).ok_or_else(|| {
            let message = format!("“{name}” is not a .md, .txt or .json file.");
            refuse("unsupported_type", message, &[])
        })?;
        let content = String::from_utf8(upload.bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message =
                format!("“{name}” is not UTF-8 text: byte {at} is not part of a character.");
            refuse("not_utf8", message, &[at.to_string()])
        })?;
        let content = Content::parse_as(kind, content).map_err(|error| {
            refuse(&error.code, format!("“{name}”: {}", error.message), &error.args)
        })?;
        let base = name.rsplit(['/', '\\']).next().unwrap_or(&name);
        let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
        let title: String = stem.chars().filter(|c| !c.is_control()).take(255).collect();
        let title = Title::parse(&title).or_else(|_| Title::parse(untitled))?;
        let details = Details { title: title.as_str().to_owned(), ..Details::default() };
        Ok(Self { details, kind, content })
    }

    fn body_hash(&self) -> [u8; 32] {
        let details = serde_json::to_vec(&self.details).unwrap_or_default();
        sha256_parts(&[&details, self.kind.as_str().as_bytes(), &sha256(self.content.as_str())])
    }

    /// Computes the CRDT state, hashes and counts.
    fn prepare(self, id: DocumentId, client_id: u64) -> Prepared {
        let body_hash = self.body_hash();
        let Self { details, kind, content } = self;
        let content = content.into_string();
        let (_, state) = TextDoc::from_text(client_id, &content);
        let facts = LiveText::new(content.as_str(), 0).facts;
        let state = Snapshot::first(state).encode(id, 0);
        Prepared { id, details, kind, content, body_hash, state, client_id, facts }
    }
}

impl Documents {
    /// Creates a document. Repeating a request with the same key returns the same document.
    ///
    /// # Errors
    /// `Invalid` with every invalid field, `IdempotencyMismatch`, `Overloaded`, `Unavailable`.
    pub async fn create(
        &self,
        who: &Principal,
        request: CreateDocumentRequest,
        key: RequestKey,
    ) -> Result<DocumentView> {
        who.require_user()?;
        who.require_scope(Scope::Write)?;
        let bytes = request.content.as_ref().map_or(0, String::len);
        let _reserved = self.core.budget.work(bytes.saturating_mul(CREATE_FACTOR)).await?;
        let (id, client_id) = self.new_ids();
        let prepare =
            move || NewText::from_request(request).map(|text| text.prepare(id, client_id));
        let new = self.core.budget.run_on(bytes, prepare).await??;
        let request = key.request(new.body_hash, &*self.core.ids);
        self.create_for(who, new, request).await
    }

    async fn create_for(
        &self,
        who: &Principal,
        new: Prepared,
        request: Request,
    ) -> Result<DocumentView> {
        let id = self.create_row(who.require_user()?, new, request).await?;
        patiently(|| async {
            let reader = self.for_reader(who, id).await?;
            self.view_with_content(&reader).await
        })
        .await
    }

    /// Creates a document for each file, in order. All files are validated before the first is
    /// created.
    ///
    /// # Errors
    /// `Invalid` for the first invalid file, in which case no document is created.
    /// `IdempotencyMismatch`, `Overloaded`, `Unavailable`.
    pub async fn upload(
        &self,
        who: &Principal,
        uploads: Vec<Upload>,
        untitled: &'static str,
        key: RequestKey,
    ) -> Result<Vec<DocumentView>> {
        let user = who.require_user()?;
        who.require_scope(Scope::Write)?;
        if uploads.is_empty() {
            return Err(FieldError::new("file", "required", "Choose at least one file.").into());
        }
        let bytes: usize = uploads.iter().map(|upload| upload.bytes.len()).sum();
        let _reserved = self.core.budget.work(bytes.saturating_mul(CREATE_FACTOR)).await?;
        let ids: Vec<_> = uploads.iter().map(|_| self.new_ids()).collect();
        let prepare = move || -> Result<Vec<Prepared>> {
            let text = |upload| NewText::from_upload(upload, untitled);
            let texts: Result<Vec<_>> = uploads.into_iter().map(text).collect();
            let texts = texts?.into_iter().zip(ids);
            Ok(texts.map(|(text, (id, client_id))| text.prepare(id, client_id)).collect())
        };
        let texts = self.core.budget.run_on(bytes, prepare).await??;
        // The hash covers all files, so that leaving one out makes it a different request.
        let hashes: Vec<&[u8]> = texts.iter().map(|text| text.body_hash.as_slice()).collect();
        let body_hash = sha256_parts(&hashes);
        let mut items = Vec::new();
        for (index, new) in texts.into_iter().enumerate() {
            let request = key.part(&format!("file {index}")).request(body_hash, &*self.core.ids);
            let id = self.create_row(user, new, request).await?;
            let view = || async {
                let reader = self.for_reader(who, id).await?;
                self.view(&reader).await
            };
            items.push(patiently(view).await?);
        }
        Ok(items)
    }

    /// Returns ids for a document and for the client that writes its initial state.
    fn new_ids(&self) -> (DocumentId, u64) {
        (DocumentId(self.core.ids.uuid()), random_client_id(&*self.core.ids))
    }

    async fn create_row(
        &self,
        created_by: UserId,
        new: Prepared,
        request: Request,
    ) -> Result<DocumentId> {
        let mut lineage = [0; 16];
        self.core.ids.fill(&mut lineage);
        let new = NewDocument {
            id: new.id,
            kind: new.kind,
            details: new.details,
            created_by,
            request,
            state: new.state,
            client_id: new.client_id,
            lineage,
            text: new.facts,
            content: new.content,
            at: self.core.clock.now(),
        };
        match self.core.stores.relational.catalog.create(&new).await {
            Ok(()) => Ok(new.id),
            // Created by an earlier request, or by this attempt if its reply was lost.
            Err(StoreError::Conflict(Constraint::RequestKey) | StoreError::Unknown(_)) => {
                self.made_by(&request).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn made_by(&self, request: &Request) -> Result<DocumentId> {
        let found = self.core.stores.relational.catalog.by_request(&request.key).await;
        match found {
            Ok((id, body_hash)) if body_hash == request.body_hash => Ok(id),
            Ok(_) => Err(Error::IdempotencyMismatch),
            Err(StoreError::NotFound) => {
                Err(Error::Unavailable(crate::error::Internal::new("the document was not created")))
            }
            Err(error) => Err(error.into()),
        }
    }
}
