//! Rows that changed since they were copied.

use super::{
    Engine, Switch, key_bytes, rows,
    table::{Key, Table},
};
use crate::sql::{
    database::Database as _,
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::{Freshness::Fresh, StoreError, StoreResult};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Rounds without progress after which rows that wait for others wait for something that does not
/// exist.
const PATIENCE: u32 = 5;

/// Rounds of catching up.
const ROUNDS: u32 = 200;

/// Pages of notes of a table in a round: others go on writing.
const PAGES: u32 = 8;

/// How much a write is delayed at first, and at most, if the copy does not catch up.
const DELAY: Duration = Duration::from_millis(1);
const LONGEST_DELAY: Duration = Duration::from_millis(100);

/// What a round has done.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Round {
    /// Notes of rows that are now equal.
    pub(crate) applied: usize,
    /// Rows that wait for others.
    pub(crate) waiting: usize,
}

impl Engine {
    /// Copies the rows that were noted, once.
    async fn follow(&self) -> StoreResult<Round> {
        self.follow_these(&self.tables).await
    }

    /// Copies the noted rows of these tables, once.
    pub(super) async fn follow_these(&self, tables: &[Table]) -> StoreResult<Round> {
        let mut round = Round::default();
        for table in tables {
            self.follow_table(table, &mut round).await?;
        }
        Ok(round)
    }

    /// Copies noted rows until a round finds few. Writers who are faster are slowed down a little, and
    /// stay so until the switch.
    pub(crate) async fn catch_up(&self, few: usize, writers: &Switch) -> StoreResult<()> {
        let mut delay = DELAY;
        for _ in 0..ROUNDS {
            let Round { applied, waiting } = self.follow().await?;
            if applied + waiting <= few {
                break;
            }
            writers.slow_down(delay);
            delay = (delay * 2).min(LONGEST_DELAY);
        }
        Ok(())
    }

    /// Copies noted rows until none are left. Nobody may write.
    pub(super) async fn drain(&self) -> StoreResult<()> {
        let mut stuck = 0;
        loop {
            let Round { applied, waiting } = self.follow().await?;
            if applied + waiting == 0 {
                return Ok(());
            }
            stuck = if applied == 0 { stuck + 1 } else { 0 };
            if stuck > PATIENCE {
                let why = "rows refer to others that do not exist; run fsck";
                return Err(StoreError::Corrupt(why.to_owned()));
            }
        }
    }

    /// Copies noted rows of the tables that a table refers to. After that, the target has what the rows
    /// of the table referred to when they were read.
    pub(super) async fn follow_parents(&self, table: &Table) -> StoreResult<()> {
        for parent in self.tables.iter().filter(|parent| table.refers_to(parent)) {
            Box::pin(self.follow_table(parent, &mut Round::default())).await?;
        }
        Ok(())
    }

    async fn follow_table(&self, table: &Table, round: &mut Round) -> StoreResult<()> {
        let mut after = 0_i64;
        for _ in 0..PAGES {
            let mut query = Statement::new("SELECT moving_number, ");
            query.push(&table.keys()).push(" FROM ").push(&table.notes());
            query.push(" WHERE moving_number > ").push_arg(after);
            query.push(&format!(" ORDER BY moving_number LIMIT {}", rows::ROWS));
            let notes = self.source.fetch(Fresh, query).await?;
            let Some(last) = notes.last() else { return Ok(()) };
            after = last.get("moving_number")?;
            let mut numbers = BTreeMap::<Vec<u8>, Vec<i64>>::new();
            let mut keys = Vec::new();
            for note in notes {
                let number = note.get("moving_number")?;
                let key: Key = without_number(note);
                let of_key = numbers.entry(key_bytes::encode(&key)).or_default();
                if of_key.is_empty() {
                    keys.push(key);
                }
                of_key.push(number);
            }
            let waiting = self.reconcile(table, keys).await?;
            let kept: BTreeSet<_> = waiting.iter().map(|key| key_bytes::encode(key)).collect();
            numbers.retain(|key, _| !kept.contains(key));
            let done: Vec<_> = numbers.into_values().flatten().collect();
            round.applied += done.len();
            round.waiting += kept.len();
            self.delete_notes(table, done).await?;
        }
        Ok(())
    }

    async fn delete_notes(&self, table: &Table, numbers: Vec<i64>) -> StoreResult<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        let mut delete = Statement::new("DELETE FROM ");
        delete.push(&table.notes()).push(" WHERE moving_number IN ").push_list(numbers);
        self.source.execute(delete).await.map(drop)
    }

    /// A query that returns a row if anything is noted. For the transaction that ends the move.
    pub(super) fn any_notes(&self) -> Statement {
        let exists = |table: &Table| format!("EXISTS (SELECT 1 FROM {})", table.notes());
        let parts: Vec<_> = self.tables.iter().map(exists).collect();
        let mut query = Statement::with("SELECT 1 AS noted WHERE $1 AND (", args![true]);
        query.push(&parts.join(" OR ")).push(")");
        query
    }
}

fn without_number(note: Row) -> Key {
    note.into_cells().into_iter().skip(1).collect()
}
