//! The change feed beside open transactions.

use crate::{fixtures::*, pg_server::PgDatabase, provider::TestStore};
use izanagi_domain::storage::{ChangeKind, CommitOutcome, Topic};
use sqlx::Connection as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_never_passes_a_number_whose_transaction_is_open() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let owner = a_user(&store).await;
    let document = a_document(&store, owner).await;
    a_version(&store, document, owner).await;
    let start = store.relational.changes.newest().await.unwrap();

    // The commit takes its number, and then waits for this row.
    let key = format!("{document}/1");
    store.relational.outbox.ensure(Topic::Demote, &key, at(1)).await.unwrap();
    let mut other = database.connect().await;
    let mut blocking = other.begin().await.unwrap();
    let lock = "SELECT id FROM outbox WHERE key = $1 FOR UPDATE";
    sqlx::query(lock).bind(&key).execute(&mut *blocking).await.unwrap();
    let (_, version) = attempt(&store, document, owner).await;
    let stores = store.stores();
    let committing = tokio::spawn(async move {
        let record = content_record(&version);
        let atomic = stores.relational.atomic.unwrap();
        atomic.commit_with_content(&[record], &version).await
    });
    database.until_blocked().await;

    // This one takes a higher number and ends at once.
    let later = a_document(&store, owner).await;
    assert_eq!(store.relational.changes.newest().await, Ok(start));
    let early = store.relational.changes.since(start, 100).await.unwrap();
    assert!(early.changes.is_empty(), "{early:?}");

    blocking.rollback().await.unwrap();
    assert_eq!(committing.await.unwrap(), Ok(Some(CommitOutcome::Committed)));
    let page = store.relational.changes.since(start, 100).await.unwrap();
    let found: Vec<_> = page.changes.iter().map(|it| (it.document_id, it.seq - start)).collect();
    assert_eq!(found, [(document, 1), (later, 2)]);
    assert_eq!(store.relational.changes.newest().await, Ok(start + 2));
    other.close().await.unwrap();
    store.close().await;
    database.recycle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_transaction_that_takes_no_number_holds_nothing_up() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let owner = a_user(&store).await;
    let mut other = database.connect().await;
    let mut long = other.begin().await.unwrap();
    let write = "INSERT INTO revocations (session_id, expires_at) VALUES (gen_random_uuid(), 1)";
    sqlx::query(write).execute(&mut *long).await.unwrap();
    let document = a_document(&store, owner).await;
    let page = store.relational.changes.since(0, 100).await.unwrap();
    assert_eq!(page.changes.len(), 1);
    assert_eq!(page.changes[0].document_id, document);
    drop(long);
    other.close().await.unwrap();
    store.close().await;
    database.recycle().await;
}

/// The end of rights must not wait for a long import.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_transaction_of_one_series_does_not_delay_the_others() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let owner = a_user(&store).await;
    let document = a_document(&store, owner).await;
    a_version(&store, document, owner).await;
    let key = format!("{document}/1");
    store.relational.outbox.ensure(Topic::Demote, &key, at(1)).await.unwrap();
    let mut other = database.connect().await;
    let mut blocking = other.begin().await.unwrap();
    let lock = "SELECT id FROM outbox WHERE key = $1 FOR UPDATE";
    sqlx::query(lock).bind(&key).execute(&mut *blocking).await.unwrap();
    let (_, version) = attempt(&store, document, owner).await;
    let stores = store.stores();
    let committing = tokio::spawn(async move {
        let record = content_record(&version);
        stores.relational.atomic.unwrap().commit_with_content(&[record], &version).await
    });
    database.until_blocked().await;
    let before = store.relational.users.newest_change().await.unwrap();
    deactivate(&store, owner, false).await;
    assert_eq!(store.relational.users.newest_change().await, Ok(before + 1));
    blocking.rollback().await.unwrap();
    committing.await.unwrap().unwrap();
    other.close().await.unwrap();
    store.close().await;
    database.recycle().await;
}

/// As after a restored backup, or where a replica has taken over that lacked the last writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_go_back_are_followed_from_there() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let owner = a_user(&store).await;
    for _ in 0..5 {
        a_document(&store, owner).await;
    }
    assert_eq!(store.relational.changes.newest().await, Ok(5));
    database
        .run(
            "DELETE FROM document_changes WHERE change_seq > 2; SELECT setval('change_numbers', 2)",
        )
        .await;
    assert_eq!(store.relational.changes.newest().await, Ok(2));
    // A number that is taken, but whose transaction is open.
    let mut other = database.connect().await;
    let mut open = other.begin().await.unwrap();
    let take = "INSERT INTO document_changes (change_seq, document_id, kind, at) SELECT CASE WHEN \
                pg_try_advisory_xact_lock_shared(7309453014278367) \
                THEN nextval('change_numbers') END, id, 'trash', 1 FROM documents LIMIT 1";
    sqlx::query(take).execute(&mut *open).await.unwrap();
    let later = a_document(&store, owner).await;
    assert_eq!(store.relational.changes.newest().await, Ok(2));
    open.commit().await.unwrap();
    let page = store.relational.changes.since(2, 10).await.unwrap();
    let found: Vec<_> = page.changes.iter().map(|change| change.seq).collect();
    assert_eq!(found, [3, 4]);
    assert_eq!(page.changes[1].document_id, later);
    other.close().await.unwrap();
    store.close().await;
    database.recycle().await;
}

/// Many writers and a reader that always continues from what it has seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_of_many_writers_misses_no_document() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let mut writers = Vec::new();
    for _ in 0..8 {
        let stores = store.stores();
        let owner = a_user(&store).await;
        writers.push(tokio::spawn(async move {
            let mut written = Vec::new();
            for _ in 0..25 {
                written.push(a_document(&stores, owner).await);
            }
            written
        }));
    }
    let (mut cursor, mut seen) = (0, Vec::new());
    let is_done = || writers.iter().all(tokio::task::JoinHandle::is_finished);
    loop {
        let was_done = is_done();
        let page = store.relational.changes.since(cursor, 7).await.unwrap();
        for change in &page.changes {
            assert!(change.seq > cursor);
            assert_eq!(
                change.entry,
                izanagi_domain::storage::ChangeEntry::Changed(ChangeKind::Created)
            );
            cursor = change.seq;
            seen.push(change.document_id);
        }
        if was_done && page.changes.is_empty() {
            break;
        }
    }
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    written.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, written);
    store.close().await;
    database.recycle().await;
}

/// As after a copy of the rows without the sequences.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_go_on_after_rows_were_copied_from_elsewhere() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let store = TestStore::open(&database.url(), None).await;
    let owner = a_user(&store).await;
    a_document(&store, owner).await;
    store.close().await;
    database
        .run(
            "UPDATE document_changes SET change_seq = 500; \
             INSERT INTO account_changes (user_id, number) SELECT id, 70 FROM users",
        )
        .await;
    let store = TestStore::open(&database.url(), None).await;
    assert_eq!(store.relational.changes.newest().await, Ok(500));
    assert_eq!(store.relational.users.newest_change().await, Ok(70));
    a_document(&store, owner).await;
    assert_eq!(store.relational.changes.newest().await, Ok(501));
    deactivate(&store, owner, false).await;
    assert_eq!(store.relational.users.newest_change().await, Ok(71));
    store.close().await;
    database.recycle().await;
}
