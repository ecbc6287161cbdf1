//! Moves the document store to another place while people work: all nodes write to both places, what
//! was there before is copied, every record is compared, and in a short pause of the writes the new
//! place becomes the truth. A kill at any point leaves one truth, and another worker resumes.

use super::{
    DocumentsPlace, OpenPlace, Places, Route, Routed, Truth, comparison::is_empty, follow::Follower,
};
use crate::config::Place;
use async_trait::async_trait;
use izanagi_domain::{
    sealing::Sealer,
    storage::{
        Clock, DocumentStore, Ids, MovedStore, NewMove, Sealed, StoreError, StoreMove, StoreMover,
        StoreMoves, StoreResult,
    },
};
use izanagi_shared::rules::Secret;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(super) const STORE: MovedStore = MovedStore::Documents;
/// What the URLs of places are sealed for.
const PURPOSE: &str = "store url";
const OWNER: &[u8] = b"documents";
/// How long a worker has a move without a sign of life.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// Time between attempts.
const AGAIN: Duration = Duration::from_secs(2);

/// Moves the document store.
pub(crate) struct DocumentsMover {
    pub(crate) node: Uuid,
    pub(crate) routed: Arc<Routed>,
    pub(crate) places: Arc<Places>,
    pub(crate) moves: Arc<dyn StoreMoves>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) sealer: Option<Sealer>,
    /// The relational database.
    pub(crate) users: Place,
    /// Where the settings say that the records are: with two places, the first.
    pub(crate) configured: DocumentsPlace,
    /// Whether the settings name two places.
    pub(crate) is_dual: bool,
    /// Whether other processes may write records too.
    pub(crate) is_shared: bool,
    /// Whether this process may write records. A move waits for those that do.
    pub(crate) writes: bool,
    /// With two places of the settings, the second.
    pub(crate) second: Option<DocumentsPlace>,
}

impl DocumentsMover {
    /// Opens what was sealed.
    pub(crate) fn unseal(&self, sealed: &Sealed) -> StoreResult<DocumentsPlace> {
        let sealer = self.sealer.as_ref();
        let url = sealer.and_then(|it| it.open(PURPOSE, OWNER, &sealed.0)).ok_or_else(gone)?;
        Ok(DocumentsPlace::parse(url.expose(), &self.users))
    }

    pub(super) fn sealed(&self, place: &DocumentsPlace) -> Result<Sealed, String> {
        let sealer = self.sealer.as_ref().ok_or("there is no signing key to seal its URL with")?;
        let sealed = sealer.seal(PURPOSE, OWNER, &Secret::new(place.text()));
        sealed.map(Sealed).map_err(|error| format!("its URL cannot be sealed: {error}"))
    }

    /// Seals the URLs of a move with the current key, before the former one that sealed them is removed.
    pub(crate) async fn resealed(&self, row: StoreMove) -> StoreResult<StoreMove> {
        let Some(sealer) = &self.sealer else { return Ok(row) };
        let seal = |sealed: &Sealed| -> StoreResult<Sealed> {
            let url = sealer.open(PURPOSE, OWNER, &sealed.0).ok_or_else(gone)?;
            sealer
                .seal(PURPOSE, OWNER, &url)
                .map(Sealed)
                .map_err(|error| StoreError::Unavailable(error.to_string()))
        };
        let is_current = |sealed: &Sealed| sealer.is_current(PURPOSE, OWNER, &sealed.0);
        if is_current(&row.target) && row.source.as_ref().is_none_or(is_current) {
            return Ok(row);
        }
        let source = row.source.as_ref().map(seal).transpose()?;
        let row = StoreMove { source, target: seal(&row.target)?, ..row };
        self.moves.reseal(row.id, row.source.as_ref(), &row.target).await?;
        Ok(row)
    }

    /// Returns where the records are and where they go.
    pub(crate) fn places_of(
        &self,
        row: &StoreMove,
    ) -> StoreResult<(Option<DocumentsPlace>, DocumentsPlace)> {
        let source = row.source.as_ref().map(|source| self.unseal(source)).transpose()?;
        Ok((source, self.unseal(&row.target)?))
    }

    pub(crate) async fn open(&self, place: &DocumentsPlace) -> StoreResult<Arc<OpenPlace>> {
        let opened = self.places.open(place).await;
        opened.map_err(|error| StoreError::Unavailable(format!("{place}: {error}")))
    }

    /// Returns the second place of a route if it can be opened now. One that would be overwritten by an
    /// empty first place is refused.
    pub(crate) async fn second_of(
        &self,
        route: &Route,
    ) -> StoreResult<Option<Arc<dyn DocumentStore>>> {
        let place = match route.origin.move_id {
            None => self.second.clone(),
            Some(id) => {
                let Some(row) = self.moves.get(STORE).await?.filter(|row| row.id == id) else {
                    return Ok(None);
                };
                let (source, target) = self.places_of(&row)?;
                if route.origin.truth == Truth::Source { Some(target) } else { source }
            }
        };
        let Some(place) = place else { return Ok(None) };
        let Some(opened) = self.places.open_soon(&place).await else { return Ok(None) };
        if route.origin.move_id.is_none() {
            check_direction(&*route.primary, &*opened.store).await?;
        }
        Ok(Some(Arc::clone(&opened.store)))
    }

