use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Constraint, NewSession, RefreshToken, RefreshUse, Session, StoreError, Stores,
};
use izanagi_shared::id::{SessionId, UserId};

suite!(
    a_session_reads_back_with_its_token,
    a_sign_in_is_recorded,
    a_session_needs_an_account,
    no_session_begins_for_an_inactive_account,
    an_inactive_account_exchanges_nothing,
    active_sessions_are_listed_most_recent_first,
    session_activity_is_recorded,
    addresses_of_ended_sessions_stay_known,
    a_session_is_revoked_once,
    another_users_session_cannot_be_revoked,
    revoking_all_returns_the_active_sessions,
    a_token_is_exchanged_once,
    using_a_successor_is_recorded_on_its_parent,
    an_ended_session_exchanges_nothing,
    an_unknown_token_is_not_found,
    one_of_concurrent_exchanges_is_the_first,
);

fn token(session_id: SessionId, parent_hash: Option<[u8; 32]>) -> RefreshToken {
    RefreshToken {
        hash: fresh_hash(),
        session_id,
        nonce: fresh_hash(),
        parent_hash,
        expires_at: at(500),
        used_at: None,
        successor_used: false,
    }
}

fn new_session(user_id: UserId) -> NewSession {
    let session = Session {
        id: SessionId(fresh_uuid()),
        user_id,
        user_agent: "Browser/1".to_owned(),
        ip: "::1".to_owned(),
        created_at: at(1),
        last_activity_at: at(1),
        revoked_at: None,
    };
    NewSession { token: token(session.id, None), session }
}

async fn a_session(stores: &Stores, user: UserId) -> NewSession {
    let new = new_session(user);
    stores.relational.sessions.create(&new).await.unwrap();
    new
}

async fn a_session_reads_back_with_its_token(store: &TestStore) {
    let new = a_session(store, a_user(store).await).await;
    assert_eq!(store.relational.sessions.get(new.session.id).await.unwrap(), new.session);
    assert_eq!(store.relational.sessions.refresh_token(&new.token.hash).await.unwrap(), new.token);
}

async fn a_session_needs_an_account(store: &TestStore) {
    let new = new_session(UserId(fresh_uuid()));
    let result = store.relational.sessions.create(&new).await;
    assert_eq!(result, Err(StoreError::Conflict(Constraint::Account)));
    assert_eq!(store.relational.sessions.get(new.session.id).await, Err(StoreError::NotFound));
}

async fn a_sign_in_is_recorded(store: &TestStore) {
    let user = a_user(store).await;
    let new = a_session(store, user).await;
    let last_login_at = store.relational.users.by_id(user).await.unwrap().last_login_at;
    assert_eq!(last_login_at, Some(new.session.created_at));
}

async fn no_session_begins_for_an_inactive_account(store: &TestStore) {
    for user in inactive_users(store).await {
        let new = new_session(user);
        let result = store.relational.sessions.create(&new).await;
        assert_eq!(result, Err(StoreError::Conflict(Constraint::Account)));
        assert_eq!(store.relational.sessions.get(new.session.id).await, Err(StoreError::NotFound));
        let token = store.relational.sessions.refresh_token(&new.token.hash).await;
        assert_eq!(token, Err(StoreError::NotFound));
    }
}

async fn an_inactive_account_exchanges_nothing(store: &TestStore) {
    for deletes in [true, false] {
        let user = a_user(store).await;
        let new = a_session(store, user).await;
        deactivate(store, user, deletes).await;
        let successor = token(new.session.id, Some(new.token.hash));
        let result =
            store.relational.sessions.use_refresh_token(&new.token.hash, &successor, at(20)).await;
        assert_eq!(result, Ok(RefreshUse::SessionEnded), "deleted: {deletes}");
    }
}

async fn active_sessions_are_listed_most_recent_first(store: &TestStore) {
    let user = a_user(store).await;
    let [old, seen, ended] =
        [a_session(store, user).await, a_session(store, user).await, a_session(store, user).await];
    a_session(store, a_user(store).await).await;
    store.relational.sessions.touch(user, seen.session.id, "::1", at(50)).await.unwrap();
    store.relational.sessions.revoke(user, ended.session.id, at(60), None).await.unwrap();
    let listed = store.relational.sessions.list(user).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|session| session.id).collect();
    assert_eq!(ids, [seen.session.id, old.session.id]);
}

async fn session_activity_is_recorded(store: &TestStore) {
    let sessions = &store.relational.sessions;
    let new = a_session(store, a_user(store).await).await;
    let Session { id, user_id: user, .. } = new.session;
    sessions.touch(user, id, "10.0.0.7", at(70)).await.unwrap();
    let session = sessions.get(id).await.unwrap();
    assert_eq!((session.ip.as_str(), session.last_activity_at), ("10.0.0.7", at(70)));
    let other = a_user(store).await;
    for (user, id) in [(user, SessionId(fresh_uuid())), (other, id)] {
        assert_eq!(sessions.touch(user, id, "x", at(80)).await, Err(StoreError::NotFound));
    }
    assert_eq!(sessions.get(id).await.unwrap(), session);
}

