//! Mapping of version rows.

use super::{
    row::Row,
    statement::{Statement, args},
    users::person,
};
use izanagi_domain::storage::{NewVersion, StoreResult, VersionRow, short_hash};

/// Starts a query for a [`VersionRow`].
pub(super) const SELECT: &str = "SELECT v.document_id, v.version_number, v.commit_id, \
     v.content_hash, v.chain_hash, v.content_length, v.added, \
     v.removed, v.message, v.name, v.keep_whole, v.is_delta, v.request_hash, v.created_at, \
     u.id AS user_id, u.username, u.display_name \
     FROM versions v JOIN users u ON u.id = v.author_id WHERE ";

pub(super) fn version(row: &Row) -> StoreResult<VersionRow> {
    Ok(VersionRow {
        document_id: row.get("document_id")?,
        number: row.get("version_number")?,
        commit_id: row.get("commit_id")?,
        content_hash: row.get("content_hash")?,
        chain_hash: row.get("chain_hash")?,
        length: row.get("content_length")?,
        added: row.get("added")?,
        removed: row.get("removed")?,
        message: row.get("message")?,
        name: row.get("name")?,
        keep_whole: row.get("keep_whole")?,
        is_delta: row.get("is_delta")?,
        author: person(row)?,
        body_hash: row.get("request_hash")?,
        created_at: row.get("created_at")?,
    })
}

pub(super) fn insert(version: &NewVersion) -> Statement {
    Statement::with(
        "INSERT INTO versions (document_id, version_number, commit_id, \
         content_hash, chain_hash, content_length, added, removed, message, name, \
         keep_whole, is_delta, author_id, request_key, request_hash, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, $10, $10, $11, $12, $13, $14)",
        args![
            version.document_id,
            version.number,
            version.commit_id,
            version.content_hash,
            version.chain_hash,
            version.length,
            version.added,
            version.removed,
            version.message.as_str(),
            false,
            version.author_id,
            short_hash(&version.request.key),
            short_hash(&version.request.body_hash),
            version.at,
        ],
    )
}
