//! Running statements on a connection.

use super::{
    PostgresPlace,
    render::{Rendered, render},
    session::{Prepared, Session, limited},
};
use crate::{
    error::OpenError,
    sql::{
        row::{Cell, Row},
        statement::Statement,
    },
};
use futures::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Decode, Either,
    Executor as _, PgConnection, Postgres, Row as _, TypeInfo as _, ValueRef as _, postgres::PgRow,
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// How long a server is given to accept a connection, and to end one.
const CONNECT: Duration = Duration::from_secs(10);
const CLOSE: Duration = Duration::from_secs(2);

/// The result of one statement.
#[derive(Default)]
pub(super) struct Done {
    /// Its rows.
    pub(super) rows: Vec<Row>,
    /// Number of changed rows.
    pub(super) affected: u64,
}

/// How a column is read.
#[derive(Clone, Copy)]
enum Kind {
    Flag,
    Small,
    Medium,
    Large,
    Text,
    Bytes,
    Uuid,
    Void,
}

impl Kind {
    fn of(name: &str) -> sqlx::Result<Self> {
        Ok(match name {
            "BOOL" => Self::Flag,
            "INT2" => Self::Small,
            "INT4" => Self::Medium,
            "INT8" => Self::Large,
            "TEXT" | "VARCHAR" | "NAME" | "UNKNOWN" => Self::Text,
            "BYTEA" => Self::Bytes,
            "UUID" => Self::Uuid,
            "VOID" => Self::Void,
            other => {
                return Err(sqlx::Error::Decode(format!("a value of the type {other}").into()));
            }
        })
    }
}

/// Names and types of the columns of a result.
struct Shape {
    names: Arc<[String]>,
    kinds: Vec<Kind>,
}

/// Connects outside a pool. `cause` is who connects, for the server's list of connections.
pub(super) async fn connect(
    place: &PostgresPlace,
    cause: &str,
    session: Session,
) -> Result<PgConnection, OpenError> {
    let options = place.options(cause, session)?;
    limited(CONNECT, options.connect()).await.map_err(OpenError::database)
}

/// Ends a connection. One that does not answer is dropped.
pub(super) async fn close(connection: PgConnection) {
    if let Err(error) = limited(CLOSE, connection.close()).await {
        tracing::debug!(%error, "a connection to PostgreSQL was dropped");
    }
}

/// Runs one statement to its end, so that an error at the end of its transaction is noticed too.
pub(super) async fn run(
    connection: &mut PgConnection,
    session: Session,
    statement: Statement,
) -> sqlx::Result<Done> {
    session.within(run_unlimited(connection, session.prepared, statement)).await
}

async fn run_unlimited(
    connection: &mut PgConnection,
    prepared: Prepared,
    statement: Statement,
) -> sqlx::Result<Done> {
    let Rendered { text, args, is_cached } = render(statement)?;
    // The text consists of literals of this crate; external values are bound.
    let query = sqlx::query_with(AssertSqlSafe(text), args)
        .persistent(is_cached && prepared != Prepared::Once);
    let (mut done, mut shape) = (Done::default(), None);
    let mut failed = None;
    let mut answers = connection.fetch_many(query);
    while let Some(answer) = answers.try_next().await? {
        match answer {
            Either::Left(result) => done.affected = result.rows_affected(),
            // The rest is read, so that the connection stays usable.
            Either::Right(_) if failed.is_some() => {}
            Either::Right(row) => match decode(&row, &mut shape) {
                Ok(row) => done.rows.push(row),
                Err(error) => failed = Some(error),
            },
        }
    }
    failed.map_or(Ok(done), Err)
}

/// Runs a query in a transaction of its own. The driver prepares a statement in one exchange and runs it
/// in another; only within a transaction does a pooler send both to the same connection of the server.
pub(super) async fn run_read_only(
    connection: &mut PgConnection,
    session: Session,
    query: Statement,
) -> sqlx::Result<Done> {
    session.briefly(command(connection, session.begin("READ ONLY"))).await?;
    let result = run(connection, session, query).await;
    let end = if result.is_ok() { "COMMIT" } else { "ROLLBACK" };
    session.briefly(command(connection, end)).await?;
    result
}

/// Runs a command without arguments and results, such as BEGIN. Its text has no external values.
pub(super) async fn command(
    connection: &mut PgConnection,
    text: impl Into<String>,
) -> sqlx::Result<()> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(text.into()))).await.map(drop)
}

/// Returns the rows of a query without arguments, in a single exchange.
pub(super) async fn rows(
    connection: &mut PgConnection,
    session: Session,
    text: impl Into<String>,
) -> sqlx::Result<Vec<PgRow>> {
    session.within(connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(text.into())))).await
}

fn shape_of(row: &PgRow) -> sqlx::Result<Shape> {
    let names = row.columns().iter().map(|column| column.name().to_owned()).collect();
    let kinds = row.columns().iter().map(|column| Kind::of(column.type_info().name()));
    Ok(Shape { names, kinds: kinds.collect::<sqlx::Result<_>>()? })
}

fn decode(row: &PgRow, shape: &mut Option<Shape>) -> sqlx::Result<Row> {
    let shape = match shape {
        Some(shape) => shape,
        None => shape.insert(shape_of(row)?),
    };
    let cell = |(index, kind): (usize, &Kind)| {
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            return Ok(Cell::Null);
        }
        let cell = match kind {
            Kind::Flag => <bool as Decode<'_, Postgres>>::decode(value)
                .map(|flag| Cell::Number(i64::from(flag))),
            Kind::Small => <i16 as Decode<'_, Postgres>>::decode(value)
                .map(|number| Cell::Number(number.into())),
            Kind::Medium => <i32 as Decode<'_, Postgres>>::decode(value)
                .map(|number| Cell::Number(number.into())),
            Kind::Large => <i64 as Decode<'_, Postgres>>::decode(value).map(Cell::Number),
            Kind::Text => <String as Decode<'_, Postgres>>::decode(value).map(Cell::Text),
            Kind::Bytes => <Vec<u8> as Decode<'_, Postgres>>::decode(value).map(Cell::Bytes),
            Kind::Uuid => <Uuid as Decode<'_, Postgres>>::decode(value)
                .map(|id| Cell::Bytes(id.into_bytes().to_vec())),
            Kind::Void => Ok(Cell::Null),
        };
        cell.map_err(sqlx::Error::Decode)
    };
    let cells = shape.kinds.iter().enumerate().map(cell).collect::<sqlx::Result<_>>()?;
    Ok(Row::new(&shape.names, cells))
}
