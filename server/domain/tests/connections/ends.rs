//! Each way in which a right can end reaches open connections within a second, whichever process ends
//! it. The clock stands still and moves only when a test moves it.

use super::{
    Closing, LiveConnection, Principal, Standing, World, change, connect, key_of, public,
    support::Plan,
    title,
    wire::{Wire, within_patience},
};
use izanagi_domain::{
    error::Error,
    live::{DocumentNews, PresenceUpdate},
    storage::{BusEvent, LocalBus, Stores},
};
use izanagi_shared::{id::DocumentId, permission::Scope};
use rstest::rstest;
use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

/// A second, in which every end of a right must be noticed.
const SECOND: Duration = Duration::from_secs(1);

/// With a bus that nobody else is on.
fn on_another_bus(stores: Stores) -> Stores {
    Stores { bus: Arc::new(LocalBus::default()), ..stores }
}

/// Keeps a paused clock from moving by itself while a test waits for the database.
struct StoppedClock(#[allow(dead_code)] mpsc::Sender<()>);

fn stop_clock() -> StoppedClock {
    let (sender, receiver) = mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || {
        let _ = receiver.recv();
    });
    StoppedClock(sender)
}

/// Ada's document, which Bob owns too, and everybody's connection to it.
struct Scene {
    world: World,
    /// Another process on the same database.
    other: World,
    id: DocumentId,
    ada: Wire,
    bob: Wire,
    _clock: StoppedClock,
}

impl Scene {
    async fn new() -> Self {
        let clock = stop_clock();
        let wrap = Box::new(on_another_bus);
        let world = World::with(Plan { wrap, ..Plan::default() }).await;
        let other = World::over(&world).await;
        let id = world.create("text").await;
        world.services.documents.add_owner(&world.owner(id).await, world.bob.user).await.unwrap();
        let ada = Wire::of(connect(&world, &world.ada.into(), id).await);
        let bob = Wire::of(connect(&world, &world.bob.into(), id).await);
        Self { world, other, id, ada, bob, _clock: clock }
    }

    /// The world of a process: the one with the connections, or another one.
    const fn of(&self, is_other: bool) -> &World {
        if is_other { &self.other } else { &self.world }
    }
}

