//! Moving the relational database while people write.

use crate::{
    fixtures::*,
    pg_server::PgDatabase,
    world::{Acknowledged, Writers, check},
};
use izanagi_domain::{
    sealing::Sealer,
    storage::{MovePhase, MovedStore, StoreMove, StoreMover, Stores},
};
use izanagi_shared::{
    id::{DocumentId, UserId},
    rules::Secret,
};
use izanagi_storage::{OpenError, Opened, StorageConfig, open};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Stores of a server, which seals with a key.
pub(crate) fn config(url: &str) -> StorageConfig {
    let sealer = Some(Sealer::new(Secret::new("a secret of the server"), []));
    StorageConfig { sealer, ..StorageConfig::new(url) }.for_one("serve")
}

pub(crate) fn mover(opened: &Opened) -> Arc<dyn StoreMover> {
    let mut movers = opened.stores.movers.iter();
    Arc::clone(movers.find(|mover| mover.store() == MovedStore::Relational).unwrap())
}

/// Asks for a move, as the command does.
pub(crate) async fn ask(opened: &Opened, to: &str, overwrite: bool) -> Result<(), String> {
    let new = mover(opened).prepare(&Secret::new(to), overwrite).await?;
    assert!(opened.stores.relational.moves.begin(&new).await.unwrap());
    Ok(())
}

/// Moves at once.
async fn relocate(opened: &Opened, to: &str, overwrite: bool) {
    ask(opened, to, overwrite).await.unwrap();
    let moved = mover(opened);
    tokio::time::timeout(Duration::from_secs(120), moved.carry_on()).await.unwrap().unwrap();
    assert_eq!(state(opened).await.phase, MovePhase::Moved);
}

async fn state(opened: &Opened) -> StoreMove {
    opened.stores.relational.moves.get(MovedStore::Relational).await.unwrap().unwrap()
}

pub(crate) fn file(folder: &TempDir, name: &str) -> String {
    format!("sqlite://{}/{name}.db", folder.path().display())
}

pub(crate) async fn seed(stores: &Stores, count: usize) -> Vec<(UserId, DocumentId)> {
    let mut documents = Vec::new();
    for _ in 0..count {
        let user = a_user(stores).await;
        let document = a_document(stores, user).await;
        a_version(stores, document, user).await;
        documents.push((user, document));
    }
    documents
}

/// What a writer rests after each request.
const PACE: Duration = Duration::from_millis(4);

/// Moves under writers; returns how long writes waited, and what was acknowledged.
async fn move_under_writers(
    opened: &Opened,
    documents: &[(UserId, DocumentId)],
    to: &str,
    run: &str,
) -> (Duration, Vec<Acknowledged>) {
    let (told, mut heard) = mpsc::channel(64);
    let listening = tokio::spawn(async move {
        let mut acknowledged = Vec::new();
        while let Some(done) = heard.recv().await {
            acknowledged.push(done);
        }
        acknowledged
    });
    let writers = Writers::start(&opened.stores, documents, run, &told, PACE);
    relocate(opened, to, false).await;
    let note = state(opened).await.progress.note;
    let pause = note.split(' ').find_map(|word| word.parse().ok()).unwrap();
    let pause = Duration::from_millis(pause);
    tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(300)).await;
    let slowest = writers.stop().await;
    assert!(slowest < Duration::from_secs(4), "a write took {slowest:?}");
    drop(told);
    (pause, listening.await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stderr)]
async fn a_database_moves_under_writers_to_postgres_and_back() {
    let Some(database) = PgDatabase::empty().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (sqlite, postgres) = (file(&folder, "a"), database.url());
    let opened = open(&config(&sqlite)).await.unwrap();
    let documents = seed(&opened.stores, 12).await;
    let (pause, mut all) = move_under_writers(&opened, &documents, &postgres, "there").await;
    eprintln!("SQLite to PostgreSQL: writes waited {pause:?}, {} acknowledged", all.len());
    assert!(pause < Duration::from_secs(2), "{pause:?}");
    check(&opened.stores, &documents, &all).await;
    opened.close().await;
    // The settings still name the file.
    let opened = open(&config(&sqlite)).await.unwrap();
    assert!(opened.description.contains("users: PostgreSQL"), "{}", opened.description);
    check(&opened.stores, &documents, &all).await;
    let (pause, more) = move_under_writers(&opened, &documents, &sqlite, "back").await;
    eprintln!("PostgreSQL to SQLite: writes waited {pause:?}, {} acknowledged", more.len());
    assert!(pause < Duration::from_secs(2), "{pause:?}");
    all.extend(more);
    check(&opened.stores, &documents, &all).await;
    opened.close().await;
    let opened = open(&config(&sqlite)).await.unwrap();
    assert!(opened.description.contains("users: SQLite"), "{}", opened.description);
    check(&opened.stores, &documents, &all).await;
    assert_eq!(opened.stores.relational.inspect.integrity().await.unwrap(), Vec::<String>::new());
    opened.close().await;
    database.drop().await;
}

