//! What the settings of the stores mean together.

use super::{Pairs, with, with_file};
use izanagi_storage::{DocumentsRouting, Reads};
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
#[case::one_place(
    &[("IZANAGI_STORAGE_ROUTING_DOCUMENTS_STRATEGY", "dual-write")],
    "storage.routing.documents.strategy", "dual-write", "storage.documents.url"
)]
#[case::unknown_place(
    &[MONGO, ("IZANAGI_STORAGE_ROUTING_DOCUMENTS_STRATEGY", "dual-write"),
      ("IZANAGI_STORAGE_ROUTING_DOCUMENTS_PRIMARY", "postgres")],
    "storage.routing.documents.primary", "postgres", "use sqlite or mongo"
)]
#[case::twice_the_same(
    &[MONGO, ("IZANAGI_STORAGE_ROUTING_DOCUMENTS_STRATEGY", "dual-write"),
      ("IZANAGI_STORAGE_ROUTING_DOCUMENTS_PRIMARY", "mongo"),
      ("IZANAGI_STORAGE_ROUTING_DOCUMENTS_SHADOW", "documents")],
    "storage.routing.documents.shadow", "documents", "another place"
)]
#[case::ambiguous(
    &[POSTGRES, ("IZANAGI_STORAGE_DOCUMENTS_URL", "postgres://q/db"),
      ("IZANAGI_STORAGE_ROUTING_DOCUMENTS_STRATEGY", "dual-write"),
      ("IZANAGI_STORAGE_ROUTING_DOCUMENTS_PRIMARY", "postgres")],
    "storage.routing.documents.primary", "postgres", "users or documents"
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

#[rstest]
#[case::default("", true, Reads::Primary, true)]
#[case::by_backend("primary: sqlite, reads: both", false, Reads::Both, true)]
#[case::by_shadow("shadow: sqlite, writes: primary", true, Reads::Primary, false)]
#[case::by_name("primary: users, shadow: mongo, reads: shadow", false, Reads::Shadow, true)]
fn documents_can_be_in_two_places(
    #[case] options: &str,
    #[case] own_first: bool,
    #[case] reads: Reads,
    #[case] mirrors: bool,
) {
    let yaml = format!(
        "storage:\n  documents: {{ url: 'mongodb://m/db' }}\n  routing:\n    \
         documents: {{ strategy: dual-write, {options} }}\n"
    );
    let stores = with_file(&yaml, &[]).unwrap().stores().unwrap();
    assert_eq!(stores.routing, DocumentsRouting::DualWrite { own_first, reads, mirrors });
}
