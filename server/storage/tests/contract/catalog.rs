use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::principal::Viewer;
use izanagi_domain::storage::{
    Constraint, Details, DetailsChange, DocumentRow, Freshness, NewDocument, RecordPath, RowDamage,
    SavedText, StoreError, TextFacts, Topic,
};
use izanagi_shared::{
    id::{DocumentId, UserId},
    permission::Standing,
    rules::DocumentKind,
};

suite!(
    an_inactive_account_creates_and_changes_nothing,
    a_new_document_is_stored_with_all_its_parts,
    a_request_creates_one_document,
    a_document_needs_an_account,
    one_query_returns_the_access_of_a_viewer,
    a_change_increments_the_revision_once,
    an_empty_change_changes_nothing,
    a_document_is_trashed_and_restored,
    only_trashed_documents_are_purged,
    a_purge_removes_all_rows_and_enqueues_the_erasure,
    missing_rows_are_not_found,
);

async fn a_new_document_is_stored_with_all_its_parts(store: &TestStore) {
    let owner = a_user(store).await;
    let new = NewDocument {
        kind: DocumentKind::Json,
        details: Details {
            title: "Ärger & 'Söhne' \u{1F980}".to_owned(),
            description: "line\nline".to_owned(),
            is_template: true,
            ..Details::default()
        },
        state: vec![1, 2, 0, 3],
        client_id: u64::MAX,
        lineage: [0xFE; 16],
        content: "{\"a\": \"\u{1F980}\"}\r\n".to_owned(),
        text: TextFacts { seq: 0, hash: fresh_hash(), length: 18, words: 2 },
        ..new_document(owner)
    };
    store.relational.catalog.create(&new).await.unwrap();
    let expected = DocumentRow {
        damage: RowDamage::default(),
        id: new.id,
        kind: DocumentKind::Json,
        details: new.details.clone(),
        created_by: owner.into(),
        last_modified_by: owner.into(),
        head_version: 0,
        head_commit: None,
        live_seq: 0,
        lineage: [0xFE; 16],
        lineage_seq: 0,
        meta_rev: 1,
        text: new.text,
        created_at: new.at,
        updated_at: new.at,
        deleted_at: None,
    };
    assert_eq!(new.row(), expected);
    assert_eq!(store.relational.catalog.get(new.id).await.unwrap(), expected);
    let owners = store.relational.owners.list(&[new.id]).await.unwrap();
    assert_eq!(owners.iter().map(|(_, person)| person.id).collect::<Vec<_>>(), [owner]);
    let log = store.relational.log.load(new.id).await.unwrap();
    assert_eq!((log.live_seq, log.snapshot.seq, log.snapshot.state), (0, 0, new.state));
    let text = SavedText { document_id: new.id, content: new.content, facts: new.text };
    assert_eq!(store.relational.log.text(new.id).await.unwrap(), text);
}

async fn a_request_creates_one_document(store: &TestStore) {
    let owner = a_user(store).await;
    let first = new_document(owner);
    store.relational.catalog.create(&first).await.unwrap();
    let known = Err(StoreError::Conflict(Constraint::RequestKey));
    let again = NewDocument { request: first.request, ..new_document(owner) };
    assert_eq!(store.relational.catalog.create(&again).await, known);
    assert_eq!(store.relational.catalog.get(again.id).await, Err(StoreError::NotFound));
    // Recovery after a lost reply.
    let (id, body_hash) = store.relational.catalog.by_request(&first.request.key).await.unwrap();
    assert_eq!((id, body_hash), (first.id, first.request.body_hash));
    assert_eq!(store.relational.catalog.by_request(&fresh_hash()).await, Err(StoreError::NotFound));
}

async fn a_document_needs_an_account(store: &TestStore) {
    let new = new_document(UserId(fresh_uuid()));
    let result = store.relational.catalog.create(&new).await;
    assert_eq!(result, Err(StoreError::Conflict(Constraint::Reference)));
    assert_eq!(store.relational.catalog.get(new.id).await, Err(StoreError::NotFound));
    assert_eq!(store.relational.log.load(new.id).await, Err(StoreError::NotFound));
}

