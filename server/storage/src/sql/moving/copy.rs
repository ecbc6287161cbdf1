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
        for table in &self.tables {
            self.copy_table(table).await?;
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

    /// What changes after a page was read is noted, so it does not matter that the page is old when it
    /// is written: nothing else writes to the target meanwhile.
    async fn copy_table(&self, table: &Table) -> StoreResult<()> {
        let (mut after, is_complete) = self.position(&table.name).await?;
        if is_complete {
            return Ok(());
        }
        for number in 1_usize.. {
            let rows::Page { rows, is_last } =
                rows::page(&self.source, table, after.as_ref()).await?;
            after = rows.last().map(|row| table.key_of(row)).or(after);
            let keys: Vec<_> = rows.iter().map(|row| table.key_of(row)).collect();
            self.put(table, &keys, &rows).await?;
            self.save_position(&table.name, after.as_ref(), is_last).await?;
            self.progress.add(keys.len());
            if is_last {
                break;
            }
            if number % PAGES == 0 {
                self.follow().await?;
            }
        }
        Ok(())
    }

    /// The key up to which some work on a table is done, and whether that is the end.
    pub(super) async fn position(&self, work: &str) -> StoreResult<(Option<Key>, bool)> {
        let query = Statement::with(
            "SELECT position, is_complete FROM moved_tables WHERE name = $1",
            args![work],
        );
        let Some(row) = self.target.fetch(Fresh, query).await?.into_iter().next() else {
            return Ok((None, false));
        };
        let position = row.get::<Option<Vec<u8>>>("position")?;
        Ok((position.and_then(|bytes| key_bytes::decode(&bytes)), row.get("is_complete")?))
    }

    pub(super) async fn save_position(
        &self,
        work: &str,
        position: Option<&Key>,
        is_complete: bool,
    ) -> StoreResult<()> {
        let position = position.map(|key| key_bytes::encode(key));
        let save = Statement::with(
            "INSERT INTO moved_tables (name, position, is_complete) VALUES ($1, $2, $3) \
             ON CONFLICT (name) DO UPDATE SET position = excluded.position, \
             is_complete = excluded.is_complete",
            args![work, position, is_complete],
        );
        self.target.execute(save).await.map(drop)
    }
}
