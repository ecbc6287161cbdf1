//! Making a record in the second place equal to that of the first.

use super::{
    Route, Routed,
    counters::Class,
    marks::Mark,
    route::{Admitted, Pass},
};
use futures::StreamExt as _;
use izanagi_domain::storage::{DocumentStore, Record, RecordPath, StoreError, StoreResult};
use std::{collections::HashMap, sync::Arc, time::Instant};

/// Records mended at once.
pub(super) const AT_ONCE: usize = 8;
/// Marks read at once.
const PAGE: u32 = 500;
/// How often both places are looked at until they are equal: others may write meanwhile.
const ROUNDS: u32 = 8;

/// What became of a record in two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mended {
    /// It was equal.
    Equal,
    /// It differed, and is equal now.
    Now,
    /// Only the second place has it, and nobody is known to have removed it: it was left alone.
    OnlySecond,
}

/// Whether a record that only the second place has may be removed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surplus {
    /// Somebody has removed it in the first, or the second place has nothing of its own.
    Remove,
    /// It may be the last copy.
    Keep,
}

/// Returns a record, even if it is soft-deleted.
async fn stored(store: &dyn DocumentStore, path: &RecordPath) -> StoreResult<Option<Record>> {
    Ok(store.get_stored(std::slice::from_ref(path)).await?.pop())
}

/// Makes the record in `shadow` equal to that in `primary`. It is done only when a look at both has
/// found them equal: what others do meanwhile, such as a removal, is seen by the next look. `may` fails
/// once the route is another one.
///
/// # Errors
/// Those of the stores; `Corrupt` if the record of the primary is damaged, or if the copy still
/// differs.
async fn equalize(
    (primary, shadow): (&dyn DocumentStore, &dyn DocumentStore),
    path: &RecordPath,
    surplus: Surplus,
    may: &(dyn Fn() -> StoreResult<()> + Send + Sync),
) -> StoreResult<Mended> {
    // Once it was in the primary, it can only be gone because somebody has removed it.
    let mut was_there = false;
    for round in 0..ROUNDS {
        // The copy is read first: a newer one than that of the primary is then no race, but damage.
        let copy = stored(shadow, path).await;
        let truth = stored(primary, path).await?;
        may()?;
        let copy = match copy {
            Err(StoreError::Corrupt(why)) => {
                // The last copy stays, even if it is damaged.
                if truth.is_none() && !was_there && surplus == Surplus::Keep {
                    return Ok(Mended::OnlySecond);
                }
                tracing::warn!(%path, why, "a copy of a record is damaged");
                shadow.purge(path).await?;
                None
            }
            copy => copy?,
        };
        let equal = if round == 0 { Mended::Equal } else { Mended::Now };
        match (truth, copy) {
            (truth, copy) if truth == copy => return Ok(equal),
            (None, Some(_)) if surplus == Surplus::Remove || was_there => {
                shadow.purge(path).await?;
            }
            (None, _) => return Ok(Mended::OnlySecond),
            (Some(truth), copy) => {
                was_there = true;
                if copy.is_some_and(|copy| copy.version >= truth.version) {
                    shadow.purge(path).await?;
                }
                // What it does not write, the next look sees.
                shadow.replicate(&truth).await?;
            }
        }
    }
    Err(StoreError::Corrupt(format!("the copy of {path} differs after it was written")))
}

impl Routed {
    /// Makes the copy of a record equal, to the end even if the caller is dropped: the gate must know
    /// of it.
    pub(super) async fn mend(
        self: &Arc<Self>,
        path: &RecordPath,
        surplus: Surplus,
        pass: Pass,
    ) -> StoreResult<Mended> {
        let admitted = self.admit(pass).await?;
        let (this, path) = (Arc::clone(self), path.clone());
        self.counters.count(Class::Migrate);
        let task = tokio::spawn(async move { this.mend_admitted(&admitted, &path, surplus).await });
        let mended =
            task.await.unwrap_or_else(|error| Err(StoreError::Unknown(error.to_string())))?;
        if mended == Mended::Now {
            self.counters.repaired();
        }
        Ok(mended)
    }

    /// Like [`Self::mend`], inside of a write.
    pub(super) async fn mend_admitted(
        &self,
        (route, _pass): &Admitted,
        path: &RecordPath,
        surplus: Surplus,
    ) -> StoreResult<Mended> {
        let Some(shadow) = &route.shadow else {
            return match route.mirrors {
                true => Err(StoreError::Unavailable("the second place is not open".to_owned())),
                false => Ok(Mended::Equal),
            };
        };
        let surplus = if route.owns_shadow { Surplus::Remove } else { surplus };
        let places = (&*route.primary, &**shadow);
        let mended = equalize(places, path, surplus, &|| self.require_route(route)).await?;
        if mended == Mended::OnlySecond {
            self.counters.differed();
            tracing::warn!(%path, "only the second place of the documents has a record");
        }
        Ok(mended)
    }