async fn addresses_of_ended_sessions_stay_known(store: &TestStore) {
    let sessions = &store.relational.sessions;
    let user = a_user(store).await;
    let [old, new] = [a_session(store, user).await, a_session(store, user).await];
    a_session(store, a_user(store).await).await;
    sessions.touch(user, old.session.id, "10.0.0.7", at(50)).await.unwrap();
    sessions.touch(user, new.session.id, "10.0.0.8", at(60)).await.unwrap();
    sessions.revoke(user, new.session.id, at(70), None).await.unwrap();
    assert_eq!(sessions.addresses(user, 5).await.unwrap(), ["10.0.0.8", "::1", "10.0.0.7", "::1"]);
    assert_eq!(sessions.addresses(user, 1).await.unwrap(), ["10.0.0.8", "::1"]);
}

async fn a_session_is_revoked_once(store: &TestStore) {
    let user = a_user(store).await;
    let id = a_session(store, user).await.session.id;
    store.relational.sessions.revoke(user, id, at(5), None).await.unwrap();
    assert_eq!(
        store.relational.sessions.revoke(user, id, at(6), None).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(store.relational.sessions.get(id).await.unwrap().revoked_at, Some(at(5)));
    assert_eq!(store.relational.users.changed_since(0, 9).await, Ok(vec![(1, user)]));
}

async fn another_users_session_cannot_be_revoked(store: &TestStore) {
    let (user, stranger) = (a_user(store).await, a_user(store).await);
    let id = a_session(store, user).await.session.id;
    assert_eq!(
        store.relational.sessions.revoke(stranger, id, at(5), None).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(store.relational.sessions.get(id).await.unwrap().revoked_at, None);
}

async fn revoking_all_returns_the_active_sessions(store: &TestStore) {
    let user = a_user(store).await;
    let ended = a_session(store, user).await.session.id;
    store.relational.sessions.revoke(user, ended, at(5), None).await.unwrap();
    let mut lasting =
        [a_session(store, user).await.session.id, a_session(store, user).await.session.id];
    let elsewhere = a_session(store, a_user(store).await).await.session.id;
    let mut revoked = store.relational.sessions.revoke_all(user, at(6)).await.unwrap();
    revoked.sort_unstable();
    lasting.sort_unstable();
    assert_eq!(revoked, lasting);
    assert!(store.relational.sessions.revoke_all(user, at(7)).await.unwrap().is_empty());
    assert_eq!(store.relational.users.changed_since(0, 9).await, Ok(vec![(2, user)]));
    assert_eq!(store.relational.sessions.get(elsewhere).await.unwrap().revoked_at, None);
}

async fn a_token_is_exchanged_once(store: &TestStore) {
    let new = a_session(store, a_user(store).await).await;
    let successor = token(new.session.id, Some(new.token.hash));
    let exchange =
        || store.relational.sessions.use_refresh_token(&new.token.hash, &successor, at(9));
    assert_eq!(exchange().await, Ok(RefreshUse::First));
    // As after a lost reply: the answer differs, but the successor is stored.
    assert_eq!(exchange().await, Ok(RefreshUse::Repeated));
    assert_eq!(store.relational.sessions.refresh_token(&successor.hash).await.unwrap(), successor);
    let used = store.relational.sessions.refresh_token(&new.token.hash).await.unwrap();
    assert_eq!((used.used_at, used.successor_used), (Some(at(9)), false));
}

async fn using_a_successor_is_recorded_on_its_parent(store: &TestStore) {
    let new = a_session(store, a_user(store).await).await;
    let second = token(new.session.id, Some(new.token.hash));
    let third = token(new.session.id, Some(second.hash));
    store.relational.sessions.use_refresh_token(&new.token.hash, &second, at(9)).await.unwrap();
    store.relational.sessions.use_refresh_token(&second.hash, &third, at(10)).await.unwrap();
    let used = |hash| store.relational.sessions.refresh_token(hash);
    assert!(used(&new.token.hash).await.unwrap().successor_used);
    assert!(!used(&second.hash).await.unwrap().successor_used);
}

async fn an_ended_session_exchanges_nothing(store: &TestStore) {
    let user = a_user(store).await;
    let new = a_session(store, user).await;
    store.relational.sessions.revoke(user, new.session.id, at(5), None).await.unwrap();
    let successor = token(new.session.id, Some(new.token.hash));
    let result =
        store.relational.sessions.use_refresh_token(&new.token.hash, &successor, at(9)).await;
    assert_eq!(result, Ok(RefreshUse::SessionEnded));
    let absent = store.relational.sessions.refresh_token(&successor.hash).await;
    assert_eq!(absent, Err(StoreError::NotFound));
}

async fn an_unknown_token_is_not_found(store: &TestStore) {
    let new = a_session(store, a_user(store).await).await;
    let successor = token(new.session.id, None);
    let result =
        store.relational.sessions.use_refresh_token(&fresh_hash(), &successor, at(9)).await;
    assert_eq!(result, Err(StoreError::NotFound));
}

async fn one_of_concurrent_exchanges_is_the_first(store: &TestStore) {
    let new = a_session(store, a_user(store).await).await;
    let exchanges = [(); 2].map(|()| {
        let (stores, used) = (store.stores(), new.token.hash);
        let successor = token(new.session.id, Some(used));
        tokio::spawn(async move {
            stores.relational.sessions.use_refresh_token(&used, &successor, at(9)).await
        })
    });
    let mut results = Vec::new();
    for exchange in exchanges {
        results.push(exchange.await.unwrap().unwrap());
    }
    results.sort_by_key(|result| *result == RefreshUse::Repeated);
    assert_eq!(results, [RefreshUse::First, RefreshUse::Repeated]);
}
