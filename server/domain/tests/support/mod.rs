//! Test environment for the services: in-memory stores and a clock controlled by the test.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use izanagi_domain::{
    accounts::{Caller, PasswordHash, Role, SigningKey, TokenIssuer, Tokens},
    documents::{Editor, HistoryReader, Owner, RequestKey},
    error::Result,
    fsck::Repair,
    live::LiveSettings,
    services::{Services, Settings},
    storage::{Clock, Ids, NewSession, RefreshToken, Session, Stores, SystemIds, User, VersionRow},
    versions::CommitInput,
};
use izanagi_shared::{
    crdt::{Change, TextDoc},
    id::{DocumentId, SessionId, UserId},
    rules::DocumentKind,
    time::Timestamp,
    wire::{CreateDocumentRequest, VersionNote},
};
use izanagi_storage::{self as storage, Opened, StorageConfig};
use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;

/// A clock that advances by a microsecond on every read, and further on request.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_800_000_000_000_000))
    }
}

impl TestClock {
    /// Advances the clock.
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1, Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst).try_into().unwrap())
    }
}

/// One RSA key shared by all tests of a binary, because generating one is slow.
pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap());

/// Services over in-memory stores, and two users.
pub(crate) struct World {
    pub(crate) services: Services,
    pub(crate) stores: Stores,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) ada: Caller,
    pub(crate) bob: Caller,
    opened: Arc<Opened>,
}

/// Configuration of a world.
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    /// Where the stores are.
    pub(crate) storage: StorageConfig,
    /// Wraps the stores before the services use them.
    pub(crate) wrap: Box<dyn FnOnce(Stores) -> Stores>,
}