    /// Refuses places that every server would have for itself.
    fn check_place(&self, place: &DocumentsPlace) -> Result<(), String> {
        let DocumentsPlace::Own(url) = place else { return Ok(()) };
        if !url.is_mongodb() {
            Place::parse(url).map_err(|error| error.to_string())?;
        }
        let path = url.expose().strip_prefix("sqlite://");
        match (url.scheme(), path) {
            ("memory", _) => Err("a place in memory lasts only as long as one process".to_owned()),
            (_, Some(_)) if self.is_shared => {
                Err("each server would have a file of its own".to_owned())
            }
            (_, Some(path)) if !std::path::Path::new(path).is_absolute() => {
                Err("give the whole path of the file, as in sqlite:///var/lib/izanagi/documents.db"
                    .to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Fails if the place that is to decide has no record, and the other one has some.
///
/// # Errors
/// Those of the stores; `Unavailable` with what to do.
pub(super) async fn check_direction(
    primary: &dyn DocumentStore,
    shadow: &dyn DocumentStore,
) -> StoreResult<()> {
    if !is_empty(primary).await? || is_empty(shadow).await? {
        return Ok(());
    }
    let why = "the first place of the documents is empty, and the second is not: let the one with the \
               records be first (storage.routing.documents.primary)";
    Err(StoreError::Unavailable(why.to_owned()))
}

fn gone() -> StoreError {
    let why = "the place of the documents is sealed with a signing key that is gone; set \
               storage.documents.url to it, and run “izanagi migrate-store --store documents --forget”";
    StoreError::Unavailable(why.to_owned())
}

#[async_trait]
impl StoreMover for DocumentsMover {
    fn store(&self) -> MovedStore {
        STORE
    }

    async fn prepare(&self, target: &Secret, overwrite: bool) -> Result<NewMove, String> {
        let place = DocumentsPlace::parse(target.expose(), &self.users);
        if self.is_dual {
            let why = "the settings name two places (storage.routing.documents); choose one first";
            return Err(why.to_owned());
        }
        let row = self.moves.get(STORE).await.map_err(|error| error.to_string())?;
        let source = match &row {
            Some(row) => self.unseal(&row.target).map_err(|error| error.to_string())?,
            None => self.configured.clone(),
        };
        if source == place {
            return Err("they are there already".to_owned());
        }
        self.check_place(&place)?;
        let failed = |error: StoreError| error.to_string();
        let opened = self.places.open(&place).await.map_err(|error| error.to_string())?;
        let is_filled = !is_empty(&*opened.store).await.map_err(failed)?;
        let from = self.open(&source).await.map_err(failed)?;
        if is_filled && is_empty(&*from.store).await.map_err(failed)? {
            return Err(format!(
                "{place} has records, and {source}, where they should be, has none: is that the right \
                 direction?"
            ));
        }
        if is_filled && !overwrite {
            return Err(format!(
                "{place} is not empty; with --overwrite, what this store does not have is removed there"
            ));
        }
        Ok(NewMove {
            id: self.ids.uuid(),
            store: STORE,
            source: Some(self.sealed(&source)?),
            target: self.sealed(&place)?,
            replaces: row.map(|row| row.id),
            at: self.clock.now(),
        })
    }

    async fn check_forget(&self, row: &StoreMove) -> Result<(), String> {
        // With keys that are lost, only the settings can know.
        let Ok((source, target)) = self.places_of(row) else { return Ok(()) };
        if self.configured == target {
            return Ok(());
        }
        let named = &self.configured;
        if source.as_ref() == Some(named) {
            return Err(format!(
                "the settings still name {named}, from which the documents have moved to {target}"
            ));
        }
        let failed = |error: StoreError| error.to_string();
        let opened = self.open(named).await.map_err(failed)?;
        if is_empty(&*opened.store).await.map_err(failed)? {
            return Err(format!("{named}, which the settings name, has no records"));
        }
        Ok(())
    }

    async fn carry_on(&self) -> StoreResult<()> {
        let mut compared = None;
        loop {
            let Some(row) = self.moves.get(STORE).await? else { return Ok(()) };
            let now = self.clock.now();
            if !self.moves.claim(row.id, self.node, now, now.plus(LEASE)).await? {
                return Err(StoreError::Unavailable("another worker carries out the move".into()));
            }
            match self.step(row.clone(), &mut compared).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(phase = row.phase.as_str(), %error, "the move of the documents waits");
                    self.note(&row, &error).await;
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn follow(&self, stop: CancellationToken) {
        Follower::new(self).run(stop).await;
    }
}
