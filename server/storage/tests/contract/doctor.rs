//! What `izanagi doctor` finds in each store: nothing in a good one, and what was broken by its name.

use crate::{pg_server::PgDatabase, provider::TestMongo, redis_server::RedisServer, services};
use izanagi_storage::{
    RedisConfig, RedisPlace, StorageConfig,
    doctor::{Check, Examined, Verdict, examine},
    migrate,
};
use mongodb::bson::doc;

async fn of(config: &StorageConfig, store: &str) -> Examined {
    let found = examine(config).await.into_iter().find(|examined| examined.store == store);
    found.unwrap()
}

fn check<'a>(examined: &'a Examined, subject: &str) -> &'a Check {
    examined.checks.iter().find(|check| check.subject == subject).unwrap()
}

#[tokio::test]
async fn a_sqlite_file_is_good_and_a_missing_index_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("izanagi.db");
    let config = StorageConfig::new(format!("sqlite://{}", file.display()));
    let before = of(&config, "users").await;
    assert_eq!(check(&before, "reach").verdict, Verdict::Note);
    assert!(!file.exists(), "it creates nothing");
    migrate(&config).await.unwrap();
    let good = of(&config, "users").await;
    for subject in ["version", "durability", "schema", "tables", "indexes"] {
        assert_eq!(check(&good, subject).verdict, Verdict::Good);
    }
    let opened = izanagi_storage::open(&config).await.unwrap();
    opened.tamper("DROP INDEX idx_outbox_due").await.unwrap();
    opened.close().await;
    let broken = of(&config, "users").await;
    assert_eq!(check(&broken, "indexes").found, "missing: idx_outbox_due");
    assert_eq!(broken.verdict(), Verdict::Bad);
    std::fs::write(&file, "no database at all, but long enough to be looked at").unwrap();
    assert_eq!(of(&config, "users").await.verdict(), Verdict::Bad);
}

#[tokio::test]
async fn a_postgresql_database_is_good_and_what_is_broken_is_named() {
    let Some(database) = PgDatabase::empty().await else { return };
    let config = StorageConfig::new(database.url());
    assert_eq!(check(&of(&config, "users").await, "schema").found, "empty");
    migrate(&config).await.unwrap();
    let good = of(&config, "users").await;
    for subject in
        ["version", "encoding", "durability", "clock", "schema", "tables", "indexes", "connections"]
    {
        assert_eq!(check(&good, subject).verdict, Verdict::Good, "{subject}");
    }
    database.run("DROP INDEX idx_outbox_due; DROP TABLE probes").await;
    database.run("UPDATE _sqlx_migrations SET version = version + 100 WHERE version = 1").await;
    let broken = of(&config, "users").await;
    assert_eq!(check(&broken, "indexes").found, "missing: idx_outbox_due");
    assert_eq!(check(&broken, "tables").found, "missing: probes");
    assert_eq!(check(&broken, "schema").verdict, Verdict::Bad);
    database.drop().await;
}

#[tokio::test]
async fn a_role_without_rights_and_a_server_that_is_not_durable_are_named() {
    let Some(database) = PgDatabase::migrated().await else { return };
    let role = format!("{}_reader", database.name);
    database
        .run(&format!(
            "CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; \
             ALTER ROLE {role} SET synchronous_commit = off"
        ))
        .await;
    let config = StorageConfig::new(database.url().replace("izanagi@", &format!("{role}@")));
    let examined = of(&config, "users").await;
    let rights = check(&examined, "rights");
    assert_eq!(rights.verdict, Verdict::Bad);
    assert!(rights.found.contains("documents") && rights.mend.is_some());
    let durability = check(&examined, "durability");
    assert_eq!(durability.verdict, Verdict::Bad);
    assert!(durability.found.contains("synchronous_commit"));
    database.drop().await;
    // Roles belong to the server.
    let other = PgDatabase::empty().await.unwrap();
    other.admin(&format!("DROP ROLE {role}")).await;
    other.drop().await;
}

#[tokio::test]
async fn a_mongodb_database_is_good_and_a_missing_index_is_named() {
    let Some(url) = services::url("TEST_MONGODB_URL") else { return };
    let mongo = TestMongo::new(&url).with_options("appName=tiger");
    let mut config = StorageConfig::new("memory://");
    config.documents = Some(mongo.config());
    let before = of(&config, "documents").await;
    assert_eq!(check(&before, "indexes").verdict, Verdict::Note);
    izanagi_storage::open(&config).await.unwrap().close().await;
    let good = of(&config, "documents").await;
    for subject in ["topology", "version", "durability", "rights", "indexes"] {
        assert_eq!(check(&good, subject).verdict, Verdict::Good, "{subject}");
    }
    assert!(!format!("{good:?}").contains("tiger"));
    let database = mongo.connect().await;
    let records = database.collection::<mongodb::bson::Document>("documents");
    records.drop_index("parent").await.unwrap();
    let broken = of(&config, "documents").await;
    assert_eq!(check(&broken, "indexes").found, "missing: parent");
    database.run_command(doc! { "dropDatabase": 1 }).await.unwrap();
}

#[tokio::test]
async fn a_redis_server_is_examined_once_and_its_death_is_told() {
    let Some(mut server) = RedisServer::start() else { return };
    let mut config = StorageConfig::new("memory://");
    config.redis = RedisConfig::all(&server.place());
    assert_eq!(examine(&config).await.len(), 2, "one place, although four stores are there");
    let good = of(&config, "revocations").await;
    for subject in ["clock", "rights", "version"] {
        assert_eq!(check(&good, subject).verdict, Verdict::Good, "{subject}");
    }
    server.kill();
    let dead = of(&config, "revocations").await;
    assert_eq!(check(&dead, "reach").verdict, Verdict::Bad);
}

#[tokio::test]
async fn servers_that_cannot_be_reached_hide_nothing_and_no_secret_is_told() {
    let mut config = StorageConfig::new("postgres://scott:tiger@127.0.0.1:9/notes");
    config.documents =
        Some(izanagi_storage::DocumentsConfig::new("mongodb://scott:tiger@127.0.0.1:9/"));
    config.redis = RedisConfig::all(&RedisPlace::new("redis://scott:tiger@127.0.0.1:9"));
    let examined = examine(&config).await;
    let stores: Vec<_> = examined.iter().map(|examined| examined.store).collect();
    assert_eq!(stores, ["users", "documents", "revocations"]);
    for store in &examined {
        assert_eq!(check(store, "reach").verdict, Verdict::Bad, "{store:?}");
    }
    assert!(!format!("{examined:?}").contains("tiger"));
}
