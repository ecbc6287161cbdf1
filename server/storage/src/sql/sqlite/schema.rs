//! Schema migrations. A released step is never changed.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType},
};
use std::borrow::Cow;

const STEPS: [(&str, &str); 3] = [
    ("schema", include_str!("../migrations/sqlite/0001_schema.sql")),
    ("moves", include_str!("../migrations/sqlite/0002_moves.sql")),
    ("origins", include_str!("../migrations/sqlite/0003_origins.sql")),
];

/// The text of each step, in order.
pub(super) fn steps() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|(_, sql)| *sql)
}

/// All steps.
pub(super) fn migrations() -> Vec<Migration> {
    let step = |(version, (name, sql)): (i64, (&'static str, &'static str))| {
        let (kind, sql) = (MigrationType::Simple, sql.into_sql_str());
        Migration::new(version, Cow::Borrowed(name), kind, sql, false)
    };
    (1..).zip(STEPS).map(step).collect()
}
