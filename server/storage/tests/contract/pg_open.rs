//! Opening stores on PostgreSQL.

use crate::{fixtures::*, pg_server::PgDatabase};
use izanagi_domain::storage::{
    Claim, CommitOutcome, DetailsChange, NewRecord, RecordPath, Settlement, StoreError, Stores,
    Topic,
};
use izanagi_storage::{
    DocumentsConfig, OpenError, Opened, RelationalOptions, StorageConfig, migrate, open,
    open_existing,
};
use sqlx::{ConnectOptions as _, Connection as _, postgres::PgConnectOptions};
use std::time::{Duration, Instant};

/// The rights that the server needs, given by the owner of the tables. Migrations need the owner.
const GRANTS: &str = "
    GRANT USAGE ON SCHEMA public TO izanagi_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO izanagi_app;
    REVOKE INSERT, UPDATE, DELETE ON _sqlx_migrations FROM izanagi_app;
    REVOKE UPDATE ON audit_log FROM izanagi_app;
    GRANT SELECT, USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA public TO izanagi_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO izanagi_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, USAGE, UPDATE ON SEQUENCES TO izanagi_app";

async fn opened(url: &str) -> Opened {
    open(&StorageConfig::new(url)).await.unwrap()
}

async fn refusal(config: &StorageConfig) -> String {
    open(config).await.unwrap_err().to_string()
}