/// Lets a second pass, unless the process that made the change tells of it.
async fn pass(is_other: bool) {
    if is_other {
        tokio::time::advance(SECOND).await;
    }
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn the_end_of_a_session(#[values(false, true)] is_other: bool) {
    let mut scene = Scene::new().await;
    let caller = scene.world.ada;
    scene.world.sign_in(caller).await;
    scene.of(is_other).services.accounts.sign_out(&caller).await.unwrap();
    pass(is_other).await;
    assert_eq!(scene.ada.closed().await, Closing::SignedOut);
    let refused = scene.ada.poster.post(None, vec![0, 0]).await;
    assert!(matches!(refused, Err(Error::SessionRevoked)), "{refused:?}");
    assert!(scene.bob.poster.require_editor().is_ok());
    let again = super::refusal(&scene.world, &caller.into(), scene.id, super::Network::None).await;
    assert!(matches!(again, Error::SessionRevoked), "{again:?}");
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn signing_out_everywhere(#[values(false, true)] is_other: bool) {
    let mut scene = Scene::new().await;
    let caller = scene.world.ada;
    scene.world.sign_in(caller).await;
    scene.of(is_other).services.accounts.sign_out_everywhere(caller.user).await.unwrap();
    pass(is_other).await;
    assert_eq!(scene.ada.closed().await, Closing::SignedOut);
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_deactivated_account(#[values(false, true)] is_other: bool) {
    let mut scene = Scene::new().await;
    // The bearer of a key has no session that could end.
    let key = key_of(&scene.world, &[Scope::Read, Scope::Write]);
    let mut key = Wire::of(connect(&scene.world, &key, scene.id).await);
    scene.of(is_other).services.accounts.set_active("ada", false).await.unwrap();
    pass(is_other).await;
    assert_eq!(scene.ada.closed().await, Closing::SignedOut);
    assert_eq!(key.closed().await, Closing::SignedOut);
    assert!(scene.bob.poster.require_editor().is_ok());
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_deleted_account(#[values(false, true)] is_other: bool) {
    let mut scene = Scene::new().await;
    let caller = scene.world.ada;
    scene.of(is_other).services.accounts.delete_me(&caller).await.unwrap();
    pass(is_other).await;
    assert_eq!(scene.ada.closed().await, Closing::SignedOut);
    assert!(scene.bob.poster.require_editor().is_ok());
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_lost_right(#[values(false, true)] is_other: bool) {
    let mut scene = Scene::new().await;
    let (world, id) = (scene.of(is_other), scene.id);
    let owner = world.owner(id).await;
    world.services.documents.remove_owner(&owner, world.bob.user).await.unwrap();
    pass(is_other).await;
    assert_eq!(scene.bob.closed().await, Closing::Forbidden);
    let refused = scene.bob.poster.post(None, vec![0, 0]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    assert!(scene.ada.poster.require_editor().is_ok());
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_right_to_edit_that_ends_leaves_the_right_to_read(#[values(false, true)] is_other: bool) {
    let mut scene = Scene::new().await;
    scene.bob.poster.present(PresenceUpdate::new(2, 1, Some("{}".into()))).unwrap();
    change(&scene.world, scene.id, public(true)).await;
    let (world, id) = (scene.of(is_other), scene.id);
    let owner = world.owner(id).await;
    world.services.documents.remove_owner(&owner, world.bob.user).await.unwrap();
    pass(is_other).await;
    scene.bob.document_after(|event| event.standing == Standing::Public).await;
    // Nor is Bob shown who is there any more, or shown to others.
    assert_eq!(scene.ada.presence().await.client, 2);
    while scene.ada.presence().await.state.is_some() {
        scene.ada.presences.clear();
    }
    scene.ada.poster.present(PresenceUpdate::new(1, 1, Some("{}".into()))).unwrap();
    scene.bob.poster.present(PresenceUpdate::new(2, 2, Some("{}".into()))).unwrap();
    assert!(scene.bob.presences.iter().all(|presence| presence.client == 2));
    let refused = scene.bob.poster.post(None, vec![0, 0]).await;
    assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_document_that_is_no_longer_public(#[values(false, true)] is_other: bool) {
    let scene = Scene::new().await;
    let id = scene.id;
    change(&scene.world, id, public(true)).await;
    let mut reader = Wire::of(connect(&scene.world, &Principal::Anonymous, id).await);
    change(scene.of(is_other), id, public(false)).await;
    pass(is_other).await;
    assert_eq!(reader.closed().await, Closing::Forbidden);
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_document_in_the_trash(#[values(false, true)] is_other: bool) {
    let mut scene = Scene::new().await;
    let id = scene.id;
    change(&scene.world, id, public(true)).await;
    let mut reader = Wire::of(connect(&scene.world, &Principal::Anonymous, id).await);
    let world = scene.of(is_other);
    world.services.documents.trash(&world.owner(id).await).await.unwrap();
    pass(is_other).await;
    assert_eq!(reader.closed().await, Closing::Trashed);
    assert_eq!(scene.ada.closed().await, Closing::Trashed);
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_document_that_is_deleted_for_good(#[values(false, true)] is_other: bool) {
    let mut scene = Scene::new().await;
    let (world, id) = (scene.of(is_other), scene.id);
    world.services.documents.trash(&world.owner(id).await).await.unwrap();
    world.services.documents.purge(&world.owner(id).await).await.unwrap();
    pass(is_other).await;
    // Another process may see both at once.
    let over = [Closing::Trashed, Closing::Gone];
    assert!(over.contains(&scene.ada.closed().await));
    assert!(over.contains(&scene.bob.closed().await));
    let refused = scene.bob.poster.missing(vec![0]).await;
    assert!(matches!(refused, Err(Error::Trashed | Error::NotFound(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn what_another_process_has_committed_and_renamed() {
    let mut scene = Scene::new().await;
    let (other, id) = (&scene.other, scene.id);
    other.write(id, "more").await;
    other.commit(id, "more").await.unwrap();
    change(other, id, title("New")).await;
    pass(true).await;
    let event = scene.bob.document_after(|event| event.head_version == 1).await;
    assert_eq!(event.title, "New");
    let Some(DocumentNews::Committed { number: 1, by }) = event.news else { panic!() };
    assert_eq!(by.username, "ada");
}

#[tokio::test(start_paused = true)]
async fn a_document_that_was_started_anew_by_a_repair() {
    let mut scene = Scene::new().await;
    let sql = "UPDATE documents SET lineage = randomblob(16)";
    assert_eq!(scene.world.tamper(sql).await, 1);
    let noted = "INSERT INTO document_changes (document_id, kind, change_seq, at) \
                 SELECT document_id, 'lineage', 1000, 0 FROM document_changes LIMIT 1";
    assert_eq!(scene.world.tamper(noted).await, 1);
    pass(true).await;
    assert_eq!(scene.ada.closed().await, Closing::Resync);
    let mut again = Wire::of(connect(&scene.world, &scene.world.ada.into(), scene.id).await);
    assert_eq!(again.document().await.title, "Plan");
}

#[rstest]
#[tokio::test(start_paused = true)]
async fn a_bus_that_has_lost_events(#[values(false, true)] says_so: bool) {
    let mut scene = Scene::new().await;
    let (id, bob) = (scene.id, scene.world.bob.user);
    let owner = scene.other.owner(id).await;
    scene.other.services.documents.remove_owner(&owner, bob).await.unwrap();
    // The database is asked at once, without a second passing.
    let session = izanagi_shared::id::SessionId(uuid::Uuid::nil());
    let bus = &scene.world.services.core.stores.bus;
    if says_so {
        bus.publish(BusEvent::Lagged);
    } else {
        (0..2 * LocalBus::CAPACITY).for_each(|_| bus.publish(BusEvent::SessionEnded(session)));
    }
    assert_eq!(scene.bob.closed().await, Closing::Forbidden);
}

#[tokio::test(start_paused = true)]
async fn a_change_while_the_first_connection_is_made() {
    let clock = stop_clock();
    let world = World::new().await;
    let id = world.create("text").await;
    world.services.documents.add_owner(&world.owner(id).await, world.bob.user).await.unwrap();
    for _ in 0..20 {
        let owner = world.owner(id).await;
        let bob: Principal = world.bob.into();
        let (connected, removed) = tokio::join!(
            world.services.documents.connect(&bob, id, super::Network::None),
            world.services.documents.remove_owner(&owner, world.bob.user),
        );
        removed.unwrap();
        if let Ok(connection) = connected {
            tokio::time::advance(SECOND).await;
            assert_eq!(Wire::of(connection).closed().await, Closing::Forbidden);
        }
        world.services.documents.add_owner(&owner, world.bob.user).await.unwrap();
    }
    drop(clock);
}

/// While nothing changes, the database is asked a constant number of times a second, however many
/// connections there are; and not at all without connections.
#[tokio::test(start_paused = true)]
async fn questions_do_not_grow_with_connections() {
    use izanagi_storage::faulty::{Injector, wrap};
    let clock = stop_clock();
    let injector = Injector::quiet();
    let plan = Plan {
        wrap: Box::new({
            let injector = Arc::clone(&injector);
            move |stores| wrap(stores, &injector)
        }),
        ..Plan::default()
    };
    let world = World::with(plan).await;
    let id = world.create("text").await;
    let mut connections: Vec<LiveConnection> = Vec::new();
    for _ in 0..50 {
        connections.push(connect(&world, &world.ada.into(), id).await);
    }
    settle(&injector).await;
    let before = injector.calls().len();
    for _ in 0..10 {
        tokio::time::advance(SECOND).await;
        settle(&injector).await;
    }
    let asked = injector.calls().len() - before;
    assert!((10..=25).contains(&asked), "{asked}");
    drop(connections);
    tokio::time::advance(SECOND).await;
    settle(&injector).await;
    let before = injector.calls().len();
    for _ in 0..10 {
        tokio::time::advance(SECOND).await;
        settle(&injector).await;
    }
    let asked: Vec<_> = injector.calls().split_off(before);
    let asked = asked.iter().filter(|call| !format!("{call:?}").contains("log"));
    assert_eq!(asked.count(), 0);
    drop(clock);
}

/// Waits until no more calls come.
async fn settle(injector: &izanagi_storage::faulty::Injector) {
    let mut quiet = 0;
    let mut calls = injector.calls().len();
    while quiet < 200 {
        within_patience(tokio::task::yield_now()).await;
        let is_quiet = injector.running() == 0 && injector.calls().len() == calls;
        quiet = if is_quiet { quiet + 1 } else { 0 };
        calls = injector.calls().len();
    }
}
