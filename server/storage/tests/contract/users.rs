use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::{
    accounts::Role,
    storage::{Constraint, StoreError, User, UserChange},
};
use izanagi_shared::id::UserId;

suite!(
    an_account_is_found_by_id_username_and_email,
    usernames_are_unique,
    emails_are_unique,
    a_repeated_creation_conflicts_and_changes_nothing,
    an_unknown_account_is_not_found,
    a_change_keeps_other_fields,
    an_account_is_deactivated_and_reactivated,
    an_empty_change_returns_the_account,
    people_returns_existing_accounts,
    each_change_of_rights_gives_an_account_a_new_number,
    a_deleted_account_is_gone_and_frees_its_name,
    concurrent_creations_share_no_username,
);

fn facts(user: &User) -> impl PartialEq + std::fmt::Debug {
    let user = user.clone();
    (
        (user.id, user.username, user.email, user.display_name, user.bio, user.role),
        (user.password_hash.for_storage().to_owned(), user.created_at, user.last_login_at),
        user.deactivated_at,
    )
}

async fn an_account_is_found_by_id_username_and_email(store: &TestStore) {
    let user = User {
        bio: "Ä, \u{1F980} and 'quotes'".to_owned(),
        role: Role::Admin,
        last_login_at: Some(at(-5)),
        deactivated_at: Some(at(i64::MAX)),
        ..new_user()
    };
    store.relational.users.create(&user).await.unwrap();
    for found in [
        store.relational.users.by_id(user.id).await,
        store.relational.users.by_login(&user.username).await,
        store.relational.users.by_login(&user.email).await,
    ] {
        assert_eq!(facts(&found.unwrap()), facts(&user));
    }
}

async fn each_change_of_rights_gives_an_account_a_new_number(store: &TestStore) {
    let users = &store.relational.users;
    let (ada, bob) = (new_user(), new_user());
    users.create(&ada).await.unwrap();
    users.create(&bob).await.unwrap();
    assert_eq!(users.newest_change().await, Ok(0));
    let role = UserChange { role: Some(Role::Admin), ..UserChange::default() };
    let deactivated_at = Some(Some(at(1)));
    let deactivation = UserChange { deactivated_at, ..UserChange::default() };
    let name = UserChange { display_name: Some("Ada".to_owned()), ..UserChange::default() };
    users.update(ada.id, &role, None).await.unwrap();
    users.update(bob.id, &deactivation, None).await.unwrap();
    assert_eq!(users.changed_since(0, 9).await, Ok(vec![(1, ada.id), (2, bob.id)]));
    // Neither a name nor what is so already.
    users.update(ada.id, &name, None).await.unwrap();
    users.update(ada.id, &role, None).await.unwrap();
    assert_eq!(users.newest_change().await, Ok(2));
    users.delete(ada.id, &event(9)).await.unwrap();
    assert_eq!(users.changed_since(0, 9).await, Ok(vec![(2, bob.id), (3, ada.id)]));
    assert_eq!(users.changed_since(0, 1).await, Ok(vec![(2, bob.id)]));
    assert_eq!(users.changed_since(3, 9).await, Ok(vec![]));
    assert_eq!(users.newest_change().await, Ok(3));
}

async fn a_deleted_account_is_gone_and_frees_its_name(store: &TestStore) {
    let user = User { bio: "secret".to_owned(), ..new_user() };
    store.relational.users.create(&user).await.unwrap();
    store.relational.users.delete(user.id, &event(9)).await.unwrap();
    store.relational.users.delete(user.id, &event(10)).await.unwrap();
    for found in [
        store.relational.users.by_id(user.id).await,
        store.relational.users.by_login(&user.username).await,
        store.relational.users.by_login(&user.email).await,
        store
            .relational
            .users
            .update(user.id, &UserChange { role: Some(Role::Admin), ..Default::default() }, None)
            .await,
    ] {
        assert_eq!(found.err(), Some(StoreError::NotFound));
    }
    let seen = store.relational.users.people(&[user.id]).await.unwrap();
    assert_eq!(seen[0].display_name, "Deleted account");
    assert!(!seen[0].username.contains(&user.username));
    let heir = User { username: user.username, email: user.email, ..new_user() };
    store.relational.users.create(&heir).await.unwrap();
}

