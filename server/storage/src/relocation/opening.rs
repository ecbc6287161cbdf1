//! Opening the relational database, where it is now: a database that has moved names the next one.

use super::{OWNER, PURPOSE};
use crate::{
    config::{Place, RelationalOptions, StorageConfig},
    error::OpenError,
    lock,
    sql::{
        Database as _, PgDb, Presence, SqliteDb,
        moving::{self, Backing, Stage, Standing},
    },
    url::StoreUrl,
};
use izanagi_domain::storage::StoreError;
use std::{fs::File, path::Path};
use uuid::Uuid;

/// So many moves are followed; settings that are older than that name a database that is gone.
const FOLLOWED: usize = 8;

/// A lock that lasts as long as it exists.
pub(crate) enum Lock {
    /// Of a database file.
    File { _file: File },
    /// Of a database on a server.
    Server { _presence: Presence },
}

/// An open database.
pub(crate) struct OpenDatabase {
    pub(crate) backing: Backing,
    pub(crate) lock: Option<Lock>,
    /// Its location, without secrets.
    pub(crate) description: String,
    pub(crate) place: Place,
}

/// Opens the configured database, or the one that it has moved to.
pub(crate) async fn open(config: &StorageConfig) -> Result<OpenDatabase, OpenError> {
    let (mut place, mut options) = (Place::parse(&config.url)?, config.relational.clone());
    let mut arriving = None;
    for _ in 0..FOLLOWED {
        let standing = look(&place).await?;
        if let Some(departure) = standing.departure {
            let sealer = config.sealer.as_ref();
            let target = sealer.and_then(|it| it.open(PURPOSE, OWNER, &departure.target));
            let target = target.ok_or_else(|| OpenError::Moved { from: place.to_string() })?;
            let next = Place::parse(&StoreUrl::from(target.expose()))?;
            tracing::warn!(
                from = %place, to = %next,
                "the database has moved: set DATABASE_URL (storage.users.url) to the new place"
            );
            options = elsewhere(&options);
            (place, arriving) = (next, Some(departure.id));
            continue;
        }
        return open_here(config, &place, &options, &standing, arriving).await;
    }
    Err(OpenError::Moved { from: place.to_string() })
}

async fn open_here(
    config: &StorageConfig,
    place: &Place,
    options: &RelationalOptions,
    standing: &Standing,
    arriving: Option<Uuid>,
) -> Result<OpenDatabase, OpenError> {
    let unfinished = standing.origin.filter(|origin| origin.stage != Stage::Live);
    if unfinished.is_some_and(|origin| Some(origin.id) != arriving) {
        return Err(OpenError::Filling { place: place.to_string() });
    }
    let opened = open_place(place, options, config.exclusive).await?;
    if let Some(origin) = unfinished {
        // The decision has been made, and the process ended before the new database knew.
        let told = moving::arrive(&opened.backing, origin.id).await;
        told.map_err(|error| OpenError::database(describe(&error)))?;
    }
    if config.exclusive.is_some() && standing.is_moving {
        let others = others(&opened.backing).await;
        if others.map_err(|error| OpenError::database(describe(&error)))? > 0 {
            opened.backing.close().await;
            return Err(OpenError::Moving { place: place.to_string() });
        }
    }
    Ok(opened)
}

/// Opens the database at a place and migrates its schema.
pub(crate) async fn open_place(
    place: &Place,
    options: &RelationalOptions,
    user: Option<&'static str>,
) -> Result<OpenDatabase, OpenError> {
    let (backing, lock) = match place {
        Place::Postgres(server) => {
            let (database, presence) = PgDb::open(server, options, user).await?;
            let lock = presence.map(|presence| Lock::Server { _presence: presence });
            (Backing::Postgres(database), lock)
        }
        Place::File(path) => {
            make_folder_of(path)?;
            let lock = match user {
                Some(user) => Some(Lock::File { _file: lock::take(path, user).await? }),
                None => None,
            };
            (Backing::Sqlite(SqliteDb::open(Some(path)).await?), lock)
        }
        Place::Memory => (Backing::Sqlite(SqliteDb::open(None).await?), None),
    };
    Ok(OpenDatabase { backing, lock, description: place.to_string(), place: place.clone() })
}

/// Options for another place than that of the settings.
pub(super) fn elsewhere(options: &RelationalOptions) -> RelationalOptions {
    RelationalOptions {
        pool: options.pool,
        accept_data_loss: options.accept_data_loss,
        ..RelationalOptions::default()
    }
}

/// Takes the lock of a place without opening it, for the target of a move.
pub(crate) async fn lock_alone(place: &Place) -> Result<Option<Lock>, OpenError> {
    Ok(match place {
        Place::Memory => None,
        Place::File(path) => {
            make_folder_of(path)?;
            Some(Lock::File { _file: lock::take(path, "migrate-store").await? })
        }
        Place::Postgres(server) => {
            Some(Lock::Server { _presence: PgDb::lock(server, "migrate-store").await? })
        }
    })
}

/// Takes the lock that servers have.
pub(crate) async fn lock_as_server(place: &Place) -> Result<Option<Lock>, OpenError> {
    Ok(match place {
        Place::Postgres(server) => {
            Some(Lock::Server { _presence: PgDb::lock(server, "serve").await? })
        }
        Place::File(_) | Place::Memory => None,
    })
}

/// Opens a database again, to write rows in any order.
pub(super) async fn unchecked(place: &Place, opened: &Backing) -> Result<Backing, OpenError> {
    Ok(match place {
        Place::File(path) => Backing::Sqlite(SqliteDb::open_unchecked(path).await?),
        Place::Postgres(_) | Place::Memory => opened.clone(),
    })
}

/// Opens a database that exists, without looking at its schema.
pub(crate) async fn open_as_it_is(place: &Place) -> Result<Option<Backing>, OpenError> {
    Ok(match place {
        Place::Memory => None,
        Place::File(path) if !path.exists() => None,
        Place::File(path) => Some(Backing::Sqlite(SqliteDb::open_unchecked(path).await?)),
        Place::Postgres(server) => Some(Backing::Postgres(PgDb::open_as_it_is(server).await?)),
    })
}

/// Reads what the database at a place says about moves.
pub(crate) async fn look(place: &Place) -> Result<Standing, OpenError> {
    let Some(database) = open_as_it_is(place).await? else { return Ok(Standing::default()) };
    let standing = moving::standing(&database).await;
    database.close().await;
    standing.map_err(|error| OpenError::database(describe(&error)))
}

/// The number of other processes that hold the lock of the database.
pub(crate) async fn others(database: &Backing) -> Result<u64, StoreError> {
    match database {
        // Its lock is exclusive.
        Backing::Sqlite(_) => Ok(0),
        Backing::Postgres(database) => database.users().await.map(|n| n.saturating_sub(1)),
    }
}

/// What an error says, for the administrator.
pub(crate) fn describe(error: &StoreError) -> String {
    match error {
        StoreError::Unavailable(why)
        | StoreError::Corrupt(why)
        | StoreError::Unknown(why)
        | StoreError::StartOver(why) => why.clone(),
        error => error.to_string(),
    }
}

pub(crate) fn make_folder_of(file: &Path) -> Result<(), OpenError> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .map_err(|cause| OpenError::Folder { path: folder.to_owned(), cause })
}
