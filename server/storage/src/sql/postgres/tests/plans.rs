//! Plans of the queries that must stay fast when tables are large. The stores run over a database
//! that explains each query before it answers.

use super::{TestDb, one, run};
use crate::sql::{
    append, catalog, changes,
    database::Database,
    live_log,
    numbers::Numbers,
    outbox,
    postgres::{PgDb, transaction::PgTransaction},
    records,
    row::Row,
    statement::Statement,
    users, versions,
};
use futures::future::BoxFuture;
use izanagi_domain::storage::{
    Catalog as _, Changes as _, Claim, Cursor, CursorKey, DocumentFilter, DocumentStore as _,
    Freshness, LiveLog as _, Outbox as _, RecordIndex, RecordPath, StoreResult, SystemIds, Topic,
    UserStore as _, VersionFilter, VersionStore as _,
};
use izanagi_shared::{
    id::{ActorId, CommitId, DocumentId, UserId},
    time::Timestamp,
    wire::DocumentSort,
};
use parking_lot::Mutex;
use std::sync::Arc;
use uuid::Uuid;

/// 100,000 documents of 200 owners, and one document with 100,000 versions and edits.
const FILL: &str = "
INSERT INTO users (id, username, email, display_name, bio, role, password_hash, created_at)
    SELECT uuid(lpad(to_hex(n), 32, '0')), 'name' || n, 'name' || n || '@example.org', '', '',
    'user', '', 1 FROM generate_series(1, 200) AS n;
INSERT INTO documents (id, kind, title, title_folded, description, description_folded, created_by,
    last_modified_by, head_version, live_seq, lineage, lineage_seq, forgotten_seq, meta_rev, text_seq,
    content_hash, content_length, word_count, is_public, is_template, details_hash, live_hash,
    text_hash, head_hash, request_key, request_hash, created_at, updated_at)
    SELECT uuid(lpad(to_hex(n), 32, '0')), 'text', 'Title ' || n, 'title ' || n, '', '',
    uuid(lpad(to_hex(n % 200 + 1), 32, '0')), uuid(lpad(to_hex(n % 200 + 1), 32, '0')), 0, 0,
    decode(repeat('00', 16), 'hex'), 0, 0, 0, 0, sha256('a'), 0, 0, false, false,
    decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'),
    decode(repeat('00', 16), 'hex'), sha256(convert_to(CAST(n AS text), 'UTF8')), sha256('a'), n, n
    FROM generate_series(1, 100000) AS n;
INSERT INTO document_owners (document_id, user_id, created_at)
    SELECT id, created_by, 1 FROM documents;
INSERT INTO document_changes (document_id, kind, change_seq, at)
    SELECT id, 'created', row_number() OVER (), 1 FROM documents;
SELECT setval('change_numbers', 100000);
INSERT INTO versions (document_id, version_number, commit_id, content_hash, chain_hash,
    content_length, added, removed, message, facts_hash, keep_whole, is_delta, author_id,
    request_key, request_hash, created_at)
    SELECT uuid(lpad('1', 32, '0')), n, uuid(md5(CAST(n AS text))),
    sha256(convert_to(CAST(n AS text), 'UTF8')), sha256('a'), 1, 1, 1, '',
    decode(repeat('00', 16), 'hex'), false, false, uuid(lpad('1', 32, '0')),
    substr(sha256(convert_to(CAST(n AS text), 'UTF8')), 1, 16), decode(repeat('00', 16), 'hex'), n
    FROM generate_series(1, 100000) AS n;
INSERT INTO document_updates (document_id, seq, actor_id, delta, created_at)
    SELECT uuid(lpad(to_hex(n % 1000 + 1), 32, '0')), n, uuid(lpad('1', 32, '0')), 'x', n
    FROM generate_series(1, 100000) AS n;
INSERT INTO document_ops (document_id, actor_id, op_id, seq, delta_hash, quarantined, created_at)
    SELECT document_id, actor_id, decode(lpad(to_hex(seq), 32, '0'), 'hex'), seq,
    decode(repeat('00', 16), 'hex'), false, 1 FROM document_updates;
