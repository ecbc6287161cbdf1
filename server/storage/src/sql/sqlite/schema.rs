//! The schema, step by step. A step that was released is never changed.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType},
};
use std::borrow::Cow;

const STEPS: [(&str, &str); 7] = [
    ("accounts", include_str!("../migrations/sqlite/0001_accounts.sql")),
    ("documents", include_str!("../migrations/sqlite/0002_documents.sql")),
    ("live log", include_str!("../migrations/sqlite/0003_live_log.sql")),
    ("versions", include_str!("../migrations/sqlite/0004_versions.sql")),
    ("records", include_str!("../migrations/sqlite/0005_records.sql")),
    ("upkeep", include_str!("../migrations/sqlite/0006_upkeep.sql")),
    ("requests", include_str!("../migrations/sqlite/0007_requests.sql")),
];

/// Every step.
pub(in crate::sql) fn migrations() -> Vec<Migration> {
    let step = |(version, (name, sql)): (i64, (&'static str, &'static str))| {
        let (kind, sql) = (MigrationType::Simple, sql.into_sql_str());
        Migration::new(version, Cow::Borrowed(name), kind, sql, false)
    };
    (1..).zip(STEPS).map(step).collect()
}
