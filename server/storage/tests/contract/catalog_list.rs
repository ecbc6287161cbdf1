use crate::{fixtures::*, provider::TestStore};
use izanagi_domain::storage::{
    Cursor, CursorKey, Details, DocumentFilter, DocumentRow, NewDocument,
};
use izanagi_shared::{
    id::{DocumentId, UserId},
    wire::DocumentSort,
};

suite!(
    a_list_contains_owned_documents_and_their_total,
    times_sort_the_newest_first,
    titles_sort_folded_under_binary_collation,
    equal_keys_sort_by_id,
    pages_by_offset_and_by_cursor_agree,
    a_cursor_is_stable_when_rows_change,
    search_ignores_case_in_titles_and_descriptions,
    search_has_no_wildcards,
    an_owner_narrows_the_list,
    trash_is_listed_on_request,
    extreme_offsets_and_limits_work,
);

fn filter(user: UserId) -> DocumentFilter {
    DocumentFilter {
        visible_to: user,
        owner: None,
        words: Vec::new(),
        trashed: Some(false),
        sort: DocumentSort::Updated,
        cursor: None,
        offset: 0,
        limit: 100,
    }
}

async fn add(store: &TestStore, owner: UserId, title: &str, micros: i64) -> DocumentId {
    let details = Details { title: title.to_owned(), ..Details::default() };
    let new = NewDocument { details, at: at(micros), ..new_document(owner) };
    store.relational.catalog.create(&new).await.unwrap();
    new.id
}

async fn titles(store: &TestStore, filter: &DocumentFilter) -> Vec<String> {
    let (rows, _) = store.relational.catalog.list(filter).await.unwrap();
    rows.into_iter().map(|row| row.details.title).collect()
}

/// Returns the cursor for a row, as the service builds it.
fn cursor_at(row: &DocumentRow, sort: DocumentSort) -> Cursor {
    let key = match sort {
        DocumentSort::Updated => CursorKey::Micros(row.updated_at.as_micros()),
        DocumentSort::Created => CursorKey::Micros(row.created_at.as_micros()),
        DocumentSort::Title => CursorKey::Text(row.details.title.to_lowercase()),
    };
    Cursor { key, id: row.id.0 }
}

async fn a_list_contains_owned_documents_and_their_total(store: &TestStore) {
    let (user, other) = (a_user(store).await, a_user(store).await);
    for title in ["a", "b", "c"] {
        add(store, user, title, 1).await;
    }
    add(store, other, "theirs", 1).await;
    let few = DocumentFilter { limit: 2, ..filter(user) };
    let (rows, total) = store.relational.catalog.list(&few).await.unwrap();
    assert_eq!((rows.len(), total), (2, 3));
    let beyond = DocumentFilter { offset: 5, ..filter(user) };
    assert_eq!(store.relational.catalog.list(&beyond).await.unwrap(), (vec![], 3));
    let unknown = UserId(fresh_uuid());
    assert_eq!(store.relational.catalog.list(&filter(unknown)).await.unwrap(), (vec![], 0));
}

async fn times_sort_the_newest_first(store: &TestStore) {
    let user = a_user(store).await;
    let old = add(store, user, "old", 1).await;
    add(store, user, "new", 2).await;
    assert_eq!(titles(store, &filter(user)).await, ["new", "old"]);
    let updates = vec![update(user, "x")];
    store.relational.log.append(&[batch(old, updates)]).await.unwrap();
    assert_eq!(titles(store, &filter(user)).await, ["old", "new"]);
    let created = DocumentFilter { sort: DocumentSort::Created, ..filter(user) };
    assert_eq!(titles(store, &created).await, ["new", "old"]);
}

async fn titles_sort_folded_under_binary_collation(store: &TestStore) {
    let user = a_user(store).await;
    for title in ["b", "\u{C4}rger", "A", "Z", "a2", "\u{1F980}", "_"] {
        add(store, user, title, 1).await;
    }
    let by_title = DocumentFilter { sort: DocumentSort::Title, ..filter(user) };
    let expected = ["_", "A", "a2", "b", "Z", "\u{C4}rger", "\u{1F980}"];
    assert_eq!(titles(store, &by_title).await, expected);
}

async fn equal_keys_sort_by_id(store: &TestStore) {
    let user = a_user(store).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(add(store, user, "same", 1).await);
    }
    for (sort, descending) in
        [(DocumentSort::Title, false), (DocumentSort::Created, true), (DocumentSort::Updated, true)]
    {
        let (rows, _) =
            store.relational.catalog.list(&DocumentFilter { sort, ..filter(user) }).await.unwrap();
        let mut found: Vec<_> = rows.iter().map(|row| row.id).collect();
        if descending {
            found.reverse();
        }
        assert_eq!(found, ids, "{sort:?}");
    }
}

