//! Opening the document store where it is now: where the settings say, or where a move has brought it.

use super::{
    DocumentsMover, DocumentsPlace, Places, Reads, Route, Routed, RoutedCommits, RoutedDocuments,
    ShadowMarks,
};
use crate::{
    config::{DocumentsConfig, DocumentsRouting, Place, StorageConfig},
    error::OpenError,
};
use izanagi_domain::storage::{MovePhase, MovedStore, StoreError, StoreMove, Stores};
use std::{sync::Arc, time::Instant};

const STORE: MovedStore = MovedStore::Documents;

/// The open document store.
pub(crate) struct OpenDocuments {
    pub(crate) places: Arc<Places>,
    /// Where the records are, for the log.
    pub(crate) description: String,
}

/// Opens the document store and puts it into `stores`.
pub(crate) async fn open(
    config: &StorageConfig,
    users: Place,
    marks: Arc<dyn ShadowMarks>,
    stores: &mut Stores,
) -> Result<OpenDocuments, OpenError> {
    let begun = Instant::now();
    let mut template = config.documents.clone().unwrap_or_else(|| DocumentsConfig {
        soft_delete_retention: config.retention,
        ..DocumentsConfig::new("users")
    });
    template.reads_replicas |= config.routing == DocumentsRouting::ReadReplica;
    let places = Arc::new(Places::new(
        Arc::clone(&stores.documents),
        template,
        config.relational.clone(),
        Arc::clone(&config.ids),
        config.exclusive,
    ));
    let own = config.documents.as_ref();
    let own = own.map(|own| DocumentsPlace::parse(own.url.expose(), &users));
    let is_dual = matches!(config.routing, DocumentsRouting::DualWrite { .. });
    let first = match config.routing {
        DocumentsRouting::DualWrite { own_first: false, .. } => None,
        _ => own.clone(),
    };
    let configured = first.unwrap_or(DocumentsPlace::Users);
    let is_shared = matches!(users, Place::Postgres(_));
    let is_in_memory = users == Place::Memory;
    let mover = |routed| DocumentsMover {
        node: config.ids.uuid(),
        routed,
        places: Arc::clone(&places),
        moves: Arc::clone(&stores.relational.moves),
        clock: Arc::clone(&config.clock),
        ids: Arc::clone(&config.ids),
        sealer: config.sealer.clone(),
        users,
        configured,
        is_dual,
        is_shared,
        opened: begun,
        writes: config.exclusive.is_some(),
    };
    // Replaced before anything can use it.
    let nowhere = Route::single(Arc::clone(&stores.documents), true);
    let routed = Routed::new(nowhere, marks, Arc::clone(&config.clock));
    let mover = mover(Arc::clone(&routed));
    let row = known(&mover, config.ignores_moves).await?;
    let (route, description) = match (&row, &config.routing) {
        (None, DocumentsRouting::DualWrite { own_first, reads, mirrors }) => {
            let own = own.ok_or(OpenError::Setting {
                name: "storage.routing.documents.strategy",
                given: "dual-write".to_owned(),
                allowed: "dual-write only with a storage.documents.url of its own".to_owned(),
            })?;
            let mut both = [own, DocumentsPlace::Users];
            if !own_first {
                both.reverse();
            }
            dual(&places, &both, *reads, *mirrors).await?
        }
        _ => moved(&mover, row.as_ref()).await?,
    };
    routed.set(route, &routed.hold().await);
    stores.documents = Arc::new(RoutedDocuments(Arc::clone(&routed)));
    let commits = stores
        .relational
        .atomic
        .take()
        .map(|users| Arc::new(RoutedCommits { routed: Arc::clone(&routed), users }) as _);
    stores.relational.atomic = commits;
    stores.routing = Some(Arc::new(RoutedDocuments(Arc::clone(&routed))));
    // What is in memory has nowhere to go.
    if !is_in_memory {
        stores.movers.push(Arc::new(mover));
    }
    Ok(OpenDocuments { places, description })
}