/// What every store is needed for.
pub(crate) async fn core(stores: &Stores) {
    let (owner, other) = (a_user(stores).await, a_user(stores).await);
    let document = a_document(stores, owner).await;
    let batch = batch(document, vec![update(owner, "a")]);
    stores.relational.log.append(&[batch]).await.unwrap()[0].as_ref().unwrap();
    a_version(stores, document, owner).await;
    let (_, version) = attempt(stores, document, owner).await;
    let atomic = stores.relational.atomic.as_ref().unwrap();
    let committed = atomic.commit_with_content(&[content_record(&version)], &version).await;
    assert_eq!(committed, Ok(CommitOutcome::Committed));
    stores.relational.owners.add(document, SERVER, other, at(50)).await.unwrap();
    stores.relational.owners.remove(document, other, at(51)).await.unwrap();
    let worker = fresh_uuid();
    let claim = Claim {
        topic: Topic::Demote,
        worker,
        limit: 5,
        now: at(100),
        until: at(200),
        horizon: at(9_000),
    };
    for item in stores.relational.outbox.claim(&claim).await.unwrap() {
        stores.relational.outbox.begin(item.id, worker).await.unwrap();
        stores.relational.outbox.settle(item.id, worker, Settlement::Done).await.unwrap();
    }
    let path = RecordPath::from_parts("things", fresh_uuid().to_string());
    let record = NewRecord { path: path.clone(), data: data(&"words ".repeat(300)) };
    stores.documents.create(&record, at(1)).await.unwrap();
    assert_eq!(stores.documents.update(&path, 1, &data("fewer"), at(2)).await, Ok(2));
    stores.documents.purge(&path).await.unwrap();
    assert!(!stores.relational.changes.since(0, 50).await.unwrap().changes.is_empty());
    let trashed = DetailsChange { trashed: Some(true), ..DetailsChange::default() };
    stores.relational.catalog.change(document, owner.into(), &trashed, at(60)).await.unwrap();
    stores.relational.catalog.purge(document, at(70)).await.unwrap();
    stores.relational.users.delete(owner, &event(80)).await.unwrap();
    stores.relational.audit.newest(5).await.unwrap();
    stores.relational.upkeep.forget_audit(at(1_000)).await.unwrap();
    stores.relational.upkeep.probe(at(1)).await.unwrap();
    assert_eq!(stores.relational.inspect.integrity().await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_together_migrate_once() {
    let Some(database) = PgDatabase::empty().await else { return };
    let starts = (0..4).map(|_| {
        let url = database.url();
        tokio::spawn(async move { opened(&url).await })
    });
    for start in Vec::from_iter(starts) {
        start.await.unwrap().close().await;
    }
    let opened = opened(&database.url()).await;
    core(&opened.stores).await;
    opened.close().await;
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_have_a_database_of_their_own_and_no_other() {
    let Some(users) = PgDatabase::migrated().await else { return };
    let Some(documents) = PgDatabase::empty().await else { return };
    let beside = |url: String| StorageConfig {
        documents: Some(DocumentsConfig::new(url)),
        ..StorageConfig::new(users.url())
    };
    let said = refusal(&beside(users.url())).await;
    assert!(said.contains("storage.documents.url") && said.contains("users"), "{said}");
    let config = beside(documents.url());
    let missing = open_existing(&config).await.unwrap_err();
    assert!(matches!(missing, OpenError::Missing { .. }), "{missing}");
    let opened = open(&config.clone().for_one("serve")).await.unwrap();
    assert!(opened.stores.relational.atomic.is_none());
    let path = RecordPath::from_parts("things", fresh_uuid().to_string());
    let record = NewRecord { path: path.clone(), data: data("words") };
    opened.stores.documents.create(&record, at(1)).await.unwrap();
    opened.close().await;
    let opened = open_existing(&config).await.unwrap();
    assert_eq!(opened.stores.documents.get(&path).await.unwrap().data, record.data);
    opened.close().await;
    let alone = open(&StorageConfig::new(users.url())).await.unwrap();
    assert_eq!(alone.stores.documents.get(&path).await.unwrap_err(), StoreError::NotFound);
    alone.close().await;
    documents.drop().await;
    users.drop().await;
}

#[tokio::test]
async fn a_missing_schema_a_newer_one_and_another_encoding_are_named() {
    let Some(database) = PgDatabase::empty().await else { return };
    let config = StorageConfig::new(database.url());
    let missing = open_existing(&config).await.unwrap_err();
    assert!(matches!(missing, OpenError::Missing { .. }), "{missing}");
    migrate(&config).await.unwrap();
    open_existing(&config).await.unwrap().close().await;
    database
        .run(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (99, 'later', true, '', 0)",
        )
        .await;
    let newer = open(&config).await.unwrap_err();
    assert!(matches!(newer, OpenError::NewerSchema { found: 99, .. }), "{newer}");
    // A step that lets this program go on says so.
    let says = |from: i64| {
        format!(
            "UPDATE _sqlx_migrations SET description = 'later; writers from {from}' WHERE version = 99"
        )
    };
    database.run(&says(1)).await;
    let beside = open(&config.clone().for_one("serve")).await.unwrap();
    core(&beside.stores).await;
    beside.close().await;
    database.run(&says(99)).await;
    let newer = open(&config).await.unwrap_err();
    assert!(matches!(newer, OpenError::NewerSchema { found: 99, .. }), "{newer}");
    let latin = format!("{}_latin", database.name);
    database
        .admin(&format!("CREATE DATABASE {latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"))
        .await;
    let refused = refusal(&StorageConfig::new(format!("{}_latin", database.url()))).await;
    assert!(refused.contains("LATIN1"), "{refused}");
    database.admin(&format!("DROP DATABASE {latin}")).await;
    database.drop().await;
}

#[tokio::test]
async fn a_server_that_may_lose_writes_is_refused_unless_that_is_accepted() {
    let Some(database) = PgDatabase::empty().await else { return };
    database.admin(&format!("ALTER DATABASE {} SET synchronous_commit = off", database.name)).await;
    let config = StorageConfig::new(database.url());
    let refused = refusal(&config).await;
    assert!(refused.contains("synchronous_commit"), "{refused}");
    let relational = RelationalOptions { accept_data_loss: true, ..RelationalOptions::default() };
    open(&StorageConfig { relational, ..config }).await.unwrap().close().await;
    database.drop().await;
}

#[tokio::test]
async fn an_unreachable_server_and_a_wrong_password_are_told_without_the_password() {
    let unreachable = StorageConfig::new("postgres://ann:tiger@127.0.0.1:1/none");
    let refused = refusal(&unreachable).await;
    assert!(!refused.contains("tiger"), "{refused}");
    let wrong = refusal(&StorageConfig::new("postgres://ann:tiger@host:port/none")).await;
    assert!(!wrong.contains("tiger") && wrong.contains("postgres://"), "{wrong}");
    let Some(database) = PgDatabase::empty().await else { return };
    let tls = refusal(&StorageConfig::new(format!("{}?sslmode=require", database.url()))).await;
    assert!(tls.to_lowercase().contains("tls"), "{tls}");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_share_the_database_and_a_command_needs_it_alone() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let config = |command| StorageConfig::new(database.url()).for_one(command);
    let (one, two) = (open(&config("serve")).await.unwrap(), open(&config("serve")).await.unwrap());
    let refused = open(&config("gc")).await.unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("izanagi serve"), "{refused}");
    one.close().await;
    let refused = open(&config("gc")).await.unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    two.close().await;
    let alone = open(&config("gc")).await.unwrap();
    let refused = open(&config("serve")).await.unwrap_err();
    assert!(refused.to_string().contains("izanagi gc"), "{refused}");
    alone.close().await;
    open(&config("serve")).await.unwrap().close().await;
    database.recycle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_is_taken_past_a_pooler() {
    let Some(pooled) = PgDatabase::migrated().await else { return };
    let direct = PgDatabase::migrated().await.unwrap();
    let relational =
        RelationalOptions { direct: Some(direct.url().into()), ..RelationalOptions::default() };
    let config = StorageConfig { relational, ..StorageConfig::new(pooled.url()) };
    let server = open(&config.for_one("serve")).await.unwrap();
    // Two databases instead of two ways to one show which way was taken.
    let refused = open(&StorageConfig::new(direct.url()).for_one("gc")).await.unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    open(&StorageConfig::new(pooled.url()).for_one("gc")).await.unwrap().close().await;
    server.close().await;
    pooled.recycle().await;
    direct.recycle().await;
}

/// Gives a role the rights that the documentation names; returns the URL with it.
async fn restricted(database: &PgDatabase) -> String {
    let create = "DO $$ BEGIN CREATE ROLE izanagi_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE; \
                  EXCEPTION WHEN duplicate_object THEN NULL; WHEN unique_violation THEN NULL; END $$";
    database.run(create).await;
    database.run(GRANTS).await;
    database.url().replacen("izanagi@", "izanagi_app@", 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_with_few_rights_is_enough() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let url = restricted(&database).await;
    let store = opened(&url).await;
    core(&store.stores).await;
    store.close().await;
    // After rows were copied without their sequences, a start raises these.
    database
        .run(
            "INSERT INTO tombstones (change_seq, document_id, user_id, at) \
                  SELECT 900, gen_random_uuid(), gen_random_uuid(), 1",
        )
        .await;
    let store = opened(&url).await;
    assert_eq!(store.stores.relational.changes.newest().await, Ok(900));
    store.close().await;
    // A later migration adds tables and sequences.
    database.run("CREATE TABLE later (id bigint); CREATE SEQUENCE later_numbers").await;
    let mut connection = url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    for use_it in ["INSERT INTO later VALUES (1)", "SELECT nextval('later_numbers')"] {
        sqlx::query(use_it).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    database.run("DROP TABLE later; DROP SEQUENCE later_numbers").await;
    database.recycle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_without_prepared_statements() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let opened = opened(&format!("{}?statement-cache-capacity=0", database.url())).await;
    core(&opened.stores).await;
    let mut connection = database.connect().await;
    let left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND state LIKE 'idle in transaction%'";
    let left: i64 = sqlx::query_scalar(left).fetch_one(&mut connection).await.unwrap();
    assert_eq!(left, 0);
    connection.close().await.unwrap();
    opened.close().await;
    database.recycle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_waits_for_a_connection_for_a_bounded_time() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let relational = RelationalOptions { pool: 1, ..RelationalOptions::default() };
    let opened =
        open(&StorageConfig { relational, ..StorageConfig::new(database.url()) }).await.unwrap();
    let owner = a_user(&opened.stores).await;
    let mut other = database.connect().await;
    let mut blocking = other.begin().await.unwrap();
    let lock = "SELECT id FROM users FOR UPDATE";
    sqlx::query(lock).execute(&mut *blocking).await.unwrap();
    let stores = opened.stores.clone();
    let held =
        tokio::spawn(async move { stores.relational.catalog.create(&new_document(owner)).await });
    database.until_blocked().await;
    let waiting = opened.stores.relational.users.by_id(owner);
    let refused = tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap();
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    blocking.rollback().await.unwrap();
    assert_eq!(held.await.unwrap(), Ok(()));
    assert!(opened.stores.relational.users.by_id(owner).await.is_ok());
    other.close().await.unwrap();
    opened.close().await;
    database.recycle().await;
}

/// What another process did meanwhile must not be undone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_no_longer_alone_writes_nothing_more() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let alone = open(&StorageConfig::new(database.url()).for_one("gc")).await.unwrap();
    let owner = a_user(&alone.stores).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name = 'izanagi gc'";
    database.run(end).await;
    let begun = Instant::now();
    let refused = loop {
        match alone.stores.relational.catalog.create(&new_document(owner)).await {
            Ok(()) => assert!(begun.elapsed() < Duration::from_secs(20), "it goes on"),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(&refused, StoreError::Unavailable(why) if why.contains("lock")),
        "{refused:?}"
    );
    alone.close().await;
    database.recycle().await;
}

/// The data is intact: what is missing is up to the administrator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_rights_and_tables_are_not_taken_for_damage() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let url = restricted(&database).await;
    let opened = opened(&url).await;
    let owner = a_user(&opened.stores).await;
    database.run("REVOKE SELECT ON users FROM izanagi_app").await;
    let refused = opened.stores.relational.users.by_id(owner).await;
    assert!(
        matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("users")),
        "{refused:?}"
    );
    database.run("GRANT SELECT ON users TO izanagi_app").await;
    database.run("REVOKE INSERT ON documents FROM izanagi_app").await;
    let refused = opened.stores.relational.catalog.create(&new_document(owner)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    database.run("GRANT INSERT ON documents TO izanagi_app; ALTER TABLE users RENAME TO x").await;
    let refused = opened.stores.relational.users.by_id(owner).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    database.run("ALTER TABLE x RENAME TO users").await;
    assert!(opened.stores.relational.users.by_id(owner).await.is_ok());
    opened.close().await;
    database.recycle().await;
}
