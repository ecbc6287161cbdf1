use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Batch, NewRecord, NewSession, RefreshToken, RefreshUse, Session, StoreError,
};
use izanagi_shared::id::{SessionId, UserId};

suite!(
    expired_sessions_are_removed,
    an_active_session_loses_only_expired_tokens,
    the_probe_can_be_repeated,
    documents_with_old_updates_are_listed,
    changes_of_records_are_forgotten_after_a_week,
);

async fn a_session(store: &TestStore, user_id: UserId, seen: i64, expires: i64) -> NewSession {
    let session = Session {
        id: SessionId(fresh_uuid()),
        user_id,
        user_agent: "Browser/1".to_owned(),
        ip: "::1".to_owned(),
        created_at: at(1),
        last_activity_at: at(seen),
        revoked_at: None,
    };
    let token = token(session.id, None, expires);
    let new = NewSession { session, token };
    store.relational.sessions.create(&new).await.unwrap();
    new
}

fn token(session_id: SessionId, parent_hash: Option<[u8; 32]>, expires: i64) -> RefreshToken {
    let (hash, nonce, expires_at) = (fresh_hash(), fresh_hash(), at(expires));
    let (used_at, successor_used) = (None, false);
    RefreshToken { hash, session_id, nonce, parent_hash, expires_at, used_at, successor_used }
}

async fn expired_sessions_are_removed(store: &TestStore) {
    let user = a_user(store).await;
    let lasting = a_session(store, user, 200, 900).await;
    let revoked = a_session(store, user, 50, 900).await;
    store.relational.sessions.revoke(user, revoked.session.id, at(60), None).await.unwrap();
    let revoked_lately = a_session(store, user, 50, 900).await;
    store.relational.sessions.revoke(user, revoked_lately.session.id, at(150), None).await.unwrap();
    let left = a_session(store, user, 50, 90).await;
    let seen_lately = a_session(store, user, 150, 90).await;
    let asleep = a_session(store, user, 50, 900).await;
    // More than one deletion batch.
    for _ in 0..1_100 {
        a_session(store, user, 2, 3).await;
    }
    for _ in 0..2 {
        store.relational.upkeep.forget_sessions(at(100)).await.unwrap();
    }
    for gone in [&revoked, &left] {
        assert_eq!(store.relational.sessions.get(gone.session.id).await, Err(StoreError::NotFound));
        let token = store.relational.sessions.refresh_token(&gone.token.hash).await;
        assert_eq!(token, Err(StoreError::NotFound));
    }
    for kept in [&lasting, &revoked_lately, &seen_lately, &asleep] {
        assert!(store.relational.sessions.get(kept.session.id).await.is_ok());
    }
    assert_eq!(store.relational.sessions.list(user).await.unwrap().len(), 3);
    assert!(store.relational.sessions.refresh_token(&asleep.token.hash).await.is_ok());
}

async fn an_active_session_loses_only_expired_tokens(store: &TestStore) {
    let user = a_user(store).await;
    let session = a_session(store, user, 50, 90).await;
    let next = token(session.session.id, Some(session.token.hash), 900);
    let used =
        store.relational.sessions.use_refresh_token(&session.token.hash, &next, at(60)).await;
    assert_eq!(used, Ok(RefreshUse::First));
    store.relational.upkeep.forget_sessions(at(100)).await.unwrap();
    let first = store.relational.sessions.refresh_token(&session.token.hash).await;
    assert_eq!(first, Err(StoreError::NotFound));
    assert_eq!(store.relational.sessions.refresh_token(&next.hash).await, Ok(next.clone()));
    let after = token(session.session.id, Some(next.hash), 950);
    let used = store.relational.sessions.use_refresh_token(&next.hash, &after, at(120)).await;
    assert_eq!(used, Ok(RefreshUse::First));
}

async fn the_probe_can_be_repeated(store: &TestStore) {
    for time in [1, 2, 2, 1] {
        store.relational.upkeep.probe(at(time)).await.unwrap();
    }
}

async fn documents_with_old_updates_are_listed(store: &TestStore) {
    let user = a_user(store).await;
    let (old, new) = (a_document(store, user).await, a_document(store, user).await);
    for (document, time) in [(old, at(10)), (old, at(90)), (new, at(80))] {
        let updates = vec![update(user, &time.as_micros().to_string())];
        let batch = Batch { at: time, ..batch(document, updates) };
        store.relational.log.append(&[batch]).await.unwrap();
    }
    let upkeep = &store.relational.upkeep;
    let listed = async |before, limit| {
        let documents = upkeep.with_old_updates(before, None, limit).await.unwrap();
        documents.into_iter().filter(|id| [old, new].contains(id)).collect::<Vec<_>>()
    };
    assert_eq!(listed(at(10), 100).await, []);
    assert_eq!(listed(at(80), 100).await, [old]);
    assert_eq!(listed(at(81), 100).await.len(), 2);
    assert_eq!(upkeep.with_old_updates(at(81), None, 1).await.unwrap().len(), 1);
    let (first, last) = (old.min(new), old.max(new));
    assert_eq!(upkeep.with_old_updates(at(81), Some(first), 1).await.unwrap(), [last]);
    assert!(!upkeep.with_old_updates(at(81), Some(last), 100).await.unwrap().contains(&last));
}

async fn changes_of_records_are_forgotten_after_a_week(store: &TestStore) {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    let mut early = store.documents.watch(None, None).await.unwrap();
    let token = early.token();
    let path = crate::records::path();
    let record = NewRecord { path: path.clone(), data: data("words") };
    store.documents.create(&record, at(5)).await.unwrap();
    let late = store.documents.watch(None, None).await.unwrap().token();
    store.documents.forget(at(DAY)).await.unwrap();
    store.documents.forget(at(7 * DAY)).await.unwrap();
    store.documents.watch(None, Some(&token)).await.unwrap();
    store.documents.forget(at(9 * DAY)).await.unwrap();
    let error = store.documents.watch(None, Some(&token)).await.err();
    assert!(matches!(error, Some(StoreError::StartOver(_))), "{error:?}");
    assert!(matches!(early.next().await, Err(StoreError::StartOver(_))));
    // What came after is complete.
    store.documents.update(&path, 1, &data("new"), at(9 * DAY)).await.unwrap();
    let mut watch = store.documents.watch(None, Some(&late)).await.unwrap();
    assert_eq!(watch.next().await.unwrap().version, 2);
}
