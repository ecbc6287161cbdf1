//! Moves the relational database to another one while people work (DESIGN §10).
//!
//! Triggers at the source note the primary key of each row that changes. The rows are copied in the
//! order of their keys, then those that were noted, as they are by then, until few are left. Both sides
//! are compared. Then writes wait: the last rows are copied, and one transaction at the source decides
//! that it has moved. Every step can be repeated, so a move goes on after a crash where it was.
//!
//! Rows arrive in no order that references would allow, so the target does not check them until the
//! end. It then has exactly the rows of the source, which has checked them.
//!
//! **Invariant:** one database is the truth at any time: the source until that transaction, the target
//! from then on. A target refuses to be used before, a source after it.

mod apply;
mod backing;
mod copy;
mod dialect;
mod follow;
mod key_bytes;
mod origin;
mod pause;
mod rows;
mod switch;
mod table;
mod verify;

pub(crate) use backing::Backing;
pub(crate) use dialect::{Catalogue, Dialect, Noted};
pub(crate) use origin::{
    Stage, Standing, arrive, claim, depart, holds_data, reclaim, standing, stay,
};
pub(crate) use pause::Ended;
pub(crate) use switch::Switch;

use crate::sql::{
    database::{Database as _, Transaction as _},
    statement::Statement,
};
use dialect::statement;
use izanagi_domain::storage::{StoreError, StoreResult};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use table::{Key, Table};
use uuid::Uuid;

/// How often a change of a table is tried, and the pause between; others use the table meanwhile.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// Both sides of a move.
pub(crate) struct Engine {
    /// The move.
    id: Uuid,
    source: Backing,
    /// The target, which does not check references.
    target: Backing,
    tables: Vec<Table>,
    progress: Arc<Progress>,
}

/// How far a phase is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) done: AtomicU64,
    pub(crate) total: AtomicU64,
}

impl Progress {
    fn begin(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    fn add(&self, rows: usize) {
        self.done.fetch_add(rows as u64, Ordering::Relaxed);
    }
}

impl Engine {
    /// Reads the tables of both sides. The target does not check references, or can be told not to.
    ///
    /// # Errors
    /// Those of the databases; `Corrupt` if their tables differ.
    pub(crate) async fn new(
        id: Uuid,
        source: Backing,
        target: Backing,
        progress: Arc<Progress>,
    ) -> StoreResult<Self> {
        let tables = table::read(&source, &target).await?;
        Ok(Self { id, source, target, tables, progress })
    }

    /// The move.
    pub(crate) const fn id(&self) -> Uuid {
        self.id
    }

    /// Lets the source note what changes, one table after the other, so that no writer waits for
    /// long. Transactions that have written to a table end before its trigger exists, so a copy that
    /// begins later sees what they did.
    async fn begin_notes(&self) -> StoreResult<()> {
        let dialect = dialect::of(&self.source);
        for table in &self.tables {
            change_table(&self.source, &dialect.note(&Noted::from(table))).await?;
        }
        Ok(())
    }

    /// Notes rows as if they had changed.
    async fn note(&self, table: &Table, keys: &[Key]) -> StoreResult<()> {
        for keys in keys.chunks(rows::ROWS) {
            let mut insert = Statement::new("INSERT INTO ");
            insert.push(&table.notes()).push(" (").push(&table.keys()).push(") ");
            table.push_keys(&mut insert, keys)?;
            self.source.execute(insert).await?;
        }
        Ok(())
    }
}

/// Runs statements in one transaction.
async fn run_all(database: &Backing, statements: Vec<Statement>) -> StoreResult<()> {
    let statements: Arc<[_]> = statements.into();
    let run = database.write(move |transaction| {
        let statements = Arc::clone(&statements);
        Box::pin(async move {
            for statement in statements.iter() {
                transaction.execute(statement.clone()).await?;
            }
            Ok(())
        })
    });
    run.await
}

/// Undoes the preparation of a source.
pub(crate) async fn forget_notes(source: &Backing) -> StoreResult<()> {
    for table in table::of(source).await?.values() {
        change_table(source, &dialect::of(source).forget(&Noted::from(table))).await?;
    }
    Ok(())
}

/// Runs statements that need a table for themselves for a moment.
async fn change_table(database: &Backing, statements: &[String]) -> StoreResult<()> {
    for left in (0..TRIES).rev() {
        let statements = statements.iter().map(|text| statement(text)).collect();
        match run_all(database, statements).await {
            Err(StoreError::Unavailable(_)) if left > 0 => tokio::time::sleep(PAUSE).await,
            result => return result,
        }
    }
    Ok(())
}
