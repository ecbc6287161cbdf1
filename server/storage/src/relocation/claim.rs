//! Checks a place and marks it as the target of a move.

use super::opening::{self, describe, open_as_it_is, open_place};
use crate::{
    config::{Place, RelationalOptions},
    sql::{
        Database as _,
        moving::{self, Backing, Stage, Standing},
    },
};
use izanagi_domain::storage::StoreError;
use uuid::Uuid;

/// Marks a place as the target of a move. If it is not empty, `overwrite` says that what it has may
/// be lost; what the source has left behind there is not asked for. The error is for the
/// administrator, without secrets.
pub(super) async fn claim(
    source: &Backing,
    place: &Place,
    options: &RelationalOptions,
    id: Uuid,
    overwrite: bool,
) -> Result<(), String> {
    if *place == Place::Memory {
        return Err("a database in memory is gone when the server ends".to_owned());
    }
    // Another process that has the lock uses the database, this one perhaps.
    let _lock = opening::lock_alone(place).await.map_err(|error| error.to_string())?;
    let source = moving::standing(source).await.map_err(|error| describe(&error))?;
    let as_it_is = open_as_it_is(place).await.map_err(|error| error.to_string())?;
    if let Some(database) = as_it_is {
        let reclaimed = match moving::standing(&database).await {
            Ok(standing) => reclaim(&database, id, &standing, &source, overwrite).await,
            Err(error) => Err(describe(&error)),
        };
        database.close().await;
        if reclaimed? {
            return Ok(());
        }
    }
    let opened = open_place(place, options, None).await;
    let database = opened.map_err(|error| error.to_string())?.backing;
    let claimed = claim_empty(&database, id, overwrite).await;
    database.close().await;
    claimed
}

/// Reclaims a database that has moved to the source; returns whether it did.
async fn reclaim(
    database: &Backing,
    id: Uuid,
    standing: &Standing,
    source: &Standing,
    overwrite: bool,
) -> Result<bool, String> {
    let Some(departure) = &standing.departure else { return Ok(false) };
    if source.origin.is_none_or(|origin| origin.id != departure.id) && !overwrite {
        return Err("it has moved to another place; with --overwrite, it is replaced".to_owned());
    }
    moving::reclaim(database, id).await.map_err(|error| describe(&error))?;
    Ok(true)
}

async fn claim_empty(database: &Backing, id: Uuid, overwrite: bool) -> Result<(), String> {
    let failed = |error: StoreError| describe(&error);
    let standing = moving::standing(database).await.map_err(failed)?;
    // What an unfinished copy has left is of no use.
    let is_remainder = standing.origin.is_some_and(|origin| origin.stage != Stage::Live);
    if !is_remainder && !overwrite && moving::holds_data(database).await.map_err(failed)? {
        return Err("it has accounts or documents; with --overwrite, they are removed".to_owned());
    }
    moving::claim(database, id).await.map_err(failed)
}