INSERT INTO document_snapshots (document_id, seq, from_seq, state, created_at)
    SELECT id, 0, 1, 'x', 1 FROM documents;
INSERT INTO collections (name) SELECT 'documents/' || n || '/contents' FROM generate_series(1, 1000) AS n;
INSERT INTO records (collection, id, version, created_at, updated_at, deleted, data)
    SELECT n % 1000 + 1, decode(lpad(to_hex(n), 32, '0'), 'hex'), 1, 1, 1, false, 'x'
    FROM generate_series(1, 100000) AS n;
INSERT INTO outbox (id, topic, key, payload, attempts, run_at, parked, queued_at)
    SELECT uuid(md5(CAST(n AS text))), 'demote', CAST(n AS text), '', 0, n, false, n
    FROM generate_series(1, 20000) AS n;
";

/// Explains queries, then runs them.
struct Explaining {
    db: Arc<PgDb>,
    /// Lines of plans that read a whole large table, with the query.
    scans: Mutex<Vec<String>>,
    explained: Mutex<usize>,
}

const LARGE: [&str; 9] = [
    "documents",
    "document_owners",
    "document_changes",
    "versions",
    "document_updates",
    "document_ops",
    "document_snapshots",
    "outbox",
    "records",
];

impl Explaining {
    async fn explain(&self, query: &Statement) -> StoreResult<()> {
        let mut explain = Statement::new("EXPLAIN ");
        explain.push_statement(query);
        let plan = self.db.fetch(Freshness::Fresh, explain).await?;
        let lines = plan.iter().map(|row| row.get::<String>("QUERY PLAN"));
        let lines: Vec<String> = lines.collect::<StoreResult<_>>()?;
        let is_large = |line: &&String| {
            let table = line.split_once("Seq Scan on ").map_or("", |(_, rest)| rest);
            LARGE.contains(&table.split(' ').next().unwrap_or_default())
        };
        if let Some(line) = lines.iter().find(is_large) {
            let (text, _) = query.clone().into_parts();
            self.scans.lock().push(format!("{line}: {text}\n{}", lines.join("\n")));
        }
        *self.explained.lock() += 1;
        Ok(())
    }
}

impl Database for Explaining {
    type Transaction = PgTransaction;

    async fn fetch(&self, freshness: Freshness, query: Statement) -> StoreResult<Vec<Row>> {
        self.explain(&query).await?;
        self.db.fetch(freshness, query).await
    }

    async fn execute(&self, statement: Statement) -> StoreResult<u64> {
        self.explain(&statement).await?;
        self.db.execute(statement).await
    }

    async fn write<T, W>(&self, work: W) -> StoreResult<T>
    where
        T: Send + 'static,
        W: for<'t> Fn(&'t mut PgTransaction) -> BoxFuture<'t, StoreResult<T>>
            + Send
            + Sync
            + 'static,
    {
        self.db.write(work).await
    }

    async fn settled(&self, numbers: Numbers) -> StoreResult<u64> {
        self.db.settled(numbers).await
    }

    async fn execute_gated(
        &self,
        gate: Statement,
        statements: Vec<Statement>,
    ) -> StoreResult<Option<bool>> {
        match crate::sql::postgres::gated::gated(&gate, &statements) {
            Some(statement) => self.execute(statement).await.map(|changed| Some(changed > 0)),
            None => Ok(None),
        }
    }

    async fn integrity(&self) -> StoreResult<Vec<String>> {
        self.db.integrity().await
    }

    async fn close(&self) {
        self.db.close().await;
    }
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

