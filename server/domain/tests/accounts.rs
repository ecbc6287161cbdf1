//! Session lifetimes, with a clock controlled by the test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{
    accounts::Role,
    storage::{StoreError, StoreResult, Stores},
};
use izanagi_domain::{
    accounts::{ACCESS_LIFETIME, Device, LEEWAY, REFRESH_LIFETIME, SignedIn},
    error::Error,
};
use izanagi_shared::{
    rules::Secret,
    wire::{LoginRequest, SignupRequest},
};
use izanagi_storage::faulty::{Class, Fault, Hook, Injector, wrap};
use rstest::rstest;
use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use support::{KEY, Plan, World};

async fn sign_up(world: &World) -> SignedIn {
    let request = SignupRequest {
        email: "eve@example.org".to_owned(),
        password: Secret::new("correct horse battery"),
        username: None,
        display_name: None,
    };
    let (accounts, device) = (&world.services.accounts, Device::default());
    let turn = accounts.take_sign_up_turn(&device).await.unwrap();
    accounts.sign_up(turn, &request, &device).await.unwrap()
}

#[tokio::test]
async fn access_tokens_expire_after_half_an_hour() {
    let world = World::new().await;
    let signed_in = sign_up(&world).await;
    let accounts = &world.services.accounts;
    let token = signed_in.access.expose();
    assert_eq!(accounts.authenticate(token, "").await.unwrap().user, signed_in.user.id);
    world.clock.advance(ACCESS_LIFETIME + LEEWAY);
    assert!(matches!(accounts.authenticate(token, "").await, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn refresh_may_be_retried_within_the_grace() {
    let world = World::new().await;
    let signed_in = sign_up(&world).await;
    let accounts = &world.services.accounts;
    let device = Device::default();
    let first = accounts.refresh(&signed_in.refresh, &device).await.unwrap();
    world.clock.advance(Duration::from_secs(29));
    let repeated = accounts.refresh(&signed_in.refresh, &device).await.unwrap();
    assert_eq!(first.refresh.expose(), repeated.refresh.expose());
    world.clock.advance(Duration::from_secs(2));
    let replayed = accounts.refresh(&signed_in.refresh, &device).await;
    assert!(matches!(replayed, Err(Error::SessionRevoked)), "{replayed:?}");
    let after = accounts.refresh(&first.refresh, &device).await;
    assert!(matches!(after, Err(Error::SessionRevoked)), "{after:?}");
}

#[tokio::test]
async fn concurrent_refreshes_stay_signed_in() {
    let world = World::new().await;
    let signed_in = sign_up(&world).await;
    let device = Device::default();
    let refresh = || world.services.accounts.refresh(&signed_in.refresh, &device);
    let tabs = futures::future::join_all([refresh(), refresh(), refresh(), refresh()]).await;
    let first = tabs[0].as_ref().unwrap().refresh.expose().to_owned();
    assert!(tabs.iter().all(|tab| tab.as_ref().unwrap().refresh.expose() == first));
}

#[tokio::test]
async fn refresh_tokens_expire_when_unused() {
    let world = World::new().await;
    let signed_in = sign_up(&world).await;
    world.clock.advance(REFRESH_LIFETIME);
    let late = world.services.accounts.refresh(&signed_in.refresh, &Device::default()).await;
    assert!(matches!(late, Err(Error::SessionRevoked)), "{late:?}");
}

#[tokio::test]
async fn revocation_elsewhere_applies_in_a_second() {
    let world = World::new().await;
    let signed_in = sign_up(&world).await;
    let accounts = &world.services.accounts;
    let token = signed_in.access.expose();
    accounts.authenticate(token, "").await.unwrap();
    // The other process shares the store with this one, but no memory.
    let elsewhere = World::over(&world).await;
    elsewhere.services.accounts.sign_out_everywhere(signed_in.user.id).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    assert!(matches!(accounts.authenticate(token, "").await, Err(Error::Unauthenticated)));
}

/// Subjects are ids of accounts and sessions; every action here happens once.
async fn audited(world: &World) -> Vec<String> {
    let newest = world.stores.relational.audit.newest(100).await.unwrap();
    newest.into_iter().map(|(action, ..)| action).collect()
}

/// Does everything that is audited, as far as the fault allows, and what the caller does after an
/// error: try again.
async fn audited_actions(world: &World) {
    let accounts = &world.services.accounts;
    for _ in 0..2 {
        let _ = accounts.set_role("ada", Role::Admin).await;
        let _ = accounts.set_active("ada", false).await;
        let _ = accounts.delete_me(&world.bob).await;
    }
}

/// Whatever fails or is repeated: a change and its audit event exist both or neither, and once.
#[rstest]
#[tokio::test]
async fn each_change_has_one_audit_event(
    #[values(
        Fault::ErrorBefore,
        Fault::LostReply,
        Fault::LateEffect,
        Fault::Repeat,
        Fault::KillBefore,
        Fault::KillAfter
    )]
    fault: Fault,
) {
    let run = async |injector: &Arc<Injector>| {
        let faulty = Arc::clone(injector);
        let wrap = move |stores: Stores| wrap(stores, &faulty);
        let world = World::with(Plan { wrap: Box::new(wrap), ..Plan::default() }).await;
        audited_actions(&world).await;
        injector.revive();
        injector.release().await;
        let users = &world.stores.relational.users;
        let ada = users.by_id(world.ada.user).await.unwrap();
        let happened = [
            ("user_role_changed", ada.role == Role::Admin),
            ("user_deactivated", ada.deactivated_at.is_some()),
            ("user_deleted", users.by_id(world.bob.user).await.is_err()),
        ];
        let audited = audited(&world).await;
        for (action, happened) in happened {
            let events = audited.iter().filter(|found| *found == action).count();
            assert_eq!(events, usize::from(happened), "{action}: {audited:?}");
        }
    };
    let quiet = Injector::quiet();
    run(&quiet).await;
    for call in quiet.calls().iter().filter(|call| fault.fits(call.class)) {
        println!("{fault:?} at {call:?}");
        run(&Injector::nth(call.index, fault)).await;
    }
    assert!(quiet.calls().iter().any(|call| call.class == Class::Write));
}

const PASSWORD: &str = "correct horse battery";

fn at(ip: &str) -> Device {
    Device { ip: ip.to_owned(), user_agent: String::new() }
}

/// Tries to sign in and returns the status of the response.
async fn try_login(world: &World, login: &str, password: &str, ip: &str) -> u16 {
    let request = LoginRequest { login: Some(login.to_owned()), password: Secret::new(password) };
    match world.services.accounts.sign_in(&request, &at(ip)).await {
        Ok(_) => 200,
        Err(error) => error.problem().status,
    }
}

#[tokio::test]
async fn strangers_cannot_lock_out_a_user_where_the_user_is_known() {
    let world = World::new().await;
    sign_up(&world).await;
    let eve = |ip| try_login(&world, "eve", PASSWORD, ip);
    for home in ["192.0.2.1", "2001:db8::1"] {
        assert_eq!(eve(home).await, 200);
    }
    // These two were unknown until then, which leaves 28 of the 30.
    for n in 0..28 {
        let stranger = format!("198.51.100.{n}");
        assert_eq!(try_login(&world, "eve", "wrong password", &stranger).await, 401, "{n}");
    }
    assert_eq!(try_login(&world, "eve", "wrong password", "198.51.100.30").await, 429);
    assert_eq!(eve("203.0.113.1").await, 429, "unknown too");
    // Also after a restart, from another address of the same /64, and by the other name.
    let world = World::over(&world).await;
    for n in 0..31 {
        try_login(&world, "eve@example.org", "wrong password", &format!("198.51.100.{n}")).await;
    }
    let eve = |ip| try_login(&world, "eve", PASSWORD, ip);
    assert_eq!(eve("203.0.113.1").await, 429);
    assert_eq!(eve("192.0.2.1").await, 200);
    assert_eq!(eve("2001:db8::2").await, 200);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(eve("203.0.113.1").await, 200);
}

#[tokio::test]
async fn attempts_by_name_and_by_email_count_together() {
    let world = World::new().await;
    sign_up(&world).await;
    let wrong = |login: &'static str| try_login(&world, login, "wrong password", "192.0.2.1");
    for _ in 0..5 {
        assert_eq!(wrong("eve").await, 401);
        assert_eq!(wrong("EVE@example.org").await, 401);
    }
    for login in ["eve", " Eve ", "eve@example.org"] {
        assert_eq!(wrong(login).await, 429, "{login}");
    }
    assert_eq!(wrong("nobody").await, 401);
}

#[tokio::test]
async fn unknown_names_are_limited_like_known_ones() {
    let world = World::new().await;
    for n in 0..30 {
        let ip = format!("198.51.100.{n}");
        assert_eq!(try_login(&world, "nobody", "wrong password", &ip).await, 401);
    }
    assert_eq!(try_login(&world, "Nobody", "wrong password", "198.51.100.30").await, 429);
    for n in 0..60 {
        let name = format!("nobody-{n}");
        assert_eq!(try_login(&world, &name, "wrong password", "192.0.2.1").await, 401);
    }
    assert_eq!(try_login(&world, "ada", "wrong password", "192.0.2.1").await, 429);
}

/// Returns the token with the session of another one, signed by the server's key.
fn with_session_of(token: &str, other: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let claims = |token: &str| -> serde_json::Value {
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    };
    let mut mixed = claims(token);
    mixed["sid"] = claims(other)["sid"].clone();
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(KEY.for_storage().as_bytes()).unwrap();
    jsonwebtoken::encode(&jsonwebtoken::decode_header(token).unwrap(), &mixed, &key).unwrap()
}

#[rstest]
#[case::first_seen(false)]
#[case::seen_before(true)]
#[tokio::test]
async fn a_token_with_the_session_of_another_user_is_refused(#[case] seen: bool) {
    let world = World::new().await;
    let eve = sign_up(&world).await;
    let accounts = &world.services.accounts;
    let request = SignupRequest {
        email: "mallory@example.org".to_owned(),
        password: Secret::new(PASSWORD),
        username: None,
        display_name: None,
    };
    let turn = accounts.take_sign_up_turn(&at("::1")).await.unwrap();
    let mallory = accounts.sign_up(turn, &request, &at("::1")).await.unwrap();
    let mixed = with_session_of(eve.access.expose(), mallory.access.expose());
    if seen {
        accounts.authenticate(mallory.access.expose(), "").await.unwrap();
    }
    let refused = accounts.authenticate(&mixed, "").await;
    assert!(matches!(refused, Err(Error::Unauthenticated)), "{refused:?}");
    accounts.authenticate(mallory.access.expose(), "").await.unwrap();
    accounts.authenticate(eve.access.expose(), "").await.unwrap();
}

/// A disk that may be full: it answers reads, but refuses the probe.
#[derive(Default)]
struct Disk {
    is_full: AtomicBool,
    probes: AtomicUsize,
}

#[async_trait::async_trait]
impl Hook for Disk {
    async fn before(&self, method: &'static str, _: &(dyn Debug + Sync)) -> StoreResult<()> {
        if method != "probe" {
            return Ok(());
        }
        self.probes.fetch_add(1, Ordering::SeqCst);
        match self.is_full.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("database or disk is full".to_owned())),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_store_that_refuses_writes_is_not_ready() {
    let disk = Arc::new(Disk::default());
    let injector = Injector::hooked(disk.clone());
    let wrap = move |stores: Stores| wrap(stores, &injector);
    let world = World::with(Plan { wrap: Box::new(wrap), ..Plan::default() }).await;
    let readiness = &world.services.readiness;
    for (is_full, probes) in [(false, 1), (true, 2), (false, 3)] {
        disk.is_full.store(is_full, Ordering::SeqCst);
        for _ in 0..10 {
            assert_eq!(readiness.check().await.is_err(), is_full);
        }
        assert_eq!(disk.probes.load(Ordering::SeqCst), probes, "answers are reused");
        world.clock.advance(Duration::from_secs(3));
    }
}
