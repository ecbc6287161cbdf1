//! The SQL provider. Each storage trait has one file of portable statements over
//! [`database::Database`]. Each database has a folder (`sqlite/`) with its driver, dialect, schema
//! and transaction strategy.

mod database;
mod postgres;
mod row;
mod sqlite;
mod statement;

mod append;
mod audit;
mod catalog;
mod cbor;
mod changes;
mod commit;
mod document_row;
mod edits;
mod forget;
mod id_bytes;
mod inspect;
mod intents;
mod keys;
mod ledger;
mod list;
mod live_log;
mod log_rows;
mod mend;
mod moves;
pub(crate) mod moving;
mod numbers;
mod outbox;
mod owners;
mod payload;
mod record_changes;
mod record_copies;
mod record_retention;
mod records;
mod restart;
mod revocations;
mod sessions;
mod shadow_marks;
mod users;
mod version_row;
mod versions;

pub(crate) use database::Database;
pub(crate) use postgres::{PgDb, PostgresPlace, Presence};
pub(crate) use sqlite::SqliteDb;
pub(crate) use statement::Statement;

use crate::routing::ShadowMarks;
use izanagi_domain::storage::{Clock, DocumentStore, Ids, Relational, Stores};
use std::{sync::Arc, time::Duration};

/// Creates the document store over a database.
pub(crate) fn documents<D: Database>(db: &Arc<D>, retention: Duration) -> Arc<dyn DocumentStore> {
    Arc::new(records::SqlRecords::new(Arc::clone(db), retention))
}

/// Creates the marks of a routed document store over a database.
pub(crate) fn shadow_marks<D: Database>(db: &Arc<D>, ids: &Arc<dyn Ids>) -> Arc<dyn ShadowMarks> {
    Arc::new(shadow_marks::SqlMarks { db: Arc::clone(db), ids: Arc::clone(ids) })
}

/// Creates all stores over one database, so that commits are atomic.
pub(crate) fn stores<D: Database>(
    db: &Arc<D>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
    retention: Duration,
) -> Stores {
    let (db, clock, ids) = (|| Arc::clone(db), || Arc::clone(clock), || Arc::clone(ids));
    let intents = Arc::new(intents::SqlIntents { db: db(), ids: ids() });
    let relational = Relational {
        users: Arc::new(users::SqlUsers { db: db(), ids: ids() }),
        sessions: Arc::new(sessions::SqlSessions { db: db(), ids: ids() }),
        catalog: Arc::new(catalog::SqlCatalog { db: db(), ids: ids() }),
        owners: Arc::new(owners::SqlOwners { db: db() }),
        versions: Arc::new(versions::SqlVersions { db: db(), ids: ids() }),
        atomic: Some(Arc::clone(&intents) as _),
        intents,
        log: Arc::new(live_log::SqlLiveLog { db: db() }),
        segments: Arc::new(edits::SqlEdits { db: db() }),
        changes: Arc::new(changes::SqlChanges { db: db() }),
        outbox: Arc::new(outbox::SqlOutbox { db: db(), ids: ids() }),
        audit: Arc::new(audit::SqlAudit { db: db() }),
        keys: Arc::new(keys::SqlKeys { db: db(), ids: ids() }),
        inspect: Arc::new(inspect::SqlInspect { db: db() }),
        mend: Arc::new(mend::SqlMend { db: db() }),
        upkeep: Arc::new(forget::SqlUpkeep { db: db() }),
        moves: Arc::new(moves::SqlMoves { db: db(), ids: ids() }),
    };
    Stores {
        relational,
        documents: documents(&db(), retention),
        routing: None,
        revocations: Arc::new(revocations::SqlRevocations { db: db(), clock: clock() }),
        bus: Arc::new(izanagi_domain::storage::LocalBus::default()),
        cache: Arc::new(izanagi_domain::storage::LocalCache::new(crate::CACHE_BYTES)),
        counters: None,
        movers: Vec::new(),
    }
}
