//! The change feed. Its statements run in the transaction that makes the change.

use super::{
    database::Database,
    numbers::Numbers,
    row::Row,
    statement::{Arg, Statement, args},
};
use async_trait::async_trait;
use izanagi_domain::storage::{
    Audience, Change, ChangeEntry, ChangeKind, ChangePage, Changes, DocumentRow, Freshness::Fresh,
    StoreResult,
};
use izanagi_shared::{
    id::{DocumentId, UserId},
    time::Timestamp,
};
use std::sync::Arc;
use uuid::Uuid;

pub(crate) struct SqlChanges<D> {
    pub(crate) db: Arc<D>,
}

/// Tombstones removed per transaction.
const AT_ONCE: u32 = 1_000;

/// The highest number of a row, and of rows that are gone.
const USED: &str = "(SELECT MAX(number) FROM \
                    (SELECT MAX(change_seq) AS number FROM document_changes \
                    UNION ALL SELECT MAX(change_seq) FROM tombstones \
                    UNION ALL SELECT highest FROM change_horizon) AS numbers)";

/// The source of numbers.
const NUMBERS: &str = " CROSS JOIN change_numbers AS t";

/// The latest change of a kind replaces the earlier one.
const REPLACE: &str = " WHERE true ON CONFLICT (document_id, kind) \
                       DO UPDATE SET change_seq = excluded.change_seq, at = excluded.at";

/// The latest tombstone of an audience replaces the earlier one.
const REPLACE_TOMBSTONE: &str = " WHERE true ON CONFLICT (document_id, user_id) \
                                 DO UPDATE SET change_seq = excluded.change_seq, at = excluded.at";

/// Notes a change of a document.
pub(super) fn note(document: DocumentId, kind: ChangeKind, at: Timestamp) -> Statement {
    note_all(kind, [(document, at)])
}

/// Notes a change of several documents. Each document must be given once.
pub(super) fn note_all(
    kind: ChangeKind,
    documents: impl IntoIterator<Item = (DocumentId, Timestamp)>,
) -> Statement {
    let mut insert =
        Statement::new("INSERT INTO document_changes (change_seq, document_id, kind, at) SELECT ");
    Numbers::Changes
        .push_next(&mut insert, "v.column1")
        .push(", v.column2, v.column3, v.column4 FROM (");
    let row = |(index, (document, at))| args![index, document, kind.as_str(), at];
    insert.push_rows((1_u64..).zip(documents).map(row));
    insert.push(") AS v").push(NUMBERS).push(REPLACE);
    insert
}

/// Notes a change of the documents that a query returns as `document_id`. The second argument is the
/// time.
pub(super) fn note_selected(kind: ChangeKind, query: &str, args: [Arg; 2]) -> Statement {
    let mut insert = Statement::with(
        "INSERT INTO document_changes (change_seq, document_id, kind, at) SELECT ",
        args,
    );
    Numbers::Changes.push_next(&mut insert, "ROW_NUMBER() OVER (ORDER BY s.document_id)");
    insert.push(", s.document_id, '").push(kind.as_str()).push("', $2 FROM (").push(query);
    insert.push(") AS s").push(NUMBERS).push(REPLACE);
    insert
}

/// Leaves tombstones for the documents and users that a query returns as `document_id` and
/// `user_id`. The second argument is the time.
pub(super) fn lost_selected<const N: usize>(query: &str, args: [Arg; N]) -> Statement {
    let mut insert = Statement::with(
        "INSERT INTO tombstones (change_seq, document_id, user_id, at) SELECT ",
        args,
    );
    Numbers::Changes
        .push_next(&mut insert, "ROW_NUMBER() OVER (ORDER BY s.document_id, s.user_id)");
    insert.push(", s.document_id, s.user_id, $2 FROM (").push(query).push(") AS s");
    insert.push(NUMBERS).push(REPLACE_TOMBSTONE);
    insert
}

/// Leaves a tombstone for an audience.
pub(super) fn lost(document: DocumentId, audience: Audience, at: Timestamp) -> Statement {
    let mut insert = Statement::with(
        "INSERT INTO tombstones (change_seq, document_id, user_id, at) SELECT ",
        args![document, stored(audience), at],
    );
    Numbers::Changes.push_next(&mut insert, "1").push(", $1, $2, $3 FROM change_numbers AS t");
    insert.push(REPLACE_TOMBSTONE);
    insert
}

/// Removes the tombstone of an audience that can see the document again.
pub(super) fn regained(document: DocumentId, audience: Audience) -> [Statement; 2] {
    let delete = Statement::with(
        "DELETE FROM tombstones WHERE document_id = $1 AND user_id = $2",
        args![document, stored(audience)],
    );
    [keep_numbers(), delete]
}