async fn usernames_are_unique(store: &TestStore) {
    let first = new_user();
    store.relational.users.create(&first).await.unwrap();
    let second = User { username: first.username.clone(), ..new_user() };
    let result = store.relational.users.create(&second).await;
    assert_eq!(result, Err(StoreError::Conflict(Constraint::Username)));
    assert_eq!(store.relational.users.by_id(second.id).await.err(), Some(StoreError::NotFound));
}

async fn emails_are_unique(store: &TestStore) {
    let first = new_user();
    store.relational.users.create(&first).await.unwrap();
    let second = User { email: first.email.clone(), ..new_user() };
    let result = store.relational.users.create(&second).await;
    assert_eq!(result, Err(StoreError::Conflict(Constraint::Email)));
}

async fn a_repeated_creation_conflicts_and_changes_nothing(store: &TestStore) {
    let user = new_user();
    store.relational.users.create(&user).await.unwrap();
    let again = User { bio: "other".to_owned(), ..user.clone() };
    assert!(matches!(store.relational.users.create(&again).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.relational.users.by_id(user.id).await.unwrap().bio, "");
}

async fn an_unknown_account_is_not_found(store: &TestStore) {
    let unknown = UserId(fresh_uuid());
    assert_eq!(store.relational.users.by_id(unknown).await.err(), Some(StoreError::NotFound));
    assert_eq!(store.relational.users.by_login("nobody").await.err(), Some(StoreError::NotFound));
    let change = UserChange { bio: Some("x".to_owned()), ..UserChange::default() };
    assert_eq!(
        store.relational.users.update(unknown, &change, None).await.err(),
        Some(StoreError::NotFound)
    );
    let nothing = UserChange::default();
    assert_eq!(
        store.relational.users.update(unknown, &nothing, None).await.err(),
        Some(StoreError::NotFound)
    );
}

async fn a_change_keeps_other_fields(store: &TestStore) {
    let user = new_user();
    store.relational.users.create(&user).await.unwrap();
    let change = UserChange {
        display_name: Some("Ann".to_owned()),
        role: Some(Role::Premium),
        ..UserChange::default()
    };
    let expected = User { display_name: "Ann".to_owned(), role: Role::Premium, ..user.clone() };
    let changed = store.relational.users.update(user.id, &change, None).await.unwrap();
    assert_eq!(facts(&changed), facts(&expected));
    assert_eq!(facts(&store.relational.users.by_id(user.id).await.unwrap()), facts(&expected));
}

async fn an_account_is_deactivated_and_reactivated(store: &TestStore) {
    let user = a_user(store).await;
    for deactivated_at in [Some(at(5)), None] {
        let change = UserChange { deactivated_at: Some(deactivated_at), ..UserChange::default() };
        store.relational.users.update(user, &change, None).await.unwrap();
        assert_eq!(
            store.relational.users.by_id(user).await.unwrap().deactivated_at,
            deactivated_at
        );
    }
}

async fn an_empty_change_returns_the_account(store: &TestStore) {
    let user = new_user();
    store.relational.users.create(&user).await.unwrap();
    let same = store.relational.users.update(user.id, &UserChange::default(), None).await.unwrap();
    assert_eq!(facts(&same), facts(&user));
}

async fn people_returns_existing_accounts(store: &TestStore) {
    let user = new_user();
    store.relational.users.create(&user).await.unwrap();
    let unknown = UserId(fresh_uuid());
    let people = store.relational.users.people(&[unknown, user.id, user.id]).await.unwrap();
    assert_eq!(people.len(), 1);
    assert_eq!((people[0].id, &people[0].username), (user.id, &user.username));
    assert!(store.relational.users.people(&[]).await.unwrap().is_empty());
}

async fn concurrent_creations_share_no_username(store: &TestStore) {
    let contenders = [(); 2].map(|()| User { username: "wanted".to_owned(), ..new_user() });
    let [one, other] = contenders.map(|user| {
        let stores = store.stores();
        tokio::spawn(async move { stores.relational.users.create(&user).await })
    });
    let results = [one.await.unwrap(), other.await.unwrap()];
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.contains(&Err(StoreError::Conflict(Constraint::Username))));
}
