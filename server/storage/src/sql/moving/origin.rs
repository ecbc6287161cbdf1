//! What a database says about moves: from where it is copied, and to where it has moved.

use super::{
    Backing, Engine,
    dialect::{self, statement},
    forget_notes, run_all,
};
use crate::sql::{
    database::Database as _,
    statement::{Statement, args},
};
use izanagi_domain::storage::{Freshness::Fresh, StoreError, StoreResult};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The version of the schema of a database that has moved. No program knows it, so that none uses the
/// database.
pub(super) const MOVED_SCHEMA: i64 = 9_000_000_000_000_000_000;

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing is left of what was here before.
    Emptying,
    /// Rows are copied, and what changes at the source is noted.
    Copying,
    /// This is the truth.
    Live,
}

/// A database that this one was copied from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The move.
    pub(crate) id: Uuid,
    /// How far it is.
    pub(crate) stage: Stage,
}

/// A move away.
#[derive(Debug, Clone)]
pub(crate) struct Departure {
    /// The move.
    pub(crate) id: Uuid,
    /// Where it went, sealed.
    pub(crate) target: Vec<u8>,
}

/// What a database says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// From where it came.
    pub(crate) origin: Option<Origin>,
    /// To where it has gone.
    pub(crate) departure: Option<Departure>,
    /// Whether a move away is under way.
    pub(crate) is_moving: bool,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Emptying => "emptying",
            Self::Copying => "copying",
            Self::Live => "live",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Emptying, Self::Copying, Self::Live].into_iter().find(|stage| stage.as_str() == name)
    }
}

/// Reads what a database says. It may have no schema, or that of an older program.
pub(crate) async fn standing(database: &Backing) -> StoreResult<Standing> {
    let columns = Statement::new(dialect::of(database).catalogue().columns);
    let rows = database.fetch(Fresh, columns).await?;
    let names = rows.iter().map(|row| row.get("table_name"));
    let names: Vec<String> = names.collect::<StoreResult<_>>()?;
    let has = |table: &str| names.iter().any(|name| name == table);
    let mut standing = Standing::default();
    if has("database_origin") {
        let query = Statement::new("SELECT move_id, stage FROM database_origin");
        for row in database.fetch(Fresh, query).await? {
            let (id, stage) = (row.get("move_id")?, row.named("stage", Stage::parse)?);
            standing.origin = Some(Origin { id, stage });
        }
    }
    if has("database_departure") {
        let query = Statement::new("SELECT move_id, target, has_moved FROM database_departure");
        for row in database.fetch(Fresh, query).await? {
            let departure = Departure { id: row.get("move_id")?, target: row.get("target")? };
            match row.get("has_moved")? {
                true => standing.departure = Some(departure),
                false => standing.is_moving = true,
            }
        }
    }
    Ok(standing)
}

/// Whether a database has documents or accounts.
pub(crate) async fn holds_data(database: &Backing) -> StoreResult<bool> {
    let query = Statement::new(
        "SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM documents) \
         OR EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM records)",
    );
    Ok(!database.fetch(Fresh, query).await?.is_empty())
}

/// Makes a database that has moved usable as the target of a move. Its rows do not become the truth
/// again.
pub(crate) async fn reclaim(database: &Backing, id: Uuid) -> StoreResult<()> {
    forget_notes(database).await?;
    let dialect = dialect::of(database);
    let triggers = database.fetch(Fresh, Statement::new(dialect.catalogue().refusals)).await?;
    let mut statements = Vec::new();
    for row in triggers {
        statements.push(statement(&row.get::<String>("drop_it")?));
    }
    statements.push(Statement::with(
        "DELETE FROM _sqlx_migrations WHERE version = $1",
        args![MOVED_SCHEMA],
    ));
    statements.push(Statement::new(STAY));
    statements.extend(begin(id));
    run_all(database, statements).await
}

/// Marks the target as the truth, and lets it check references again. `settled` is what the source
/// has noted with its decision.
pub(crate) async fn arrive(target: &Backing, id: Uuid) -> StoreResult<()> {
    relink(target).await?;
    let live =
        Statement::with("UPDATE database_origin SET stage = 'live' WHERE move_id = $1", args![id]);
    let forget = Statement::new("DELETE FROM moved_tables");
    run_all(target, vec![settled(id), live, forget]).await?;
    check_links(target).await
}

