//! The first copy of all rows.

use super::{
    Engine, key_bytes, rows,
    table::{Key, Table},
};
use crate::sql::{
    database::Database as _,
    statement::{Statement, args},
};
use izanagi_domain::storage::{Freshness::Fresh, StoreResult};

/// After so many pages, rows that changed meanwhile are copied, so that the notes stay short.
const PAGES: usize = 64;

impl Engine {
    /// Copies all rows that have not been copied yet.
    pub(crate) async fn copy(&self) -> StoreResult<()> {
        self.progress.begin(self.count().await?);
        for count in 1..=self.tables.len() {
            // Rows of later tables may refer to some that are not copied yet.
            let (begun, _) = self.tables.split_at(count);
            self.copy_last(begun).await?;
            self.follow_these(begun).await?;
        }
        Ok(())
    }

    /// The number of rows.
    async fn count(&self) -> StoreResult<u64> {
        let mut rows = 0;
        for table in &self.tables {
            let mut query = Statement::new("SELECT COUNT(*) AS rows FROM ");
            query.push(&table.quoted());
            rows += self.source.fetch_one(Fresh, query).await?.get::<u64>("rows")?;
        }
        Ok(rows)
    }

    /// Copies the last of the tables that have been begun.
    async fn copy_last(&self, begun: &[Table]) -> StoreResult<()> {
        let Some(table) = begun.last() else { return Ok(()) };
        let (mut after, is_complete) = self.copied(table).await?;
        if is_complete {
            return Ok(());
        }
        for number in 1_usize.. {
            let rows::Page { rows, is_last } =
                rows::page(&self.source, table, after.as_ref()).await?;
            after = rows.last().map(|row| table.key_of(row)).or(after);
            let copied = rows.len();
            let later = self.add(table, rows).await?;
            // They refer to rows that are newer than the copy of their table.
            self.note(table, &later).await?;
            self.save_copied(table, after.as_ref(), is_last).await?;
            self.progress.add(copied);
            if is_last {
                break;
            }
            if number % PAGES == 0 {
                self.follow_these(begun).await?;
            }
        }
        Ok(())
    }

    /// The key up to which a table is copied, and whether that is the end.
    async fn copied(&self, table: &Table) -> StoreResult<(Option<Key>, bool)> {
        let query = Statement::with(
            "SELECT position, is_complete FROM moved_tables WHERE name = $1",
            args![table.name.as_str()],
        );
        let Some(row) = self.target.fetch(Fresh, query).await?.into_iter().next() else {
            return Ok((None, false));
        };
        let position = row.get::<Option<Vec<u8>>>("position")?;
        Ok((position.and_then(|bytes| key_bytes::decode(&bytes)), row.get("is_complete")?))
    }

    async fn save_copied(
        &self,
        table: &Table,
        position: Option<&Key>,
        is_complete: bool,
    ) -> StoreResult<()> {
        let position = position.map(|key| key_bytes::encode(key));
        let save = Statement::with(
            "INSERT INTO moved_tables (name, position, is_complete) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET position = excluded.position, \
             is_complete = excluded.is_complete",
            args![table.name.as_str(), position, is_complete],
        );
        self.target.execute(save).await.map(drop)
    }
}
