//! Following what changes at the source.

use super::{
    Engine, Switch,
    dialect::statement,
    key_bytes, rows,
    table::{Key, Table},
};
use crate::sql::{
    database::Database as _,
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::{Freshness::Fresh, StoreResult};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Rounds of catching up. A pause that begins too early is given up, and does no harm.
const ROUNDS: u32 = 40;

/// A round that takes less leaves no more than a pause can copy.
const SHORT: Duration = Duration::from_millis(250);

/// Notes of a table that are read in a round: others go on writing.
const PAGES: usize = 8;

/// How much a write is delayed at first, and at most, if the copy does not catch up.
const DELAY: Duration = Duration::from_millis(1);
const LONGEST_DELAY: Duration = Duration::from_millis(250);

impl Engine {
    /// Copies noted rows until a round finds few. Writers who are faster are slowed down a little, and
    /// stay so until the switch.
    pub(crate) async fn catch_up(&self, few: usize, writers: &Switch) -> StoreResult<()> {
        self.unlink().await?;
        let mut delay = DELAY;
        for round in 0..ROUNDS {
            let begun = Instant::now();
            let followed = self.follow().await?;
            tracing::debug!(round, followed, ?delay, "changes were copied");
            if followed <= few || (round > 1 && begun.elapsed() < SHORT) {
                break;
            }
            // The first round had all that changed during the copy.
            if round > 1 {
                writers.slow_down(delay);
                delay = (delay * 2).min(LONGEST_DELAY);
            }
        }
        Ok(())
    }

    /// Copies noted rows until none are left. Nobody may write.
    pub(super) async fn drain(&self) -> StoreResult<()> {
        while self.follow().await? > 0 {}
        Ok(())
    }

    /// Copies the rows that were noted, once; returns the number of notes. A note is older than the
    /// row that is read because of it, and is removed only when the target has that row: what changes
    /// in between has left a note of its own.
    pub(super) async fn follow(&self) -> StoreResult<usize> {
        let (mut followed, mut done) = (0, Vec::new());
        for table in self.noted().await? {
            let mut after = 0_i64;
            for _ in 0..PAGES {
                let numbers = self.follow_page(table, &mut after).await?;
                let is_last = numbers.len() < rows::ROWS;
                followed += numbers.len();
                let mut delete = Statement::new("DELETE FROM ");
                delete.push(&table.notes()).push(" WHERE moving_number IN ").push_list(numbers);
                done.push(delete);
                if is_last {
                    break;
                }
            }
            // A kill lets little be done again, and the pause has one transaction for all tables.
            if done.len() > PAGES {
                self.source.execute_all(std::mem::take(&mut done)).await?;
            }
        }
        if !done.is_empty() {
            self.source.execute_all(done).await?;
        }
        Ok(followed)
    }

    /// The tables with notes.
    async fn noted(&self) -> StoreResult<Vec<&Table>> {
        let mut query = Statement::new("");
        for (index, table) in self.tables.iter().enumerate() {
            query.push(if index == 0 { "" } else { " UNION ALL " });
            let notes = table.notes();
            query.push(&format!("SELECT {index} AS place WHERE EXISTS (SELECT 1 FROM {notes})"));
        }
        let mut noted = Vec::new();
        for row in self.source.fetch(Fresh, query).await? {
            let place = usize::try_from(row.get::<u64>("place")?).unwrap_or(usize::MAX);
            noted.extend(self.tables.get(place));
        }
        Ok(noted)
    }

    /// Copies the rows of a page of notes; returns their numbers.
    async fn follow_page(&self, table: &Table, after: &mut i64) -> StoreResult<Vec<i64>> {
        let mut query = Statement::new("SELECT moving_number, ");
        query.push(&table.keys()).push(" FROM ").push(&table.notes());
        query.push(" WHERE moving_number > ").push_arg(*after);
        query.push(&format!(" ORDER BY moving_number LIMIT {}", rows::ROWS));
        let mut numbers = Vec::new();
        let mut keys = BTreeMap::new();
        for note in self.source.fetch(Fresh, query).await? {
            *after = note.get("moving_number")?;
            numbers.push(*after);
            let key = without_number(note);
            keys.insert(key_bytes::encode(&key), key);
        }
        if !keys.is_empty() {
            self.reconcile(table, keys.into_values().collect()).await?;
        }
        Ok(numbers)
    }

    /// A query that returns a row if anything is noted. For the transaction that ends the move.
    pub(super) fn any_notes(&self) -> Statement {
        let exists = |table: &Table| format!("EXISTS (SELECT 1 FROM {})", table.notes());
        let parts: Vec<_> = self.tables.iter().map(exists).collect();
        let mut query = Statement::with("SELECT 1 AS noted WHERE $1 AND (", args![true]);
        query.push(&parts.join(" OR ")).push(")");
        query
    }

    /// Lets the target take rows without what they refer to, and remembers how it was.
    pub(super) async fn unlink(&self) -> StoreResult<()> {
        let links = super::dialect::of(&self.target).catalogue().links;
        let Some(links) = links else { return Ok(()) };
        let mut statements = Vec::new();
        for row in self.target.fetch(Fresh, Statement::new(links)).await? {
            let (table, name): (String, String) = (row.get("table_name")?, row.get("link_name")?);
            let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
            statements.push(Statement::with(
                "INSERT INTO moved_links (table_name, name, definition) VALUES ($1, $2, $3) \
                 ON CONFLICT (table_name, name) DO UPDATE SET definition = excluded.definition",
                args![table, name, row.get::<String>("definition")?],
            ));
            statements.push(statement(&drop));
        }
        super::run_all(&self.target, statements).await
    }
}

fn without_number(note: Row) -> Key {
    note.into_cells().into_iter().skip(1).collect()
}