async fn one_query_returns_the_access_of_a_viewer(store: &TestStore) {
    let (owner, stranger) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    for (public, expected) in [
        (false, [Standing::Owner, Standing::Stranger, Standing::Stranger]),
        (true, [Standing::Owner, Standing::Public, Standing::Public]),
    ] {
        let change = DetailsChange { is_public: Some(public), ..DetailsChange::default() };
        store.relational.catalog.change(document, owner.into(), &change, at(20)).await.unwrap();
        for (who, expected) in [Some(owner), Some(stranger), None].into_iter().zip(expected) {
            let viewer = Viewer { user: who, link: None };
            let viewed = store.relational.catalog.get_for(&viewer, document).await.unwrap();
            let found = (viewed.row.id, viewed.access.standing());
            assert_eq!(found, (document, expected), "{who:?}, public: {public}");
            let people = store.relational.users.people(&Vec::from_iter(who)).await.unwrap();
            assert_eq!(viewed.person, people.into_iter().next());
        }
    }
}

async fn a_change_increments_the_revision_once(store: &TestStore) {
    let (owner, other) = (a_user(store).await, a_user(store).await);
    let document = a_document(store, owner).await;
    let change = DetailsChange {
        title: Some("New".to_owned()),
        description: Some("About".to_owned()),
        is_template: Some(true),
        ..DetailsChange::default()
    };
    let row =
        store.relational.catalog.change(document, other.into(), &change, at(20)).await.unwrap();
    assert_eq!((row.details.title.as_str(), row.details.description.as_str()), ("New", "About"));
    assert_eq!((row.details.is_template, row.details.is_public), (true, false));
    assert_eq!((row.meta_rev, row.updated_at, row.last_modified_by), (2, at(20), other.into()));
    assert_eq!(store.relational.catalog.get(document).await.unwrap(), row);
}

async fn an_empty_change_changes_nothing(store: &TestStore) {
    let owner = a_user(store).await;
    let document = a_document(store, owner).await;
    let before = store.relational.catalog.get(document).await.unwrap();
    let same = DetailsChange {
        title: Some("Plan".to_owned()),
        is_public: Some(false),
        trashed: Some(false),
        ..DetailsChange::default()
    };
    for change in [DetailsChange::default(), same] {
        let row =
            store.relational.catalog.change(document, owner.into(), &change, at(20)).await.unwrap();
        assert_eq!(row, before);
    }
    assert_eq!(store.relational.catalog.get(document).await.unwrap(), before);
}

async fn a_document_is_trashed_and_restored(store: &TestStore) {
    let owner = a_user(store).await;
    let document = a_document(store, owner).await;
    let trashed = |trashed| DetailsChange { trashed: Some(trashed), ..DetailsChange::default() };
    let row = store
        .relational
        .catalog
        .change(document, owner.into(), &trashed(true), at(20))
        .await
        .unwrap();
    assert_eq!(row.deleted_at, Some(at(20)));
    let row = store
        .relational
        .catalog
        .change(document, owner.into(), &trashed(true), at(25))
        .await
        .unwrap();
    assert_eq!((row.deleted_at, row.meta_rev), (Some(at(20)), 2));
    let row = store
        .relational
        .catalog
        .change(document, owner.into(), &trashed(false), at(30))
        .await
        .unwrap();
    assert_eq!((row.deleted_at, row.meta_rev), (None, 3));
}

async fn only_trashed_documents_are_purged(store: &TestStore) {
    let owner = a_user(store).await;
    let document = a_document(store, owner).await;
    assert_eq!(store.relational.catalog.purge(document, at(30)).await, Err(StoreError::NotFound));
    assert!(store.relational.catalog.get(document).await.is_ok());
    assert!(store.relational.outbox.pending(10).await.unwrap().is_empty());
}