impl Default for Plan {
    fn default() -> Self {
        let live =
            LiveSettings { append_timeout: Duration::from_millis(200), ..LiveSettings::default() };
        let settings = Settings { live, ..Settings::default() };
        let storage = StorageConfig::new("memory://");
        Self { settings, storage, wrap: Box::new(|stores| stores) }
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Plan::default()).await
    }

    pub(crate) async fn with(plan: Plan) -> Self {
        let clock = Arc::new(TestClock::default());
        let opened = Arc::new(storage::open(&plan.storage).await.unwrap());
        let stores = opened.stores.clone();
        let services = services(&(plan.wrap)(stores.clone()), &clock, plan.settings);
        let ada = add_user(&stores, "ada", &clock).await;
        let bob = add_user(&stores, "bob", &clock).await;
        Self { services, stores, clock, ada, bob, opened }
    }

    /// Opens the stores of an earlier world again, with its users.
    pub(crate) async fn again(plan: Plan, (ada, bob): (Caller, Caller)) -> Self {
        let clock = Arc::new(TestClock::default());
        // The threads of a process that was ended still let go of its files.
        let mut opened = storage::open(&plan.storage).await;
        let begun = std::time::Instant::now();
        while opened.is_err() && begun.elapsed() < Duration::from_secs(30) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            opened = storage::open(&plan.storage).await;
        }
        let opened = Arc::new(opened.unwrap());
        let stores = opened.stores.clone();
        let services = services(&(plan.wrap)(stores.clone()), &clock, plan.settings);
        Self { services, stores, clock, ada, bob, opened }
    }

    /// Creates new services over the unwrapped stores of an existing world.
    #[allow(clippy::unused_async)]
    pub(crate) async fn over(world: &Self) -> Self {
        let services = services(&world.stores, &world.clock, Plan::default().settings);
        Self {
            services,
            stores: world.stores.clone(),
            clock: Arc::clone(&world.clock),
            ada: world.ada,
            bob: world.bob,
            opened: Arc::clone(&world.opened),
        }
    }

    /// As [`Self::over`], with wrapped stores: another node on the same database.
    pub(crate) fn beside(world: &Self, wrap: impl FnOnce(Stores) -> Stores) -> Self {
        let stores = wrap(world.stores.clone());
        let services = services(&stores, &world.clock, Plan::default().settings);
        let (clock, opened) = (Arc::clone(&world.clock), Arc::clone(&world.opened));
        Self { services, stores, clock, ada: world.ada, bob: world.bob, opened }
    }

    /// Begins the session of a caller.
    pub(crate) async fn sign_in(&self, caller: Caller) {
        let at = Timestamp::from_micros(1_800_000_000_000_000);
        let session = Session {
            id: caller.session,
            user_id: caller.user,
            user_agent: String::new(),
            ip: String::new(),
            created_at: at,
            last_activity_at: at,
            revoked_at: None,
        };
        let token = RefreshToken {
            hash: [7; 32],
            session_id: caller.session,
            nonce: [0; 32],
            parent_hash: None,
            expires_at: at.plus(Duration::from_secs(1_000_000)),
            used_at: None,
            successor_used: false,
        };
        self.stores.relational.sessions.create(&NewSession { session, token }).await.unwrap();
    }

    /// Simulates a restart: new services over the same, unwrapped stores.
    pub(crate) async fn restart(self) -> Self {
        self.services.shut_down().await;
        let settings = Plan::default().settings;
        let services = services(&self.stores, &self.clock, settings);
        Self { services, ..self }
    }

    /// Changes stored rows behind the back of the services; returns their number.
    pub(crate) async fn tamper(&self, sql: &'static str) -> u64 {
        self.opened.tamper(sql).await.unwrap()
    }

    pub(crate) async fn create(&self, content: &str) -> DocumentId {
        self.create_kind(DocumentKind::Markdown, content).await
    }

    pub(crate) async fn create_kind(&self, kind: DocumentKind, content: &str) -> DocumentId {
        let request = CreateDocumentRequest {
            title: "Plan".to_owned(),
            kind,
            content: Some(content.to_owned()),
            ..CreateDocumentRequest::default()
        };
        let documents = &self.services.documents;
        documents.create(&self.ada.into(), request, RequestKey::none()).await.unwrap().id
    }

    pub(crate) async fn reader(&self, id: DocumentId) -> HistoryReader {
        self.services.documents.for_history(&self.ada.into(), id).await.unwrap()
    }

    pub(crate) async fn editor(&self, id: DocumentId) -> Editor {
        self.services.documents.for_editor(&self.ada.into(), id).await.unwrap()
    }

    pub(crate) async fn owner(&self, id: DocumentId) -> Owner {
        self.services.documents.for_owner(&self.ada.into(), id).await.unwrap()
    }

    pub(crate) async fn text(&self, id: DocumentId) -> String {
        let reader = self.reader(id).await;
        self.services.documents.text(&reader).await.unwrap().content.to_string()
    }

    /// Changes the live text to `content`, by an update as the editor sends it.
    pub(crate) async fn write(&self, id: DocumentId, content: &str) {
        let mut replica = self.replica(id).await;
        if let Some(delta) = replica.replace_with(content) {
            let editor = self.editor(id).await;
            let op_id = Uuid::now_v7().to_string();
            self.services.documents.submit(&editor, &op_id, delta).await.unwrap();
        }
    }

    /// Loads a replica of the document with its own client id.
    pub(crate) async fn replica(&self, id: DocumentId) -> TextDoc {
        let reader = self.reader(id).await;
        let missing = self.services.documents.missing(&reader, vec![0]).await.unwrap();
        TextDoc::load(random_client(), &missing.delta).unwrap()
    }

    pub(crate) async fn commit(&self, id: DocumentId, message: &str) -> Result<VersionRow> {
        let editor = self.editor(id).await;
        let note = VersionNote::new(message);
        let input = CommitInput { note, content: None, key: RequestKey::none() };
        self.services.versions.commit(&editor, input).await
    }

    pub(crate) async fn content(&self, id: DocumentId, number: u64) -> String {
        let reader = self.reader(id).await;
        self.services.versions.text(&reader, number).await.unwrap().to_string()
    }

    /// Shuts everything down, while others still hold it.
    pub(crate) async fn shut_down(&self) {
        self.services.shut_down().await;
        self.opened.close().await;
    }

    /// Shuts everything down.
    pub(crate) async fn close(self) {
        self.services.shut_down().await;
        self.opened.close().await;
    }

    pub(crate) async fn fsck_is_clean(&self) {
        let report = self.services.fsck.run(Repair::No).await.unwrap();
        assert!(report.faults.is_empty(), "{:#?}", report.faults);
    }
}

fn services(stores: &Stores, clock: &Arc<TestClock>, settings: Settings) -> Services {
    let issuer = TokenIssuer { issuer: "test".to_owned(), audience: "test".to_owned() };
    let tokens = Tokens::new(issuer, &KEY, &[]).unwrap();
    let ids: Arc<dyn Ids> = Arc::new(SystemIds);
    Services::new(stores.clone(), Arc::clone(clock) as Arc<dyn Clock>, ids, tokens, settings)
        .unwrap()
}

async fn add_user(stores: &Stores, name: &str, clock: &TestClock) -> Caller {
    let id = UserId(Uuid::now_v7());
    let user = User {
        id,
        username: name.to_owned(),
        email: format!("{name}@example.org"),
        display_name: name.to_owned(),
        bio: String::new(),
        role: Role::User,
        password_hash: PasswordHash::from_stored("none"),
        created_at: clock.now(),
        last_login_at: None,
        deactivated_at: None,
    };
    stores.relational.users.create(&user).await.unwrap();
    Caller { user: id, session: SessionId(Uuid::now_v7()), role: Role::User }
}

/// Returns a client id that no other replica has.
pub(crate) fn random_client() -> u64 {
    let mut bytes = [0; 8];
    SystemIds.fill(&mut bytes);
    u64::from_le_bytes(bytes) % izanagi_shared::crdt::MAX_CLIENT_ID + 1
}

/// Returns an insertion of `text` at the UTF-16 offset `at`.
pub(crate) fn insert(at: u32, text: &str) -> Change {
    Change { from: at, to: at, insert: text.to_owned() }
}
