//! Session lifetimes, with a clock controlled by the test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use izanagi_domain::{accounts::Role, storage::Stores};
use izanagi_domain::{
    accounts::{ACCESS_LIFETIME, Device, LEEWAY, REFRESH_LIFETIME, SignedIn},
    error::Error,
};
use izanagi_shared::{rules::Secret, wire::SignupRequest};
use izanagi_storage::faulty::{Class, Fault, Injector, wrap};
use rstest::rstest;
use std::{sync::Arc, time::Duration};
use support::{Plan, World};

async fn sign_up(world: &World) -> SignedIn {
    let request = SignupRequest {
        email: "eve@example.org".to_owned(),
        password: Secret::new("correct horse battery"),
        username: None,
        display_name: None,
    };
    let (accounts, device) = (&world.services.accounts, Device::default());
    let turn = accounts.take_sign_up_turn(&device).unwrap();
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
