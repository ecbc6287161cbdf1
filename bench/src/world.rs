//! In-process services over a SQLite file or other stores, configured as in the server.

use anyhow::Result;
use izanagi_domain::{
    accounts::{Caller, Network, PasswordHash, Role, SigningKey, TokenIssuer, Tokens},
    documents::{Editor, HistoryReader, IfMatch, LiveConnection, RequestKey},
    services::{Services, Settings},
    storage::{Clock as _, Ids as _, OutboxItem, SystemClock, SystemIds, User, VersionRow},
    versions::CommitInput,
};
use izanagi_shared::{
    id::{DocumentId, SessionId, UserId},
    wire::{CreateDocumentRequest, VersionNote},
};
use izanagi_storage::{self as storage, DocumentsConfig, Opened, StorageConfig};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Services, their stores and a user.
pub(crate) struct World {
    pub(crate) services: Services,
    opened: Opened,
    file: PathBuf,
    config: StorageConfig,
    writer: Caller,
}

impl World {
    /// Creates services over a new file in this directory.
    pub(crate) async fn new(folder: &Path) -> Result<Self> {
        Self::over(StorageConfig::new(url(&folder.join("izanagi.db")))).await
    }

    /// Like [`World::new`], with the contents of versions in another store.
    pub(crate) async fn with_documents(folder: &Path, documents: DocumentsConfig) -> Result<Self> {
        let mut config = StorageConfig::new(url(&folder.join("izanagi.db")));
        config.documents = Some(documents);
        Self::over(config).await
    }

    /// Creates services over empty stores.
    pub(crate) async fn over(config: StorageConfig) -> Result<Self> {
        let writer = Caller {
            user: UserId(SystemIds.uuid()),
            session: SessionId(SystemIds.uuid()),
            role: Role::User,
        };
        let world = Self::open(config, writer).await?;
        world.services.core.stores.relational.users.create(&user(writer.user)).await?;
        Ok(world)
    }

    /// Opens an existing file as one of its users.
    pub(crate) async fn at(file: PathBuf, user: UserId) -> Result<Self> {
        let session = SessionId(SystemIds.uuid());
        let config = StorageConfig::new(url(&file));
        Self::open(config, Caller { user, session, role: Role::User }).await
    }

    /// Reopens the same file with empty caches.
    pub(crate) async fn reopen(self) -> Result<Self> {
        self.services.shut_down().await;
        self.opened.close().await;
        Self::open(self.config, self.writer).await
    }

    async fn open(config: StorageConfig, writer: Caller) -> Result<Self> {
        let opened = storage::open(&config).await?;
        let issuer = TokenIssuer { issuer: "bench".to_owned(), audience: "bench".to_owned() };
        let tokens = Tokens::new(issuer, &SigningKey::generate()?, &[])?;
        let (clock, ids) = (Arc::clone(&config.clock), Arc::clone(&config.ids));
        let stores = opened.stores.clone();
        let services = Services::new(stores, clock, ids, tokens, Settings::default())?;
        let file = config.url.expose().strip_prefix("sqlite://").unwrap_or_default().into();
        Ok(Self { services, opened, file, config, writer })
    }

    /// Shuts everything down; the file is kept.
    pub(crate) async fn close(self) {
        self.services.shut_down().await;
        self.opened.close().await;
    }

    /// Returns the path of the database, if it is a file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Creates a document.
    pub(crate) async fn create(&self, content: &str) -> Result<DocumentId> {
        let request = CreateDocumentRequest {
            title: "Blog post".to_owned(),
            content: Some(content.to_owned()),
            ..CreateDocumentRequest::default()
        };
        let documents = &self.services.documents;
        Ok(documents.create(&self.writer.into(), request, RequestKey::none()).await?.id)
    }

    /// Authorises the user to read.
    pub(crate) async fn reader(&self, id: DocumentId) -> Result<HistoryReader> {
        Ok(self.services.documents.for_history(&self.writer.into(), id).await?)
    }

    /// Authorises the user to edit.
    pub(crate) async fn editor(&self, id: DocumentId) -> Result<Editor> {
        Ok(self.services.documents.for_editor(&self.writer.into(), id).await?)
    }

    /// Connects the user to a live document.
    pub(crate) async fn connect(&self, id: DocumentId) -> Result<LiveConnection> {
        let documents = &self.services.documents;
        Ok(documents.connect(&self.writer.into(), id, Network::None).await?)
    }

    /// Returns the live text.
    pub(crate) async fn text(&self, id: DocumentId) -> Result<String> {
        let reader = self.reader(id).await?;
        Ok(self.services.documents.text(&reader).await?.content.to_string())
    }

    /// Replaces the live text with `content`.
    pub(crate) async fn write(&self, id: DocumentId, content: String) -> Result<()> {
        let editor = self.editor(id).await?;
        self.services.documents.replace(&editor, content, None, IfMatch::Any).await?;
        Ok(())
    }

    /// Commits the live text as a handler does: authorise, then commit.
    pub(crate) async fn commit(&self, id: DocumentId) -> Result<VersionRow> {
        let editor = self.editor(id).await?;
        let note = VersionNote::new("Go on writing");
        let input = CommitInput { note, content: None, key: RequestKey::none() };
        Ok(self.services.versions.commit(&editor, input).await?)
    }

    /// Waits until the running services have emptied the outbox.
    pub(crate) async fn settle(&self) -> Result<()> {
        let outbox = &self.services.core.stores.relational.outbox;
        // Periodic jobs always have an item.
        let is_pending = |item: &OutboxItem| item.topic.period().is_none();
        while outbox.pending(100).await?.iter().any(is_pending) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

fn url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

fn user(id: UserId) -> User {
    User {
        id,
        username: "writer".to_owned(),
        email: "writer@example.org".to_owned(),
        display_name: "Writer".to_owned(),
        bio: String::new(),
        role: Role::User,
        // This user never signs in.
        password_hash: PasswordHash::from_stored("none"),
        created_at: SystemClock.now(),
        last_login_at: None,
        deactivated_at: None,
    }
}
