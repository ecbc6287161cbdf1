//! Accounts that are deleted or deactivated while a request of theirs is in progress.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use async_trait::async_trait;
use izanagi_domain::{
    accounts::{Caller, Device, SignedIn},
    documents::{RequestKey, Upload},
    error::{Error, Result},
    services::Services,
    storage::{DocumentFilter, StoreResult, Stores},
};
use izanagi_shared::{
    id::{SessionId, UserId},
    rules::Secret,
    wire::{
        CreateDocumentRequest, DocumentSort, LoginRequest, PatchDocumentRequest, SignupRequest,
    },
};
use izanagi_storage::faulty::{Faulty, Hook, Injector};
use rstest::rstest;
use std::{
    fmt::Debug,
    sync::{Arc, Mutex, OnceLock},
};
use support::{Plan, World};
use uuid::Uuid;

const PASSWORD: &str = "correct horse battery";

/// How an account departs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Departure {
    Deleted,
    Deactivated,
}

use Departure::{Deactivated, Deleted};

/// Ends an account just before the first call of a store's method.
#[derive(Default)]
struct End {
    elsewhere: OnceLock<Services>,
    due: Mutex<Option<(&'static str, &'static str, Departure)>>,
}

impl End {
    /// Ends the account `login` before the next call of `method`.
    fn before_next(&self, method: &'static str, login: &'static str, departure: Departure) {
        *self.due.lock().unwrap() = Some((method, login, departure));
    }

    fn take(&self, method: &'static str) -> Option<(&'static str, Departure)> {
        let due = self.due.lock().unwrap().take_if(|(due, ..)| *due == method);
        due.map(|(_, login, departure)| (login, departure))
    }
}

#[async_trait]
impl Hook for End {
    async fn before(&self, method: &'static str, _: &(dyn Debug + Sync)) -> StoreResult<()> {
        let Some((login, departure)) = self.take(method) else { return Ok(()) };
        let accounts = &self.elsewhere.get().unwrap().accounts;
        // Activating an active account changes nothing and returns it.
        let user = accounts.set_active(login, true).await.unwrap().user;
        match departure {
            Deleted => {
                let session = SessionId(Uuid::nil());
                let caller = Caller { user: user.id, session, role: Default::default() };
                accounts.delete_me(&caller).await.unwrap();
            }
            Deactivated => drop(accounts.set_active(login, false).await.unwrap()),
        }
        Ok(())
    }
}

/// Creates a world in which the calls of one store can end an account.
async fn world(wrap: fn(&mut Stores, &Arc<Injector>)) -> (World, Arc<End>) {
    let end = Arc::<End>::default();
    let injector = Injector::hooked(Arc::clone(&end) as _);
    let wrap = move |mut stores: Stores| {
        wrap(&mut stores, &injector);
        stores
    };
    let world = World::with(Plan { wrap: Box::new(wrap), ..Plan::default() }).await;
    let elsewhere = World::over(&world).await.services;
    assert!(end.elsewhere.set(elsewhere).is_ok());
    (world, end)
}

async fn with_sessions() -> (World, Arc<End>) {
    world(|stores, injector| {
        let sessions = Arc::clone(&stores.relational.sessions);
        stores.relational.sessions = Arc::new(Faulty::new(sessions, injector));
    })
    .await
}

async fn with_documents() -> (World, Arc<End>) {
    world(|stores, injector| {
        let (catalog, owners) = (&stores.relational.catalog, &stores.relational.owners);
        let catalog = Arc::new(Faulty::new(Arc::clone(catalog), injector));
        let owners = Arc::new(Faulty::new(Arc::clone(owners), injector));
        stores.relational.catalog = catalog;
        stores.relational.owners = owners;
    })
    .await
}

async fn sign_up(world: &World) -> Result<SignedIn> {
    let request = SignupRequest {
        email: "eve@example.org".to_owned(),
        password: Secret::new(PASSWORD),
        username: Some("eve".to_owned()),
        display_name: None,
    };
    let (accounts, device) = (&world.services.accounts, Device::default());
    accounts.sign_up(accounts.take_sign_up_turn(&device).await?, &request, &device).await
}

async fn sign_in(world: &World) -> Result<SignedIn> {
    let request = LoginRequest { login: Some("eve".to_owned()), password: Secret::new(PASSWORD) };
    world.services.accounts.sign_in(&request, &Device::default()).await
}

/// No active session of the account is stored.
async fn assert_no_session(world: &World, user: UserId) {
    let sessions = world.stores.relational.sessions.list(user).await.unwrap();
    assert_eq!(sessions, []);
}

#[rstest]
#[tokio::test]
async fn a_sign_in_during_the_departure_begins_no_session(
    #[values(Deleted, Deactivated)] departure: Departure,
) {
    let (world, end) = with_sessions().await;
    let user = sign_up(&world).await.unwrap().user.id;
    end.before_next("create", "eve", departure);
    let refused = sign_in(&world).await;
    assert!(matches!(refused, Err(Error::InvalidCredentials)), "{refused:?}");
    assert_no_session(&world, user).await;
}

