//! The services over a SQLite file, as the server has them, and somebody who uses them.

use anyhow::Result;
use izanagi_domain::{
    accounts::{Caller, PasswordHash, Role, SigningKey, TokenIssuer, Tokens},
    documents::{Editor, IfMatch, NewText, Reader, RequestKey},
    error::Error,
    services::{Services, Settings},
    storage::{Clock as _, Ids as _, SystemClock, SystemIds, User, VersionRow},
    versions::CommitInput,
};
use izanagi_shared::{
    id::{DocumentId, SessionId, UserId},
    rules::CommitMessage,
    wire::CreateDocumentRequest,
};
use izanagi_storage::{self as storage, Opened, StorageConfig};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Services, the stores below them, and their user.
pub(crate) struct World {
    pub(crate) services: Services,
    opened: Opened,
    file: PathBuf,
    writer: Caller,
}

impl World {
    /// Over a new file in this folder.
    pub(crate) async fn new(folder: &Path) -> Result<Self> {
        let writer = Caller {
            user: UserId(SystemIds.uuid()),
            session: SessionId(SystemIds.uuid()),
            role: Role::User,
        };
        let world = Self::open(folder.join("izanagi.db"), writer).await?;
        world.services.stores.users.create(&user(writer.user)).await?;
        Ok(world)
    }

    /// The same file, opened anew: nothing is left in any cache of the process.
    pub(crate) async fn reopen(self) -> Result<Self> {
        self.services.shut_down().await;
        self.opened.close().await;
        Self::open(self.file, self.writer).await
    }

    async fn open(file: PathBuf, writer: Caller) -> Result<Self> {
        let config = StorageConfig::new(format!("sqlite://{}", file.display()));
        let opened = storage::open(&config).await?;
        let issuer = TokenIssuer { issuer: "bench".to_owned(), audience: "bench".to_owned() };
        let tokens = Tokens::new(issuer, &SigningKey::generate()?, &[])?;
        let (clock, ids) = (Arc::clone(&config.clock), Arc::clone(&config.ids));
        let stores = opened.stores.clone();
        let services = Services::new(stores, clock, ids, tokens, Settings::default())?;
        Ok(Self { services, opened, file, writer })
    }

    /// Ends everything; the file stays.
    pub(crate) async fn close(self) {
        self.services.shut_down().await;
        self.opened.close().await;
    }

    /// The database.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// A new document.
    pub(crate) async fn create(&self, content: &str) -> Result<DocumentId> {
        let request = CreateDocumentRequest {
            title: "Blog post".to_owned(),
            content: Some(content.to_owned()),
            ..CreateDocumentRequest::default()
        };
        let text = NewText::from_request(request)?;
        let documents = &self.services.documents;
        Ok(documents.create(&self.writer, text, RequestKey::none()).await?.id)
    }

    /// The right to read.
    pub(crate) async fn reader(&self, id: DocumentId) -> Result<Reader> {
        Ok(self.services.documents.for_reader(Some(&self.writer), id).await?)
    }

    /// The right to write.
    pub(crate) async fn editor(&self, id: DocumentId) -> Result<Editor> {
        Ok(self.services.documents.for_editor(Some(&self.writer), id).await?)
    }

    /// Makes the live text `content`.
    pub(crate) async fn write(&self, id: DocumentId, content: String) -> Result<()> {
        let editor = self.editor(id).await?;
        self.services.documents.replace(&editor, content, None, IfMatch::Any).await?;
        Ok(())
    }

    /// Commits the live text, as a handler does: first the right, then the commit.
    pub(crate) async fn commit(&self, id: DocumentId) -> Result<VersionRow> {
        let editor = self.editor(id).await?;
        let message = CommitMessage::parse("Go on writing").map_err(Error::from)?;
        let input = CommitInput { message, content: None, key: RequestKey::none() };
        Ok(self.services.versions.commit(&editor, input).await?)
    }

    /// Waits until nothing is left in the outbox for the services that were started.
    pub(crate) async fn settle(&self) -> Result<()> {
        while !self.services.stores.outbox.pending(1).await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

fn user(id: UserId) -> User {
    User {
        id,
        username: "writer".to_owned(),
        email: "writer@example.org".to_owned(),
        display_name: "Writer".to_owned(),
        bio: String::new(),
        role: Role::User,
        // Nobody signs in here.
        password_hash: PasswordHash::from_stored("none"),
        created_at: SystemClock.now(),
        last_login_at: None,
        deactivated_at: None,
    }
}