    /// Copies a record of before a move, to the end even if the caller is dropped. Somebody may remove
    /// the record meanwhile: the comparison that follows sees that.
    pub(super) async fn back_fill(
        self: &Arc<Self>,
        target: Arc<dyn DocumentStore>,
        record: Record,
    ) -> StoreResult<()> {
        let admitted = self.admit(Pass::Gate).await?;
        let task = tokio::spawn(async move {
            let copied = target.replicate(&record).await;
            drop(admitted);
            copied
        });
        let copied = task.await;
        copied.unwrap_or_else(|error| Err(StoreError::Unknown(error.to_string()))).map(drop)
    }

    /// Copies a record to the first place if only the second has it: there it was written by someone
    /// for whom that place decided. Nothing is removed or replaced.
    pub(super) async fn rescue(self: &Arc<Self>, path: &RecordPath, pass: Pass) -> StoreResult<()> {
        let (route, _pass) = self.admit(pass).await?;
        let Some(shadow) = &route.shadow else {
            return Err(StoreError::Unavailable("the second place is not open".to_owned()));
        };
        self.require_route(&route)?;
        rescue((&*route.primary, &**shadow), path).await
    }

    /// Mends the records of these marks and removes the marks. Those of another move or of other
    /// settings are left alone. Goes on after a failure, and returns the first one; begins nothing
    /// after `until`.
    pub(super) async fn mend_marked(
        self: &Arc<Self>,
        marks: &[Mark],
        pass: Pass,
        until: Option<Instant>,
    ) -> StoreResult<()> {
        let route = self.route();
        let mut by_path: HashMap<RecordPath, Vec<Mark>> = HashMap::new();
        let is_related =
            |mark: &&Mark| [route.origin, route.origin.reversed()].contains(&mark.origin);
        for mark in marks.iter().filter(is_related) {
            by_path.entry(mark.path.clone()).or_default().push(mark.clone());
        }
        futures::stream::iter(by_path)
            .map(|(path, marks)| {
                let (this, route) = (Arc::clone(self), Arc::clone(&route));
                async move {
                    if until.is_some_and(|until| Instant::now() > until) {
                        return Err(StoreError::Unavailable("it takes too long".to_owned()));
                    }
                    this.mend_one(&route, &path, &marks, pass).await
                }
            })
            .buffer_unordered(AT_ONCE)
            .fold(Ok(()), |all, one| async { all.and(one) })
            .await
    }

    async fn mend_one(
        self: &Arc<Self>,
        route: &Route,
        path: &RecordPath,
        marks: &[Mark],
        pass: Pass,
    ) -> StoreResult<()> {
        let (ours, others): (Vec<&Mark>, Vec<&Mark>) =
            marks.iter().partition(|mark| mark.origin == route.origin);
        if !others.is_empty() {
            self.rescue(path, pass).await?;
        }
        if !ours.is_empty() {
            let is_removed = ours.iter().any(|mark| mark.purges);
            let surplus = if is_removed { Surplus::Remove } else { Surplus::Keep };
            self.mend(path, surplus, pass).await?;
        }
        let (purges, writes): (Vec<&Mark>, Vec<&Mark>) = marks.iter().partition(|mark| mark.purges);
        self.marks.remove(&writes.iter().map(|mark| mark.id).collect::<Vec<_>>()).await?;
        // Two of them would keep each other.
        if let Some((last, rest)) = purges.split_last() {
            self.marks.remove(&rest.iter().map(|mark| mark.id).collect::<Vec<_>>()).await?;
            self.marks.remove_purge(last.id).await?;
        }
        Ok(())
    }

    /// Mends all marked records while writes are held everywhere. Begins nothing after `until`.
    pub(super) async fn mend_all_marked(self: &Arc<Self>, until: Instant) -> StoreResult<()> {
        let mut after = None;
        loop {
            let marks = self.marks.list(after, PAGE).await?;
            let Some(last) = marks.last() else { return Ok(()) };
            after = Some(last.id);
            self.mend_marked(&marks, Pass::Held, Some(until)).await?;
        }
    }

    /// Mends many records at once; returns how many differed. Goes on after a failure, and returns
    /// the first one.
    pub(super) async fn mend_many(
        self: &Arc<Self>,
        paths: Vec<RecordPath>,
        surplus: Surplus,
    ) -> StoreResult<u64> {
        futures::stream::iter(paths)
            .map(|path| {
                let this = Arc::clone(self);
                async move { this.mend(&path, surplus, Pass::Gate).await }
            })
            .buffer_unordered(AT_ONCE)
            .fold(Ok(0), |all: StoreResult<u64>, one| async {
                all.and_then(|all| Ok(all + u64::from(one? == Mended::Now)))
            })
            .await
    }
}

/// Copies a record to the first place if only the second has it.
pub(super) async fn rescue(
    (primary, shadow): (&dyn DocumentStore, &dyn DocumentStore),
    path: &RecordPath,
) -> StoreResult<()> {
    if stored(primary, path).await?.is_some() {
        return Ok(());
    }
    if let Some(record) = stored(shadow, path).await? {
        tracing::warn!(%path, "a record was written late to the place that the documents have left");
        primary.replicate(&record).await?;
    }
    Ok(())
}
