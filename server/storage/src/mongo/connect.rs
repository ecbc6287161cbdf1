//! Connecting: what the URL may choose, and what is always the same.

use super::{MongoDb, PARENT_INDEX, PURGE_INDEX, RECORD_INDEX};
use crate::{config::DocumentsConfig, error::OpenError};
use izanagi_domain::storage::Ids;
use mongodb::{
    Client, Collection, IndexModel,
    bson::{Document, RawDocumentBuf, doc},
    event::{
        EventHandler,
        cmap::{CmapEvent, ConnectionClosedReason},
    },
    options::{
        Acknowledgment, ClientOptions, ConnectionString, IndexOptions, ReadConcern, ReadPreference,
        ReturnDocument, SelectionCriteria, WriteConcern,
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::RwLock;

/// How long a start waits for the server.
const START: Duration = Duration::from_secs(5);
/// How long a call waits for a server that can take it. The driver's 30 s hide an outage.
const SELECTION: Duration = Duration::from_secs(3);
/// Time limit of a call, unless the URL has a `socketTimeoutMS`.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the server waits for the majority. Less than the usual time limit of a call, so that the
/// server gives up first.
const MAJORITY: Duration = Duration::from_secs(8);
/// Connections, unless the URL says otherwise.
const CONNECTIONS: u32 = 32;

/// The collection of what belongs to the store itself.
pub(super) const SYSTEM: &str = "sysCollection";

/// The setting in error messages.
const SETTING: &str = "storage.documents.url (MONGODB_URL)";

/// Connects, checks the server and creates missing indexes.
pub(crate) async fn open(
    config: &DocumentsConfig,
    ids: &dyn Ids,
) -> Result<Arc<MongoDb>, OpenError> {
    match tokio::time::timeout(START, connect(config, ids)).await {
        Ok(opened) => opened,
        Err(_) => {
            let cause = format!("no answer within {} s", START.as_secs());
            Err(unreachable(&config.url.to_string(), &cause))
        }
    }
}

async fn connect(config: &DocumentsConfig, ids: &dyn Ids) -> Result<Arc<MongoDb>, OpenError> {
    let interruptions = Arc::new(AtomicU64::new(0));
    let (options, limit) = options(config, &interruptions).await?;
    let database = database_name(config, &options);
    check_name("storage.documents.database", &database, &['/', '\\', '.', ' ', '"', '$'])?;
    check_name("storage.documents.collection", &config.collection, &['$'])?;
    let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
    let hosts = hosts.join(",");
    let failed = |error: mongodb::error::Error| unreachable(&hosts, &super::errors::text(&error));
    let client = Client::with_options(options).map_err(failed)?;
    let handle = client.database(&database);
    let hello = handle.run_command(doc! { "hello": 1 }).await.map_err(failed)?;
    require_replica_set(&hosts, &hello)?;
    let records = handle.collection::<RawDocumentBuf>(&config.collection);
    ensure_indexes(&records).await.map_err(failed)?;
    let server = handle.run_command(doc! { "buildInfo": 1 }).await.map_err(failed)?;
    let version = server.get_str("version").unwrap_or("of unknown version");
    let description = format!("MongoDB {version}, {hosts}, {database}.{}", config.collection);
    let system = handle.collection::<Document>(SYSTEM);
    let store = identity(&system, &config.collection, ids.uuid()).await.map_err(failed)?;
    Ok(Arc::new(MongoDb {
        client,
        records,
        description,
        store,
        limit,
        retention: config.soft_delete_retention,
        reads_replicas: config.reads_replicas,
        closed: Arc::default(),
        calls: RwLock::default(),
        interruptions,
    }))
}

/// The database: that of the setting, of the URL, or the usual one.
pub(super) fn database_name(config: &DocumentsConfig, options: &ClientOptions) -> String {
    match (&config.database, &options.default_database) {
        (Some(name), _) | (None, Some(name)) => name.clone(),
        (None, None) => DocumentsConfig::DATABASE.to_owned(),
    }
}

pub(super) async fn options(
    config: &DocumentsConfig,
    interruptions: &Arc<AtomicU64>,
) -> Result<(ClientOptions, Duration), OpenError> {
    let url = config.url.expose();
    let (scheme, _) = url.split_once("://").unwrap_or((url, ""));
    if !matches!(scheme, "mongodb" | "mongodb+srv") {
        // The rest may contain a password.
        return Err(OpenError::Setting {
            name: SETTING,
            given: format!("a URL that begins with “{scheme}”"),
            allowed: "mongodb://… or mongodb+srv://…".to_owned(),
        });
    }
    let wrong = |error: mongodb::error::Error| {
        let why = hide_secrets(&super::errors::text(&error), url);
        OpenError::Setting {
            name: SETTING,
            given: format!("{} ({why})", config.url),
            allowed: "a valid mongodb:// or mongodb+srv:// URL".to_owned(),
        }
    };
    let mut parsed = ConnectionString::parse(url).map_err(wrong)?;
    // The driver knows the option, but refuses it instead of applying it.
    #[allow(deprecated)]
    let limit = parsed.socket_timeout.take().filter(|limit| !limit.is_zero()).unwrap_or(LIMIT);
    let mut options = ClientOptions::parse(parsed).await.map_err(wrong)?;
    options.app_name.get_or_insert_with(|| "izanagi".to_owned());
    options.server_selection_timeout.get_or_insert(SELECTION);
    options.connect_timeout.get_or_insert(SELECTION);
    options.max_pool_size.get_or_insert(CONNECTIONS);
    // Correctness rests on these, so they are no choice of the URL.
    options.write_concern = Some(
        WriteConcern::builder()
            .w(Acknowledgment::Majority)
            .journal(true)
            .w_timeout(MAJORITY)
            .build(),
    );
    options.read_concern = Some(ReadConcern::majority());
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    options.retry_writes = Some(true);
    options.retry_reads = Some(true);
    let interruptions = Arc::clone(interruptions);
    options.cmap_event_handler = Some(EventHandler::callback(move |event| {
        if is_interruption(&event) {
            interruptions.fetch_add(1, Ordering::SeqCst);
        }
    }));
    Ok((options, limit))
}

/// Whether a command may have been sent whose reply was lost.
fn is_interruption(event: &CmapEvent) -> bool {
    match event {
        CmapEvent::PoolCleared(_) => true,
        CmapEvent::ConnectionClosed(closed) => {
            matches!(closed.reason, ConnectionClosedReason::Error | ConnectionClosedReason::Dropped)
        }
        _ => false,
    }
}

/// A single server has no retryable writes and no change streams.
pub(super) fn require_replica_set(hosts: &str, hello: &Document) -> Result<(), OpenError> {
    let is_set = hello.contains_key("setName") || matches!(hello.get_str("msg"), Ok("isdbgrid"));
    if is_set {
        return Ok(());
    }
    Err(OpenError::Setting {
        name: SETTING,
        given: format!("{hosts}, a server by itself"),
        allowed: "a replica set (of one node or more) or a sharded cluster".to_owned(),
    })
}

/// Returns the identity of the store, which its first start chooses.
async fn identity(
    system: &Collection<Document>,
    collection: &str,
    new: uuid::Uuid,
) -> Result<String, mongodb::error::Error> {
    let new = doc! { "$setOnInsert": { "store": new.simple().to_string() } };
    let found = system
        .find_one_and_update(doc! { "_id": format!("identity of {collection}") }, new)
        .upsert(true)
        .return_document(ReturnDocument::After)
        .await?;
    Ok(found.and_then(|found| found.get_str("store").map(str::to_owned).ok()).unwrap_or_default())
}

async fn ensure_indexes(records: &Collection<RawDocumentBuf>) -> Result<(), mongodb::error::Error> {
    let index = |name: &str, keys| {
        let options = IndexOptions::builder().name(name.to_owned()).build();
        IndexModel::builder().keys(keys).options(options).build()
    };
    let indexes = [
        index(RECORD_INDEX, doc! { "collection": 1, "_id": 1 }),
        index(PARENT_INDEX, doc! { "parent": 1 }),
        index(PURGE_INDEX, doc! { "deleted": 1, "updatedAt": 1 }),
    ];
    records.create_indexes(indexes).await.map(drop)
}

fn check_name(setting: &'static str, name: &str, without: &[char]) -> Result<(), OpenError> {
    let is_good = !name.is_empty()
        && name.len() <= 63
        && !name.contains(|c: char| c == '\0' || without.contains(&c))
        && !name.starts_with("system.");
    if is_good {
        return Ok(());
    }
    Err(OpenError::Setting {
        name: setting,
        given: format!("{name:?}"),
        allowed: "1 to 63 bytes without / \\ . $ \" and spaces".to_owned(),
    })
}

fn unreachable(hosts: &str, cause: &str) -> OpenError {
    OpenError::Unreachable { name: SETTING, given: hosts.to_owned(), cause: cause.to_owned() }
}

/// Replaces what a message repeats of the user, the password and the values of options.
fn hide_secrets(message: &str, url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (user, hosts) = rest.rsplit_once('@').unwrap_or(("", rest));
    let options = hosts.split_once('?').map_or("", |(_, options)| options);
    let values = options.split('&').filter_map(|option| option.split_once('='));
    let secrets = [user].into_iter().chain(user.split(':')).chain(values.map(|(_, value)| value));
    secrets
        .filter(|secret| !secret.is_empty())
        .fold(message.to_owned(), |hidden, secret| hidden.replace(secret, "…"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_domain::storage::SystemIds;
    use rstest::rstest;

    #[rstest]
    #[case("postgres://scott:tiger@host/db")]
    #[case("mongodb://scott:ti/ger@host/db")]
    #[case("mongodb://scott:tiger@host:port/")]
    #[case("mongodb://scott:tiger@/db")]
    #[case("mongodb://scott:tiger@host/?authMechanism=tiger")]
    #[case("mongodb://scott:tiger@host/?tls=tiger")]
    #[case("mongodb://scott:tiger:tiger@host/")]
    #[case("mongodb://")]
    #[case("tiger")]
    #[tokio::test]
    async fn a_wrong_url_is_refused_without_repeating_secrets(#[case] url: &str) {
        let refused = open(&DocumentsConfig::new(url), &SystemIds).await.err().unwrap().to_string();
        assert!(refused.contains(SETTING) && refused.contains("mongodb"), "{refused}");
        let is_scheme = url == "tiger";
        assert!(is_scheme || !refused.contains("tiger"), "{refused}");
    }

    #[rstest]
    #[case("a/b", "documents")]
    #[case("", "documents")]
    #[case("izanagi", "")]
    #[case("izanagi", "system.users")]
    #[case("izanagi", "a$b")]
    #[tokio::test]
    async fn a_wrong_name_is_refused(#[case] database: &str, #[case] collection: &str) {
        let mut config = DocumentsConfig::new("mongodb://127.0.0.1:9");
        config.database = Some(database.to_owned());
        config.collection = collection.to_owned();
        let refused = open(&config, &SystemIds).await.err().unwrap().to_string();
        assert!(refused.contains("storage.documents."), "{refused}");
    }

    #[tokio::test]
    async fn an_unreachable_server_is_reported_soon() {
        let config = DocumentsConfig::new("mongodb://scott:tiger@127.0.0.1:9/?retryWrites=false");
        let begun = std::time::Instant::now();
        let refused = open(&config, &SystemIds).await.err().unwrap().to_string();
        assert!(begun.elapsed() < START + Duration::from_secs(1));
        assert!(refused.contains("127.0.0.1:9") && !refused.contains("tiger"), "{refused}");
    }
}