async fn lists(db: &Arc<Explaining>) {
    let catalog = catalog::SqlCatalog { db: Arc::clone(db), ids: Arc::new(SystemIds) };
    let sorts = [
        (DocumentSort::Updated, CursorKey::Micros(50_000)),
        (DocumentSort::Created, CursorKey::Micros(50_000)),
        (DocumentSort::Title, CursorKey::Text("title 5".to_owned())),
    ];
    for (sort, key) in sorts {
        for words in [vec![], vec!["title".to_owned(), "9".to_owned()]] {
            for cursor in [None, Some(Cursor { key: key.clone(), id: id(1) })] {
                let filter = DocumentFilter {
                    visible_to: UserId(id(7)),
                    owner: None,
                    words: words.clone(),
                    trashed: Some(false),
                    sort,
                    cursor,
                    offset: 0,
                    limit: 50,
                };
                let (rows, total) = catalog.list(&filter).await.unwrap();
                assert!(!rows.is_empty() && total > 0, "{filter:?}");
            }
        }
    }
    catalog.get(DocumentId(id(77))).await.unwrap();
}

async fn history(db: &Arc<Explaining>) {
    let versions = versions::SqlVersions { db: Arc::clone(db), ids: Arc::new(SystemIds) };
    let document_id = DocumentId(id(1));
    for below in [None, Some(60_000)] {
        for named in [false, true] {
            let (offset, limit, freshness) = (0, 50, Freshness::Fresh);
            let filter = VersionFilter { document_id, below, offset, limit, named, freshness };
            versions.list(&filter).await.unwrap();
        }
    }
    assert_eq!(versions.range(document_id, 500, 520).await.unwrap().len(), 21);
    versions.get(Freshness::Fresh, document_id, 99_999).await.unwrap();
    // Nothing to be found; the search is what counts.
    assert!(versions.by_content(document_id, &[7; 32]).await.is_err());
    assert!(versions.by_request(&[7; 32]).await.is_err());
    assert!(versions.by_commit(CommitId(id(1))).await.is_err());
}

async fn log(db: &Arc<Explaining>) {
    let log = live_log::SqlLiveLog { db: Arc::clone(db) };
    let document = DocumentId(id(77));
    assert!(!log.load(document).await.unwrap().updates.is_empty());
    assert!(!log.since(document, 50_000).await.unwrap().updates.is_empty());
    assert!(log.known_op(document, ActorId(id(1)), "x").await.is_err());
    for query in append::known_for_tests(document, ActorId(id(1)), &["a", "b"], &[1, 2]) {
        db.explain(&query).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_search_history_and_log_use_indexes_in_large_tables() {
    let Some(test) = TestDb::open(one()).await else { return };
    let mut beside = test.connect().await;
    for statement in FILL.split(';') {
        run(&mut beside, statement.to_owned()).await;
    }
    run(&mut beside, "ANALYZE".to_owned()).await;
    let (scans, explained) = (Mutex::default(), Mutex::default());
    let db = Arc::new(Explaining { db: Arc::clone(&test.db), scans, explained });
    lists(&db).await;
    history(&db).await;
    log(&db).await;
    let changes = changes::SqlChanges { db: Arc::clone(&db) };
    assert_eq!(changes.since(70_000, 100).await.unwrap().changes.len(), 100);
    changes.newest().await.unwrap();
    let users = users::SqlUsers { db: Arc::clone(&db), ids: Arc::new(SystemIds) };
    users.by_login("name7").await.unwrap();
    let outbox = outbox::SqlOutbox { db: Arc::clone(&db), ids: Arc::new(SystemIds) };
    let claim = Claim {
        topic: Topic::Demote,
        worker: id(9),
        limit: 10,
        now: at(30_000),
        until: at(40_000),
        horizon: at(90_000),
    };
    assert_eq!(outbox.claim(&claim).await.unwrap().len(), 10);
    let records = records::SqlRecords::new(Arc::clone(&db), std::time::Duration::MAX);
    let path = RecordPath::from_parts("documents/1/contents", id(500).to_string());
    assert!(records.get(&path).await.is_err());
    let page = records.paths(RecordIndex::CollectionId, "documents/1/contents", None, 50, false);
    assert_eq!(page.await.unwrap().len(), 50);
    let scans = db.scans.lock().join("\n\n");
    assert!(scans.is_empty(), "{scans}");
    assert!(*db.explained.lock() > 40);
    drop(beside);
    test.close().await;
}