async fn a_purge_removes_all_rows_and_enqueues_the_erasure(store: &TestStore) {
    let owner = a_user(store).await;
    let (document, neighbour) = (a_document(store, owner).await, a_document(store, owner).await);
    let version = a_version(store, document, owner).await;
    a_version(store, neighbour, owner).await;
    store.relational.log.append(&[batch(document, vec![update(owner, "a")])]).await.unwrap();
    let (open, _) = attempt(store, document, owner).await;
    store.relational.intents.open(&open).await.unwrap();
    let (erased, _) = attempt(store, document, owner).await;
    store.relational.intents.open(&erased).await.unwrap();
    store.relational.intents.fence(erased.commit_id).await.unwrap();
    store.relational.intents.erased(erased.commit_id, at(25)).await.unwrap();
    trash(store, document, owner).await;

    store.relational.catalog.purge(document, at(30)).await.unwrap();

    assert_eq!(store.relational.catalog.get(document).await, Err(StoreError::NotFound));
    assert_eq!(store.relational.log.load(document).await, Err(StoreError::NotFound));
    assert_eq!(store.relational.log.text(document).await, Err(StoreError::NotFound));
    assert_eq!(
        store.relational.versions.by_commit(version.commit_id).await,
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.relational.log.known_op(document, owner.into(), "a").await,
        Err(StoreError::NotFound)
    );
    assert!(store.relational.owners.list(&[document]).await.unwrap().is_empty());
    assert_eq!(store.relational.inspect.ops(document).await.unwrap(), Default::default());
    let work = store.relational.outbox.pending(10).await.unwrap();
    let work: Vec<_> = work.into_iter().map(|item| (item.topic, item.key)).collect();
    assert_eq!(work, [(Topic::Erase, document.to_string())]);
    // The collector still needs the open attempt, and recognises late content by the erased one.
    let intents = store.relational.inspect.intents(document).await.unwrap();
    let commits: Vec<_> = intents.iter().map(|intent| intent.commit_id).collect();
    assert_eq!(commits, [open.commit_id, erased.commit_id]);
    assert!(store.relational.catalog.get(neighbour).await.is_ok());
    assert!(store.relational.versions.get(Freshness::Fresh, neighbour, 1).await.is_ok());
    assert_eq!(store.relational.catalog.purge(document, at(31)).await, Err(StoreError::NotFound));
}

async fn missing_rows_are_not_found(store: &TestStore) {
    let (user, nothing) = (a_user(store).await, DocumentId(fresh_uuid()));
    assert_eq!(store.relational.catalog.get(nothing).await, Err(StoreError::NotFound));
    assert_eq!(
        store.relational.catalog.get_for(&Viewer { user: None, link: None }, nothing).await,
        Err(StoreError::NotFound)
    );
    let change = DetailsChange { title: Some("x".to_owned()), ..DetailsChange::default() };
    let changed = store.relational.catalog.change(nothing, user.into(), &change, at(1)).await;
    assert_eq!(changed, Err(StoreError::NotFound));
    let path = RecordPath::from_parts("documents", nothing.to_string());
    assert_eq!(store.documents.get(&path).await, Err(StoreError::NotFound));
}

async fn an_inactive_account_creates_and_changes_nothing(store: &TestStore) {
    let owner = a_user(store).await;
    let document = a_document(store, owner).await;
    let row = store.relational.catalog.get(document).await.unwrap();
    let refused = StoreError::Conflict(Constraint::Account);
    for inactive in inactive_users(store).await {
        let new = new_document(inactive);
        assert_eq!(store.relational.catalog.create(&new).await.as_ref(), Err(&refused));
        assert_eq!(store.relational.catalog.get(new.id).await, Err(StoreError::NotFound));
        let change = DetailsChange { trashed: Some(true), ..DetailsChange::default() };
        let changed = store.relational.catalog.change(document, inactive.into(), &change, at(20));
        assert_eq!(changed.await.as_ref(), Err(&refused));
    }
    assert_eq!(store.relational.catalog.get(document).await, Ok(row));
}