/// The number of rows of each table of the file that moves.
async fn counts(path: &str) -> Vec<(String, i64)> {
    let options = SqliteConnectOptions::new().filename(path.trim_start_matches("sqlite://"));
    let mut connection = options.connect().await.unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
                 AND name <> '_sqlx_migrations' AND name <> 'database_origin' \
                 AND name NOT IN ('database_departure', 'moved_tables', 'move_nodes')";
    let names: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut connection).await.unwrap();
    let mut counts = Vec::new();
    for name in names {
        let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{name}\""));
        counts.push((name, sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap()));
    }
    connection.close().await.unwrap();
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_moves_and_the_file_refuses_to_be_used() {
    let Some(database) = PgDatabase::empty().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let (sqlite, postgres) = (file(&folder, "a"), database.url());
    let opened = open(&config(&sqlite)).await.unwrap();
    seed(&opened.stores, 3).await;
    ask(&opened, &postgres, false).await.unwrap();
    // Until it has moved, nobody uses the new one.
    let early = open(&config(&postgres)).await.unwrap_err();
    assert!(matches!(early, OpenError::Filling { .. }), "{early}");
    mover(&opened).carry_on().await.unwrap();
    opened.close().await;
    let counts = counts(&sqlite).await;
    assert!(counts.len() > 20 && counts.iter().any(|(_, count)| *count > 0), "{counts:?}");
    let mut connection = database.connect().await;
    for (name, expected) in counts {
        assert!(!name.starts_with("moving_"), "{name} is left");
        let count = AssertSqlSafe(format!("SELECT COUNT(*) FROM \"{name}\""));
        let found: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap();
        assert_eq!(found, expected, "{name}");
    }
    connection.close().await.unwrap();
    // Without the key, and with a program that knows nothing of moves.
    let refused = open(&StorageConfig::new(sqlite.as_str())).await.unwrap_err();
    assert!(matches!(refused, OpenError::Moved { .. }), "{refused}");
    let options = SqliteConnectOptions::new().filename(sqlite.trim_start_matches("sqlite://"));
    let mut connection = options.connect().await.unwrap();
    let write = sqlx::query("DELETE FROM users").execute(&mut connection).await.unwrap_err();
    assert!(write.to_string().contains("has moved"), "{write}");
    let newest: i64 = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(newest > 1_000_000, "an older program takes it for its own: {newest}");
    connection.close().await.unwrap();
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_with_data_is_not_overwritten_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (file(&folder, "from"), file(&folder, "to"));
    let other = open(&config(&to)).await.unwrap();
    seed(&other.stores, 1).await;
    let opened = open(&config(&from)).await.unwrap();
    let documents = seed(&opened.stores, 1).await;
    let in_use = ask(&opened, &to, true).await.unwrap_err();
    assert!(in_use.contains("in use"), "{in_use}");
    other.close().await;
    let refused = ask(&opened, &to, false).await.unwrap_err();
    assert!(refused.contains("--overwrite"), "{refused}");
    relocate(&opened, &to, true).await;
    check(&opened.stores, &documents, &[]).await;
    let page = opened.stores.relational.inspect.documents(None, 10).await.unwrap();
    assert_eq!(page, [documents[0].1]);
    opened.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_move_leaves_everything_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (file(&folder, "from"), file(&folder, "to"));
    let opened = open(&config(&from)).await.unwrap();
    let documents = seed(&opened.stores, 2).await;
    ask(&opened, &to, false).await.unwrap();
    let moving = mover(&opened);
    // Dropped in the midst.
    assert!(tokio::time::timeout(Duration::from_millis(20), moving.carry_on()).await.is_err());
    let StoreMove { id, phase, .. } = state(&opened).await;
    let moves = &opened.stores.relational.moves;
    assert!(moves.turn(id, phase, MovePhase::Cancelled, at(50)).await.unwrap());
    moving.carry_on().await.unwrap();
    assert_eq!(moves.get(MovedStore::Relational).await.unwrap(), None);
    check(&opened.stores, &documents, &[]).await;
    opened.close().await;
    let counts = counts(&from).await;
    assert!(counts.iter().all(|(name, _)| !name.starts_with("moving_")), "{counts:?}");
    let opened = open(&config(&from)).await.unwrap();
    assert!(opened.description.contains("from.db"), "{}", opened.description);
    // Another attempt needs no permission to use what the first has left.
    relocate(&opened, &to, false).await;
    check(&opened.stores, &documents, &[]).await;
    opened.close().await;
}
