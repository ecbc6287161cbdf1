//! Columns of `versions`: read and inserted only here.

use super::{
    row::Row,
    statement::{Statement, args},
};
use izanagi_domain::storage::{
    NewVersion, Restored, ShortHash, StoreResult, VersionNote, VersionRow, short_hash, version_hash,
};
use izanagi_shared::{id::UserId, wire::Person};

/// Starts a query for a [`VersionRow`].
pub(super) const SELECT: &str = "SELECT v.document_id, v.version_number, v.commit_id, \
     v.content_hash, v.chain_hash, v.content_length, v.added, \
     v.removed, v.message, v.title, v.restored_version, v.restored_edit, v.name, v.facts_hash, v.keep_whole, v.is_delta, v.request_hash, v.created_at, \
     v.author_id, u.username, u.display_name, p.chain_hash AS parent_chain_hash \
     FROM versions v LEFT JOIN users u ON u.id = v.author_id \
     LEFT JOIN versions p ON p.document_id = v.document_id \
     AND p.version_number = v.version_number - 1 WHERE ";

/// Reads a row. Damage to its facts is reported in it, because one damaged version must not hide the
/// others of a list.
pub(super) fn version(row: &Row) -> StoreResult<VersionRow> {
    let mut read = VersionRow {
        document_id: row.get("document_id")?,
        number: row.get("version_number")?,
        commit_id: row.get("commit_id")?,
        content_hash: row.get("content_hash")?,
        chain_hash: row.get("chain_hash")?,
        parent_chain_hash: row.get("parent_chain_hash")?,
        length: row.get("content_length").unwrap_or_default(),
        added: row.get("added").unwrap_or_default(),
        removed: row.get("removed").unwrap_or_default(),
        note: VersionNote { message: row.get("message")?, title: row.get("title")? },
        restored: restored(row),
        name: row.get("name").unwrap_or_default(),
        has_intact_facts: false,
        keep_whole: row.get("keep_whole")?,
        is_delta: row.get("is_delta")?,
        author: author(row)?,
        body_hash: row.get("request_hash")?,
        created_at: row.get("created_at")?,
    };
    read.has_intact_facts = row.get::<ShortHash>("facts_hash") == Ok(facts_hash(&read));
    Ok(read)
}

/// The checksum of the facts of a version.
pub(super) fn facts_hash(row: &VersionRow) -> ShortHash {
    let facts = [row.number, row.length, row.added, row.removed];
    version_hash(row.commit_id, facts, row.name.as_deref(), row.restored)
}

/// What the version brings back.
fn restored(row: &Row) -> Option<Restored> {
    let number = |column| row.get::<Option<u64>>(column).ok().flatten();
    let version = number("restored_version").map(Restored::Version);
    version.or_else(|| number("restored_edit").map(Restored::Edit))
}

/// The author need not be an account.
fn author(row: &Row) -> StoreResult<Person> {
    let actor = row.get("author_id")?;
    let (id, username) = (UserId(actor), row.get::<Option<String>>("username")?);
    Ok(match username {
        Some(username) => Person { id, username, display_name: row.get("display_name")? },
        None => Person::without_account(id.into()),
    })
}

pub(super) fn insert(version: &NewVersion) -> Statement {
    Statement::with(
        "INSERT INTO versions (document_id, version_number, commit_id, \
         content_hash, chain_hash, content_length, added, removed, message, title, name, \
         facts_hash, keep_whole, is_delta, author_id, request_key, request_hash, created_at, \
         restored_version, restored_edit) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL, $16, $11, $11, $12, $13, $14, \
         $15, $17, $18 WHERE true",
        args![
            version.document_id,
            version.number,
            version.commit_id,
            version.content_hash,
            version.chain_hash,
            version.length,
            version.added,
            version.removed,
            version.note.message.as_str(),
            version.note.title.as_deref(),
            false,
            version.author_id,
            short_hash(&version.request.key),
            short_hash(&version.request.body_hash),
            version.at,
            version_hash(
                version.commit_id,
                [version.number, version.length, version.added, version.removed],
                None,
                version.restored
            ),
            version.restored.and_then(Restored::version),
            match version.restored {
                Some(Restored::Edit(seq)) => Some(seq),
                _ => None,
            },
        ],
    )
}
