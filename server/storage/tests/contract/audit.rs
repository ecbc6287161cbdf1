use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::{
    accounts::Role,
    storage::{AuditEvent, NewSession, RefreshToken, Session, StoreError, UserChange},
};
use izanagi_shared::id::{SessionId, UserId};

suite!(
    the_newest_events_come_first,
    a_change_and_its_event_are_one_transaction,
    an_unchanged_account_leaves_no_event,
    a_deletion_is_recorded_once,
    the_end_of_a_session_is_recorded_once,
    old_events_are_removed,
);

/// Changes an account, which records an event at this time.
async fn change(store: &TestStore, user: UserId, event: &AuditEvent) {
    let bio = Some(format!("bio {}", event.at));
    let change = UserChange { bio, ..UserChange::default() };
    store.relational.users.update(user, &change, Some(event)).await.unwrap();
}

async fn the_newest_events_come_first(store: &TestStore) {
    let user = a_user(store).await;
    for micros in [1, 3, 2] {
        let event = AuditEvent { actor: Some(user.into()), ..event(micros) };
        change(store, user, &event).await;
    }
    let newest = store.relational.audit.newest(2).await.unwrap();
    let expected = [3, 2].map(|n| ("user_changed".to_owned(), format!("subject {n}"), at(n)));
    assert_eq!(newest, expected);
}

async fn a_change_and_its_event_are_one_transaction(store: &TestStore) {
    let user = a_user(store).await;
    let promote = UserChange { role: Some(Role::Admin), ..UserChange::default() };
    let unknown = UserId(fresh_uuid());
    let refused = store.relational.users.update(unknown, &promote, Some(&event(1))).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    assert!(audited(store).await.is_empty(), "nothing happened");
    store.relational.users.update(user, &promote, Some(&event(2))).await.unwrap();
    assert_eq!(audited(store).await, ["subject 2"]);
}

async fn an_unchanged_account_leaves_no_event(store: &TestStore) {
    let user = a_user(store).await;
    for time in [1, 2] {
        let deactivated_at = Some(Some(at(time)));
        let change = UserChange { deactivated_at, ..UserChange::default() };
        let changed = store.relational.users.update(user, &change, Some(&event(time))).await;
        assert_eq!(changed.unwrap().deactivated_at, Some(at(1)));
    }
    assert_eq!(audited(store).await, ["subject 1"]);
}

async fn a_deletion_is_recorded_once(store: &TestStore) {
    let user = a_user(store).await;
    store.relational.users.delete(UserId(fresh_uuid()), &event(1)).await.unwrap();
    for time in [2, 3] {
        store.relational.users.delete(user, &event(time)).await.unwrap();
    }
    assert_eq!(audited(store).await, ["subject 2"]);
}

async fn the_end_of_a_session_is_recorded_once(store: &TestStore) {
    let user_id = a_user(store).await;
    let session = Session {
        id: SessionId(fresh_uuid()),
        user_id,
        user_agent: String::new(),
        ip: String::new(),
        created_at: at(1),
        last_activity_at: at(1),
        revoked_at: None,
    };
    let token = RefreshToken {
        hash: fresh_hash(),
        session_id: session.id,
        nonce: fresh_hash(),
        parent_hash: None,
        expires_at: at(900),
        used_at: None,
        successor_used: false,
    };
    let id = session.id;
    store.relational.sessions.create(&NewSession { session, token }).await.unwrap();
    for (time, expected) in [(2, Ok(())), (3, Err(StoreError::NotFound))] {
        let audit = event(time);
        let ended = store.relational.sessions.revoke(user_id, id, at(time), Some(&audit)).await;
        assert_eq!(ended, expected);
    }
    assert_eq!(audited(store).await, ["subject 2"]);
}

async fn old_events_are_removed(store: &TestStore) {
    let user = a_user(store).await;
    for micros in [10, 20, 30] {
        change(store, user, &event(micros)).await;
    }
    store.relational.upkeep.forget_audit(at(20)).await.unwrap();
    assert_eq!(audited(store).await, ["subject 30", "subject 20"]);
}