/// Statements for a change of details.
pub(super) fn of_details(old: &DocumentRow, new: &DocumentRow, at: Timestamp) -> Vec<Statement> {
    let mut statements = Vec::new();
    if old.deleted_at.is_some() != new.deleted_at.is_some() {
        statements.push(note(new.id, ChangeKind::Trash, at));
    }
    if old.details != new.details {
        statements.push(note(new.id, ChangeKind::Details, at));
    }
    let is_open = |row: &DocumentRow| row.details.is_public && row.deleted_at.is_none();
    match (is_open(old), is_open(new)) {
        (true, false) => statements.push(lost(new.id, Audience::Public, at)),
        (false, true) => statements.extend(regained(new.id, Audience::Public)),
        _ => {}
    }
    statements
}

/// Statements before a document is deleted for good, if it is in the trash. The public has lost it
/// with the move to the trash.
pub(super) fn before_purge(document: DocumentId, at: Timestamp) -> [Statement; 2] {
    let query = "SELECT o.document_id, o.user_id FROM document_owners o \
                 JOIN documents d ON d.id = o.document_id \
                 WHERE d.id = $1 AND d.deleted_at IS NOT NULL";
    [lost_selected(query, args![document, at]), keep_numbers()]
}

/// Before rows are removed: the newest number must not go down.
fn keep_numbers() -> Statement {
    let mut update = Statement::new("UPDATE change_horizon SET highest = ");
    update.push(USED).push(" WHERE highest < ").push(USED);
    update
}

/// The public is stored as the nil id, which no user has.
pub(super) const fn stored(audience: Audience) -> Uuid {
    match audience {
        Audience::User(user) => user.0,
        Audience::Public => Uuid::nil(),
    }
}

fn change(row: &Row) -> StoreResult<Change> {
    let entry = match row.get::<Option<Uuid>>("user_id")? {
        None => ChangeEntry::Changed(row.named("kind", ChangeKind::parse)?),
        Some(user) if user.is_nil() => ChangeEntry::Lost(Audience::Public),
        Some(user) => ChangeEntry::Lost(Audience::User(UserId(user))),
    };
    Ok(Change {
        seq: row.get("change_seq")?,
        document_id: row.get("document_id")?,
        entry,
        at: row.get("at")?,
    })
}

#[async_trait]
impl<D: Database> Changes for SqlChanges<D> {
    async fn since(&self, seq: u64, limit: u32) -> StoreResult<ChangePage> {
        let settled = self.db.settled(Numbers::Changes).await?;
        // The join returns a row even if there are no changes.
        let query = Statement::with(
            "SELECT h.forgotten, c.* FROM change_horizon h LEFT JOIN \
             (SELECT change_seq, document_id, kind, NULL AS user_id, at FROM document_changes \
             WHERE change_seq > $1 AND change_seq <= $3 UNION ALL \
             SELECT change_seq, document_id, NULL, user_id, at FROM tombstones \
             WHERE change_seq > $1 AND change_seq <= $3 ORDER BY change_seq LIMIT $2) AS c ON true \
             ORDER BY c.change_seq",
            args![seq, limit, settled],
        );
        let rows = self.db.fetch(Fresh, query).await?;
        let forgotten = rows.first().map_or(Ok(0), |row| row.get("forgotten"))?;
        let mut changes = Vec::with_capacity(rows.len());
        for row in rows {
            if row.get::<Option<u64>>("change_seq")?.is_some() {
                changes.push(change(&row)?);
            }
        }
        Ok(ChangePage { changes, forgotten })
    }

    async fn newest(&self) -> StoreResult<u64> {
        let settled = self.db.settled(Numbers::Changes).await?;
        let query = Statement::with(
            "SELECT MAX(number) AS newest FROM \
             (SELECT MAX(change_seq) AS number FROM document_changes WHERE change_seq <= $1 \
             UNION ALL SELECT MAX(change_seq) FROM tombstones WHERE change_seq <= $1 \
             UNION ALL SELECT CASE WHEN highest <= $1 THEN highest ELSE $1 END \
             FROM change_horizon) AS numbers",
            args![settled],
        );
        self.db.fetch_one(Fresh, query).await?.get("newest")
    }

    async fn forget(&self, before: Timestamp) -> StoreResult<()> {
        let mut old = Statement::with(
            "SELECT change_seq FROM tombstones WHERE at < $1 ORDER BY change_seq LIMIT ",
            args![before],
        );
        old.push_arg(AT_ONCE);
        loop {
            // This scans the table, so it should not occupy the writer.
            let rows = self.db.fetch(Fresh, old.clone()).await?;
            let numbers = rows.iter().map(|row| row.get("change_seq"));
            let numbers: Vec<u64> = numbers.collect::<StoreResult<_>>()?;
            let Some(last) = numbers.last() else { return Ok(()) };
            let horizon = Statement::with(
                "UPDATE change_horizon SET forgotten = $1 WHERE forgotten < $1",
                args![*last],
            );
            let mut delete = Statement::new("DELETE FROM tombstones WHERE change_seq IN ");
            delete.push_list(numbers);
            self.db.execute_all(vec![keep_numbers(), horizon, delete]).await?;
        }
    }
}
