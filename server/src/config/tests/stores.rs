//! What the settings of the stores mean together.

use super::{Pairs, with, with_file};
use rstest::rstest;
use std::time::Duration;

const POSTGRES: (&str, &str) = ("DATABASE_URL", "postgres://p/db");
const MONGO: (&str, &str) = ("MONGODB_URL", "mongodb://m/db");

#[rstest]
#[case::mongo(&[("IZANAGI_STORAGE_DOCUMENTS_BACKEND", "mongo")], "storage.documents.backend", "mongo", "MONGODB_URL")]
#[case::bus(&[("IZANAGI_STORAGE_BUS_BACKEND", "redis")], "storage.bus.backend", "redis", "REDIS_URL")]
#[case::revocations(
    &[("IZANAGI_STORAGE_REVOCATIONS_BACKEND", "redis")],
    "storage.revocations.backend", "redis", "REDIS_URL"
)]
#[case::users(
    &[POSTGRES, ("IZANAGI_STORAGE_USERS_BACKEND", "sqlite")],
    "storage.users.backend", "sqlite with the URL postgres://p", "use postgres"
)]
#[case::documents(
    &[MONGO, ("IZANAGI_STORAGE_DOCUMENTS_BACKEND", "postgres")],
    "storage.documents.backend", "postgres with the URL mongodb://m", "use mongo"
)]
#[case::replicas_of_sqlite(
    &[("IZANAGI_STORAGE_USERS_REPLICAS", "postgres://a:secret@r/db")],
    "storage.users.replicas", "postgres://r", "only PostgreSQL"
)]
#[case::no_replicas(
    &[("IZANAGI_STORAGE_ROUTING_USERS_STRATEGY", "read-replica")],
    "storage.routing.users.strategy", "read-replica", "storage.users.replicas"
)]
#[case::unused_replicas(
    &[POSTGRES, ("IZANAGI_STORAGE_USERS_REPLICAS", "postgres://r/db"),
      ("IZANAGI_STORAGE_ROUTING_USERS_STRATEGY", "single")],
    "storage.routing.users.strategy", "single", "read-replica"
)]
#[case::database_in_postgres(
    &[POSTGRES, ("IZANAGI_STORAGE_DOCUMENTS_DATABASE", "notes"),
      ("IZANAGI_STORAGE_DOCUMENTS_URL", "postgres://d/db")],
    "storage.documents.database", "notes", "storage.documents.url"
)]
#[case::direct_url_of_sqlite(
    &[("IZANAGI_STORAGE_USERS_DIRECT_URL", "postgres://a:secret@r/db")],
    "storage.users.directUrl", "postgres://r", "only PostgreSQL"
)]
#[case::no_url(
    &[("IZANAGI_STORAGE_USERS_BACKEND", "postgres")],
    "storage.users.backend", "postgres", "DATABASE_URL"
)]
#[case::file_beside_server(
    &[POSTGRES, ("IZANAGI_STORAGE_DOCUMENTS_URL", "sqlite://a.db")],
    "storage.documents.url", "sqlite://a.db", "file of its own"
)]
fn a_contradiction_is_named(
    #[case] settings: Pairs<'_>,
    #[case] name: &str,
    #[case] given: &str,
    #[case] allowed: &str,
) {
    let error = with(settings).unwrap().stores().unwrap_err();
    assert_eq!((error.name.as_str(), error.given.as_str()), (name, given));
    assert!(error.allowed.contains(allowed) && !error.to_string().contains("secret"), "{error}");
}

#[test]
fn stores_go_where_there_is_a_url() {
    let none = with(&[]).unwrap().stores().unwrap();
    assert!(none.documents.is_none() && none.redis.bus.is_none());
    let yaml = "storage:\n  documents: { url: 'mongodb://m/db', softDeleteRetention: 7d }\n  \
                bus: { prefix: notes }\n  limits: { backend: process }\n";
    let urls = [("DATABASE_URL", "postgres://p/db"), ("REDIS_URL", "redis://r")];
    let stores = with_file(yaml, &urls).unwrap().stores().unwrap();
    assert_eq!(stores.url.expose(), "postgres://p/db");
    let documents = stores.documents.unwrap();
    assert_eq!(documents.url.expose(), "mongodb://m/db");
    let week = Duration::from_secs(7 * 24 * 60 * 60);
    assert_eq!((documents.soft_delete_retention, stores.retention), (week, week));
    let (bus, cache) = (stores.redis.bus.unwrap(), stores.redis.cache.unwrap());
    assert_eq!((bus.prefix.as_str(), bus.url.expose()), ("notes", "redis://r"));
    assert_eq!(cache.prefix, "izanagi");
    assert!(stores.redis.revocations.is_some() && stores.redis.limits.is_none());
    let here = [("DATABASE_URL", "memory://"), ("IZANAGI_STORAGE_DOCUMENTS_BACKEND", "users")];
    assert!(with_file(yaml, &here).unwrap().stores().unwrap().documents.is_none());
}

/// A name that is ignored would let two installations share keys of one Redis.
#[test]
fn a_former_variable_is_refused() {
    let error = with(&[("IZANAGI_STORAGE_REDIS_PREFIX", "notes")]).unwrap_err();
    assert_eq!(error.name, "IZANAGI_STORAGE_REDIS_PREFIX");
    assert!(error.allowed.contains("IZANAGI_STORAGE_BUS_PREFIX"), "{error}");
}

#[test]
fn a_long_variable_goes_before_the_short_one() {
    let settings = [
        ("REDIS_URL", "redis://one"),
        ("IZANAGI_STORAGE_CACHE_URL", "redis://two"),
        ("DATABASE_URL", "memory://"),
        ("IZANAGI_STORAGE_USERS_URL", "sqlite://a.db"),
    ];
    let stores = with(&settings).unwrap().stores().unwrap();
    assert_eq!(stores.redis.cache.unwrap().url.expose(), "redis://two");
    assert_eq!(stores.redis.bus.unwrap().url.expose(), "redis://one");
    assert_eq!(stores.url.expose(), "sqlite://a.db");
}