/// Opens both places of the settings. The second may be down.
async fn dual(
    places: &Places,
    [first, second]: &[DocumentsPlace; 2],
    reads: Reads,
    mirrors: bool,
) -> Result<(Route, String), OpenError> {
    let primary = places.open(first).await?;
    let shadow = places.open(second).await?;
    let description = format!("{}, and as a copy {}", primary.description, shadow.description);
    let (primary, shadow) = (primary.store.clone(), Some(shadow.store.clone()));
    Ok((Route { primary, shadow, mirrors, reads, is_atomic: false }, description))
}

/// Opens the place in which the records are by the settings or by a move.
async fn moved(
    mover: &DocumentsMover,
    row: Option<&StoreMove>,
) -> Result<(Route, String), OpenError> {
    let Some(row) = row else {
        let opened = mover.places.open(&mover.configured).await?;
        let is_atomic = mover.configured == DocumentsPlace::Users;
        let route = Route::single(opened.store.clone(), is_atomic);
        return Ok((route, opened.description.clone()));
    };
    let route = mover.route_of(Some(row)).await.map_err(OpenError::database)?;
    let route = route.ok_or_else(|| OpenError::database("the documents are nowhere"))?;
    let (source, target) = mover.places_of(row).map_err(OpenError::database)?;
    let place = if row.phase.is_over() { Some(target) } else { source };
    let shown = place.map(|place| place.to_string()).unwrap_or_default();
    Ok((route, format!("{shown} (move: {})", row.phase.as_str())))
}

/// Returns the move that decides where the records are; `None` if the settings do.
async fn known(mover: &DocumentsMover, ignores_done: bool) -> Result<Option<StoreMove>, OpenError> {
    let failed = |error: StoreError| OpenError::database(error);
    let Some(row) = mover.moves.get(STORE).await.map_err(failed)? else { return Ok(None) };
    if ignores_done && row.phase == MovePhase::Moved {
        return Ok(None);
    }
    let row = if mover.writes { mover.resealed(row).await.map_err(failed)? } else { row };
    let (source, target) = mover.places_of(&row).map_err(failed)?;
    if row.phase == MovePhase::Moved {
        return done(mover, row, source, &target).await;
    }
    if mover.is_dual {
        return Err(OpenError::Setting {
            name: "storage.routing.documents.strategy",
            given: "dual-write".to_owned(),
            allowed: "single, as long as a move of the documents is under way".to_owned(),
        });
    }
    if !mover.writes {
        return Ok(Some(row));
    }
    if !mover.is_shared {
        // No other process may write; what a killed one has left would be waited for.
        for node in mover.moves.nodes(STORE).await.map_err(failed)? {
            mover.moves.leave(STORE, node.node).await.map_err(failed)?;
        }
        mover.moves.release(row.id).await.map_err(failed)?;
    }
    // First the sign of life, then the row: whoever changes it in between waits for this node.
    mover.moves.confirm(STORE, mover.node, None).await.map_err(failed)?;
    mover.moves.get(STORE).await.map_err(failed)
}

/// The settings have to follow a move that is done.
async fn done(
    mover: &DocumentsMover,
    row: StoreMove,
    source: Option<DocumentsPlace>,
    target: &DocumentsPlace,
) -> Result<Option<StoreMove>, OpenError> {
    if mover.configured == *target {
        // Nodes whose settings name the former place still need the row, where there may be any.
        if mover.writes && !mover.is_shared {
            mover.moves.remove(row.id).await.map_err(OpenError::database)?;
            return Ok(None);
        }
        return Ok(if mover.is_dual { None } else { Some(row) });
    }
    if source.is_some_and(|source| source != mover.configured) {
        return Err(OpenError::Setting {
            name: "storage.documents.url (MONGODB_URL)",
            given: mover.configured.to_string(),
            allowed: format!(
                "{target}, to which the documents have moved; if that place has another URL now, run \
                 “izanagi migrate-store --store documents --forget” while no server runs"
            ),
        });
    }
    tracing::warn!(
        "the documents have moved to {target}: change the setting storage.documents.url \
         (MONGODB_URL) to that place"
    );
    Ok(Some(row))
}
