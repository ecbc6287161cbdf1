//! The end of a move: writes wait while the last rows are copied, and one transaction at the source
//! decides.

use super::{
    Backing, Engine, Noted,
    dialect::{self, statement},
    forget_notes,
    origin::{self, MOVED_SCHEMA},
    run_all,
    switch::Switch,
};
use crate::sql::{
    database::{Database as _, Transaction as _},
    statement::{Statement, args},
};
use izanagi_domain::storage::{StoreError, StoreResult};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// How long to wait for writes that are under way; others wait meanwhile. What takes longer is given
/// up, and tried again later: all parts of a pause together take two seconds at most.
const TO_BEGIN: Duration = Duration::from_millis(400);
/// How long to copy the last rows.
const TO_COPY: Duration = Duration::from_millis(900);
/// Between attempts to find out how the decision ended, or to tell the target.
const AGAIN: Duration = Duration::from_millis(200);
/// How often the target is told at most; the next start tells it otherwise.
const TIMES: u32 = 25;

/// How a pause ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The stores use the target; writes waited so long.
    Switched(Duration),
    /// It took too long, or the source was changed by another process. Nothing has happened.
    Late,
    /// The move was cancelled.
    Cancelled,
}

/// What the deciding transaction found.
enum Decision {
    Moved,
    Changed,
    Cancelled,
}

impl Engine {
    /// Lets writes wait, copies the last rows, and lets the stores use the target: `live`, which checks
    /// references.
    ///
    /// Runs to its end once begun: between the decision and the exchange, no write would succeed.
    pub(crate) async fn end(
        self: Arc<Self>,
        switch: Arc<Switch>,
        live: Backing,
    ) -> StoreResult<Ended> {
        let run = tokio::spawn(async move {
            let ended = self.end_once(&switch, &live).await?;
            if matches!(ended, Ended::Switched(_)) {
                self.tell_target(&live).await;
                if let Err(error) = self.leave_source().await {
                    tracing::warn!(%error, "the former database still notes changes that never come");
                }
                if !live.is(&self.target) {
                    self.target.close().await;
                }
            }
            Ok(ended)
        });
        run.await.unwrap_or_else(|error| Err(StoreError::Unavailable(error.to_string())))
    }

    async fn end_once(&self, switch: &Switch, live: &Backing) -> StoreResult<Ended> {
        let begun = Instant::now();
        let Some(pause) = switch.pause(TO_BEGIN).await else { return Ok(Ended::Late) };
        match timeout(TO_COPY, self.copy_the_rest()).await {
            Ok(copied) => copied?,
            Err(_) => return Ok(Ended::Late),
        }
        match self.decide().await {
            Ok(Decision::Moved) => {}
            Ok(Decision::Changed) => return Ok(Ended::Late),
            Ok(Decision::Cancelled) => return Ok(Ended::Cancelled),
            Err(StoreError::Unknown(why)) => {
                tracing::warn!(why, "it is not known whether the database has moved");
                if !self.has_moved().await {
                    return Ok(Ended::Late);
                }
            }
            // Something else uses a table, such as a vacuum.
            Err(StoreError::Unavailable(why)) => {
                tracing::info!(why, "the database could not decide to move");
                return Ok(Ended::Late);
            }
            Err(error) => return Err(error),
        }
        switch.replace(&pause, live.clone());
        drop(pause);
        let waited = begun.elapsed();
        switch.prepare(false);
        Ok(Ended::Switched(waited))
    }

    /// Copies and compares what changed since the last round.
    async fn copy_the_rest(&self) -> StoreResult<()> {
        // What was queued before the pause is committed before this.
        run_all(&self.source, Vec::new()).await?;
        for text in dialect::of(&self.source).keep_numbers() {
            self.source.execute(Statement::new(text)).await?;
        }
        self.drain().await?;
        for text in dialect::of(&self.target).raise_numbers() {
            self.target.execute(Statement::new(text)).await?;
        }
        origin::relink(&self.target).await
    }

    /// Marks the source as moved, unless something has changed since the last row was copied.
    async fn decide(&self) -> StoreResult<Decision> {
        let dialect = dialect::of(&self.source);
        let noted: Vec<_> = self.tables.iter().map(Noted::from).collect();
        let lock: Arc<[_]> = dialect.lock(&noted).iter().map(|text| statement(text)).collect();
        let refuse = noted.iter().flat_map(|table| dialect.refuse(table));
        let refuse: Arc<[_]> = refuse.map(|text| statement(&text)).collect();
        let any_notes = Arc::new(self.any_notes());
        let id = self.id;
        let decide = self.source.write(move |transaction| {
            let (lock, refuse) = (Arc::clone(&lock), Arc::clone(&refuse));
            let any_notes = Arc::clone(&any_notes);
            Box::pin(async move {
                for statement in lock.iter() {
                    transaction.execute(statement.clone()).await?;
                }
                if transaction.fetch_optional((*any_notes).clone()).await?.is_some() {
                    return Ok(Decision::Changed);
                }
                if transaction.fetch_optional(wanted(id)).await?.is_none() {
                    return Ok(Decision::Cancelled);
                }
                transaction.later(origin::settled(id));
                let depart = Statement::with(
                    "UPDATE database_departure SET has_moved = $2 WHERE move_id = $1",
                    args![id, true],
                );
                if transaction.execute(depart).await? != 1 {
                    let why = "the database does not know that it moves";
                    return Err(StoreError::Corrupt(why.to_owned()));
                }
                for statement in refuse.iter() {
                    transaction.execute(statement.clone()).await?;
                }
                transaction.later(Statement::with(
                    "INSERT INTO _sqlx_migrations \
                     (version, description, success, checksum, execution_time) \
                     VALUES ($1, 'moved', $2, $3, 0)",
                    args![MOVED_SCHEMA, true, vec![0_u8]],
                ));
                Ok(Decision::Moved)
            })
        });
        decide.await
    }

    /// Finds out whether the source is marked. Until then nobody may write to either side.
    async fn has_moved(&self) -> bool {
        loop {
            match origin::standing(&self.source).await {
                Ok(standing) => {
                    return standing.departure.is_some_and(|departure| departure.id == self.id);
                }
                Err(error) => {
                    tracing::warn!(%error, "it is not known yet whether the database has moved");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn tell_target(&self, live: &Backing) {
        for _ in 0..TIMES {
            match origin::arrive(live, self.id).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::error!(%error, "the new database could not be told that it is in use");
                    sleep(AGAIN).await;
                }
            }
        }
    }

    /// Ends what the source still does for the move; those who follow it there see that it is done.
    async fn leave_source(&self) -> StoreResult<()> {
        forget_notes(&self.source).await?;
        self.source.close().await;
        Ok(())
    }
}

/// Returns a row unless the move was cancelled.
fn wanted(id: Uuid) -> Statement {
    Statement::with(
        "SELECT 1 AS one FROM store_moves \
         WHERE store = 'relational' AND id = $1 AND phase = 'holding'",
        args![id],
    )
}