/// Notes that a move is done.
pub(super) fn settled(id: Uuid) -> Statement {
    Statement::with(
        "UPDATE store_moves SET phase = 'moved' WHERE store = 'relational' AND id = $1",
        args![id],
    )
}

/// Lets the target check references of new rows.
pub(super) async fn relink(target: &Backing) -> StoreResult<()> {
    let Some(links) = dialect::of(target).catalogue().links else { return Ok(()) };
    let mut present = BTreeSet::<(String, String)>::new();
    for row in target.fetch(Fresh, Statement::new(links)).await? {
        present.insert((row.get("table_name")?, row.get("link_name")?));
    }
    let missing = Statement::new("SELECT table_name, name, definition FROM moved_links");
    let mut statements = Vec::new();
    for row in target.fetch(Fresh, missing).await? {
        let (table, name) = (row.get("table_name")?, row.get("name")?);
        let definition: String = row.get("definition")?;
        let definition = definition.trim_end_matches(" NOT VALID");
        if !present.contains(&(table, name)) {
            let (table, name): (String, String) = (row.get("table_name")?, row.get("name")?);
            let add = format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID");
            statements.push(statement(&add));
        }
    }
    run_all(target, statements).await
}

/// Checks the references of all rows, while others write.
async fn check_links(target: &Backing) -> StoreResult<()> {
    let links = Statement::new("SELECT table_name, name FROM moved_links");
    for row in target.fetch(Fresh, links).await? {
        let (table, name): (String, String) = (row.get("table_name")?, row.get("name")?);
        let validate = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}");
        let done = Statement::with(
            "DELETE FROM moved_links WHERE table_name = $1 AND name = $2",
            args![table, name],
        );
        run_all(target, vec![statement(&validate), done]).await?;
    }
    Ok(())
}

/// Marks a database as the target of a move. It is nobody's truth from then on.
pub(crate) async fn claim(target: &Backing, id: Uuid) -> StoreResult<()> {
    run_all(target, begin(id).into()).await
}

/// Notes at the source that it is about to move.
pub(crate) async fn depart(source: &Backing, id: Uuid, target: &[u8]) -> StoreResult<()> {
    let insert = Statement::with(
        "INSERT INTO database_departure (id, move_id, target, has_moved) VALUES (1, $1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET move_id = excluded.move_id, target = excluded.target",
        args![id, target.to_vec(), false],
    );
    source.execute(insert).await.map(drop)
}

/// Undoes [`depart`] and what was prepared, unless the source has moved.
pub(crate) async fn stay(source: &Backing) -> StoreResult<()> {
    source.execute(Statement::new(STAY_IF_HERE)).await?;
    if standing(source).await?.departure.is_some() {
        return Err(StoreError::Corrupt("the database has moved already".to_owned()));
    }
    forget_notes(source).await
}

const STAY: &str = "DELETE FROM database_departure";
const STAY_IF_HERE: &str = "DELETE FROM database_departure WHERE NOT has_moved";

fn begin(id: Uuid) -> [Statement; 3] {
    [
        Statement::new("DELETE FROM database_origin"),
        Statement::with(
            "INSERT INTO database_origin (id, move_id, stage) VALUES (1, $1, 'emptying')",
            args![id],
        ),
        Statement::new("DELETE FROM moved_tables"),
    ]
}

impl Engine {
    /// Prepares both sides, unless an earlier run has.
    pub(crate) async fn prepare(&self) -> StoreResult<()> {
        let unclaimed = || StoreError::Corrupt("the target belongs to another move".to_owned());
        let origin = standing(&self.target).await?.origin.filter(|origin| origin.id == self.id);
        self.unlink().await?;
        if origin.ok_or_else(unclaimed)?.stage == Stage::Copying {
            return Ok(());
        }
        for table in &self.tables {
            let mut delete = Statement::new("DELETE FROM ");
            delete.push(&table.quoted());
            self.target.execute(delete).await?;
        }
        self.begin_notes().await?;
        let copying = Statement::with(
            "UPDATE database_origin SET stage = 'copying' WHERE move_id = $1",
            args![self.id],
        );
        match self.target.execute(copying).await? {
            1 => Ok(()),
            _ => Err(unclaimed()),
        }
    }
}