#[tokio::test]
async fn a_sign_up_during_the_departure_begins_no_session() {
    let (world, end) = with_sessions().await;
    end.before_next("create", "eve", Deactivated);
    let refused = sign_up(&world).await;
    assert!(matches!(refused, Err(Error::InvalidCredentials)), "{refused:?}");
    let user = world.stores.relational.users.by_login("eve").await.unwrap().id;
    assert_no_session(&world, user).await;
}

/// Each step of a refresh is a method of the store: read the token, use it, read the session,
/// record its activity.
#[rstest]
#[tokio::test]
async fn a_refresh_during_the_departure_renews_nothing(
    #[values("refresh_token", "use_refresh_token", "get", "touch")] step: &'static str,
    #[values(Deleted, Deactivated)] departure: Departure,
) {
    let (world, end) = with_sessions().await;
    let signed_in = sign_up(&world).await.unwrap();
    end.before_next(step, "eve", departure);
    let accounts = &world.services.accounts;
    match accounts.refresh(&signed_in.refresh, &Device::default()).await {
        Err(Error::SessionRevoked) => {}
        Err(other) => panic!("{other:?}"),
        // Read before the end; its token is refused already.
        Ok(renewed) => {
            assert_eq!(step, "touch");
            let used = accounts.authenticate(renewed.access.expose(), "").await;
            assert!(matches!(used, Err(Error::Unauthenticated)), "{used:?}");
        }
    }
    assert_no_session(&world, signed_in.user.id).await;
    let again = accounts.refresh(&signed_in.refresh, &Device::default()).await;
    assert!(matches!(again, Err(Error::SessionRevoked)), "{again:?}");
}

/// Returns how many documents outside the trash the user owns.
async fn alive(world: &World, user: UserId) -> u64 {
    let filter = DocumentFilter {
        visible_to: user,
        owner: Some(user),
        words: Vec::new(),
        trashed: Some(false),
        sort: DocumentSort::default(),
        cursor: None,
        offset: 0,
        limit: 1,
    };
    world.stores.relational.catalog.list(&filter).await.unwrap().1
}

#[rstest]
#[tokio::test]
async fn a_departing_account_creates_no_document(
    #[values(Deleted, Deactivated)] departure: Departure,
    #[values(true, false)] uploads: bool,
) {
    let (world, end) = with_documents().await;
    end.before_next("create", "ada", departure);
    let (documents, ada) = (&world.services.documents, world.ada.into());
    let created = if uploads {
        let upload = Upload { file_name: "a.md".to_owned(), bytes: b"text".to_vec() };
        documents.upload(&ada, vec![upload], "Untitled", RequestKey::none()).await.map(drop)
    } else {
        let request =
            CreateDocumentRequest { title: "Plan".to_owned(), ..CreateDocumentRequest::default() };
        documents.create(&ada, request, RequestKey::none()).await.map(drop)
    };
    assert!(matches!(created, Err(Error::Unauthenticated)), "{created:?}");
    assert_eq!(alive(&world, world.ada.user).await, 0);
}

#[rstest]
#[tokio::test]
async fn a_departing_account_restores_no_document(
    #[values(Deleted, Deactivated)] departure: Departure,
) {
    let (world, end) = with_documents().await;
    let id = world.create("text").await;
    let owner = world.owner(id).await;
    world.services.documents.trash(&owner).await.unwrap();
    end.before_next("change", "ada", departure);
    let request = PatchDocumentRequest { deleted: Some(false), ..PatchDocumentRequest::default() };
    let restored = world.services.documents.change(&owner, &request).await;
    assert!(matches!(restored, Err(Error::Unauthenticated)), "{restored:?}");
    assert_eq!(alive(&world, world.ada.user).await, 0);
}

#[rstest]
#[tokio::test]
async fn a_departing_account_adds_no_owner(#[values(Deleted, Deactivated)] departure: Departure) {
    let (world, end) = with_documents().await;
    let id = world.create("text").await;
    let owner = world.owner(id).await;
    end.before_next("add", "ada", departure);
    let added = world.services.documents.add_owner(&owner, world.bob.user).await;
    assert!(matches!(added, Err(Error::Unauthenticated)), "{added:?}");
    let owners = world.stores.relational.owners.list(&[id]).await.unwrap();
    assert!(owners.iter().all(|(_, person)| person.id != world.bob.user));
}

#[tokio::test]
async fn a_deleted_account_cannot_change_its_profile() {
    let world = World::new().await;
    let accounts = &world.services.accounts;
    accounts.delete_me(&world.ada).await.unwrap();
    let changed = accounts.update_me(&world.ada, &Default::default()).await;
    assert!(matches!(changed, Err(Error::Unauthenticated)), "{changed:?}");
}