async fn pages_by_offset_and_by_cursor_agree(store: &TestStore) {
    let user = a_user(store).await;
    for number in 0..7 {
        add(store, user, ["x", "Y"][number % 2], 1 + number as i64 / 3).await;
    }
    for sort in [DocumentSort::Title, DocumentSort::Created, DocumentSort::Updated] {
        let all = DocumentFilter { sort, ..filter(user) };
        let (expected, _) = store.relational.catalog.list(&all).await.unwrap();
        let mut by_offset = Vec::new();
        for offset in [0, 3, 6, 9] {
            let page = DocumentFilter { offset, limit: 3, ..all.clone() };
            by_offset.extend(store.relational.catalog.list(&page).await.unwrap().0);
        }
        let (mut by_cursor, mut cursor) = (Vec::new(), None);
        loop {
            // An offset is ignored if there is a cursor.
            let offset = if cursor.is_some() { 1_000 } else { 0 };
            let page = DocumentFilter { cursor, offset, limit: 3, ..all.clone() };
            let (rows, total) = store.relational.catalog.list(&page).await.unwrap();
            assert_eq!(total, 7);
            let Some(last) = rows.last() else { break };
            cursor = Some(cursor_at(last, sort));
            by_cursor.extend(rows);
            assert!(by_cursor.len() <= expected.len(), "{sort:?}: a cursor that stands still");
        }
        assert_eq!(by_offset, expected, "{sort:?}");
        assert_eq!(by_cursor, expected, "{sort:?}");
    }
}

async fn a_cursor_is_stable_when_rows_change(store: &TestStore) {
    let user = a_user(store).await;
    for (title, micros) in [("d", 4), ("c", 3), ("b", 2), ("a", 1)] {
        add(store, user, title, micros).await;
    }
    let first = DocumentFilter { limit: 2, sort: DocumentSort::Created, ..filter(user) };
    let (rows, _) = store.relational.catalog.list(&first).await.unwrap();
    let cursor = rows.last().map(|row| cursor_at(row, DocumentSort::Created));
    add(store, user, "e", 5).await;
    trash(store, rows[1].id, user).await;
    let next = DocumentFilter { cursor, ..first };
    assert_eq!(titles(store, &next).await, ["b", "a"]);
}

async fn search_ignores_case_in_titles_and_descriptions(store: &TestStore) {
    let user = a_user(store).await;
    let new = NewDocument {
        details: Details {
            title: "\u{C4}RGER im B\u{FC}ro".to_owned(),
            description: "Quarterly Plan".to_owned(),
            ..Details::default()
        },
        ..new_document(user)
    };
    store.relational.catalog.create(&new).await.unwrap();
    add(store, user, "Plan", 1).await;
    for (words, expected) in [
        (vec!["\u{E4}rger", "plan"], 1),
        (vec!["plan"], 2),
        (vec!["PLAN"], 2),
        (vec!["b\u{FC}ro", "weekly"], 0),
        (vec![], 2),
    ] {
        let words = words.into_iter().map(str::to_owned).collect();
        let (rows, total) =
            store.relational.catalog.list(&DocumentFilter { words, ..filter(user) }).await.unwrap();
        assert_eq!((rows.len(), total), (expected, expected as u64));
    }
}

async fn search_has_no_wildcards(store: &TestStore) {
    let user = a_user(store).await;
    for title in ["100%", "1000", "a_b", "axb", r"c:\d", "it's", "x\"y", "*?[a-z]"] {
        add(store, user, title, 1).await;
    }
    for (word, expected) in [
        ("0%", vec!["100%"]),
        ("_", vec!["a_b"]),
        (r"\d", vec![r"c:\d"]),
        ("'", vec!["it's"]),
        ("\"", vec!["x\"y"]),
        ("[a-z]", vec!["*?[a-z]"]),
        ("%%", vec![]),
    ] {
        let words = DocumentFilter { words: vec![word.to_owned()], ..filter(user) };
        assert_eq!(titles(store, &words).await, expected, "{word}");
    }
    let endless = DocumentFilter { words: vec!["x".repeat(60_000)], ..filter(user) };
    assert_eq!(store.relational.catalog.list(&endless).await.unwrap(), (vec![], 0));
}

async fn an_owner_narrows_the_list(store: &TestStore) {
    let (user, other) = (a_user(store).await, a_user(store).await);
    add(store, user, "mine", 1).await;
    let shared = add(store, user, "shared", 1).await;
    add(store, other, "theirs", 1).await;
    store.relational.owners.add(shared, SERVER, other, at(2)).await.unwrap();
    let narrowed = DocumentFilter { owner: Some(other), ..filter(user) };
    assert_eq!(titles(store, &narrowed).await, ["shared"]);
}

async fn trash_is_listed_on_request(store: &TestStore) {
    let user = a_user(store).await;
    let old = add(store, user, "old", 1).await;
    add(store, user, "kept", 2).await;
    trash(store, old, user).await;
    for (trashed, expected) in
        [(Some(true), vec!["old"]), (Some(false), vec!["kept"]), (None, vec!["old", "kept"])]
    {
        let listed = DocumentFilter { trashed, ..filter(user) };
        assert_eq!(titles(store, &listed).await, expected);
    }
}

async fn extreme_offsets_and_limits_work(store: &TestStore) {
    let user = a_user(store).await;
    add(store, user, "first", i64::MIN).await;
    add(store, user, "last", i64::MAX).await;
    let by_created = DocumentFilter { sort: DocumentSort::Created, ..filter(user) };
    assert_eq!(titles(store, &by_created).await, ["last", "first"]);
    let far = DocumentFilter { offset: u64::MAX, limit: u32::MAX, ..filter(user) };
    assert_eq!(store.relational.catalog.list(&far).await.unwrap(), (vec![], 2));
    let before_all = Cursor { key: CursorKey::Micros(i64::MIN), id: uuid::Uuid::nil() };
    let end = DocumentFilter { cursor: Some(before_all), ..by_created };
    assert_eq!(store.relational.catalog.list(&end).await.unwrap(), (vec![], 2));
}
