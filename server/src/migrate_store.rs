//! `izanagi migrate-store`: asks the running server to move a store to another place, and follows it
//! (PRODUCT O3). Without a server, the command does the work itself.

use crate::{config::Config, logging, run::Running};
use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use izanagi_domain::{
    moves::{Asked, Cancelling},
    services::Services,
    storage::{MovePhase, MovedStore, StoreMove},
};
use izanagi_shared::rules::Secret;
use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How often the state is read.
const PAUSE: Duration = Duration::from_millis(500);
/// Width of the progress bar.
const WIDTH: u64 = 30;

/// Options of `izanagi migrate-store`.
#[derive(Debug, Args)]
pub struct MigrateStore {
    /// The store.
    #[arg(long, value_enum)]
    store: StoreName,
    /// Where it goes: sqlite://…, postgres://…, or for documents also mongodb://… or `users`, the
    /// relational database. `-` reads the URL from standard input, where other users do not see it.
    #[arg(long, required_unless_present_any = ["status", "cancel", "forget"], value_parser = secret)]
    to: Option<Secret>,
    /// Accept a place that is not empty. What the store does not have is removed there.
    #[arg(long, requires = "to")]
    overwrite: bool,
    /// Print how far the move is, and end.
    #[arg(long, conflicts_with_all = ["to", "cancel"])]
    status: bool,
    /// Cancel the move. Possible until the new place is the truth.
    #[arg(long, conflicts_with = "to")]
    cancel: bool,
    /// Forget a move that is done, because the settings say where the store is. Not beside a running
    /// server.
    #[arg(long, conflicts_with_all = ["to", "status", "cancel"])]
    forget: bool,
}

/// Never fails; the option must not be shown in errors or debug output.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a value parser")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StoreName {
    Documents,
    Relational,
}

impl From<StoreName> for MovedStore {
    fn from(name: StoreName) -> Self {
        match name {
            StoreName::Documents => Self::Documents,
            StoreName::Relational => Self::Relational,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// The stores cannot be opened or read, or the move is refused.
pub async fn migrate_store(config: &Config, options: MigrateStore) -> Result<ExitCode> {
    let store = options.store.into();
    if options.forget {
        return forget(config, store).await;
    }
    // Alone, it does the work of the server that is not there.
    let (running, is_alone) = Running::open_alone_or_beside(config, "migrate-store").await?;
    let outcome = run(&running.services, store, options, is_alone).await;
    running.close().await;
    outcome
}

/// Alone, so that no server goes on with what is forgotten.
async fn forget(config: &Config, store: MovedStore) -> Result<ExitCode> {
    let running = Running::open_ignoring_moves(config, "migrate-store").await?;
    let outcome = running.services.moves.forget(store).await;
    running.close().await;
    let (text, code) = match outcome? {
        true => ("The settings say where the store is. The move is forgotten.", ExitCode::SUCCESS),
        false => ("No move is known that is done.", ExitCode::FAILURE),
    };
    logging::say(text);
    Ok(code)
}

async fn run(
    services: &Services,
    store: MovedStore,
    options: MigrateStore,
    is_alone: bool,
) -> Result<ExitCode> {
    if options.status {
        let state = services.moves.get(store).await?;
        logging::say(state.as_ref().map_or_else(|| "No move is known.".to_owned(), line));
        return Ok(ExitCode::SUCCESS);
    }
    if options.cancel {
        return cancel(services, store, is_alone).await;
    }
    let to = options.to.context("give --to")?;
    let to = if to.expose() == "-" { read_url()? } else { to };
    match services.moves.get(store).await? {
        Some(row) if row.phase.is_open() => logging::say("Following the move that is under way."),
        _ => match services.moves.begin(store, &to, options.overwrite).await? {
            Asked::Begun => {}
            Asked::Refused(why) => bail!("the store {} cannot move: {why}", store.as_str()),
        },
    }
    follow(services, store, is_alone).await
}

async fn cancel(services: &Services, store: MovedStore, is_alone: bool) -> Result<ExitCode> {
    match services.moves.cancel(store).await? {
        Cancelling::Nothing => {
            logging::say("No move is under way.");
            Ok(ExitCode::FAILURE)
        }
        Cancelling::TooLate => {
            logging::say("The new place is in use already. Move the store back instead.");
            Ok(ExitCode::FAILURE)
        }
        Cancelling::Cancelled => {
            if is_alone {
                services.jobs.run_moves(&CancellationToken::new()).await?;
            }
            logging::say("The move is cancelled. Everything stays where it was.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Follows a move to its end. Ctrl-C ends only the following; the server goes on.
async fn follow(services: &Services, store: MovedStore, is_alone: bool) -> Result<ExitCode> {
    let stop = CancellationToken::new();
    let mut work = std::pin::pin!(async {
        while is_alone && !stop.is_cancelled() {
            if let Err(error) = services.jobs.run_moves(&stop).await {
                tracing::warn!(?error, "the move will be retried");
            }
            tokio::time::sleep(PAUSE).await;
        }
        std::future::pending::<()>().await;
    });
    let mut shown = Shown::default();
    let outcome = loop {
        let row = services.moves.get(store).await?;
        match &row {
            None => break ("The move was cancelled. Everything stays where it was.", false),
            Some(row) if row.phase == MovePhase::Moved => {
                break ("The store has moved. Change the settings to the new place now.", true);
            }
            Some(row) => shown.show(row),
        }
        tokio::select! {
            () = &mut work => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    };
    stop.cancel();
    shown.end();
    logging::say(outcome.0);
    Ok(if outcome.1 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_url() -> Result<Secret> {
    let mut url = String::new();
    std::io::stdin().read_line(&mut url).context("cannot read the URL")?;
    Ok(Secret::new(url.trim()))
}

/// What is on the screen.
#[derive(Default)]
struct Shown {
    last: String,
    is_bar: bool,
}

impl Shown {
    /// A bar that changes in place, or a line for each change where there is no terminal.
    fn show(&mut self, row: &StoreMove) {
        let text = line(row);
        if text == self.last {
            return;
        }
        let mut out = std::io::stdout();
        self.is_bar = out.is_terminal();
        if self.is_bar {
            let gone = self.last.chars().count().saturating_sub(text.chars().count());
            // A closed pipe does not end the move.
            let _ = write!(out, "\r{text}{}", " ".repeat(gone));
            let _ = out.flush();
        } else {
            logging::say(&text);
        }
        self.last = text;
    }

    fn end(&self) {
        if self.is_bar {
            logging::say("");
        }
    }
}

fn line(row: &StoreMove) -> String {
    let progress = &row.progress;
    let mut text = format!("{}: {:<9}", row.store.as_str(), row.phase.as_str());
    if progress.total > 0 {
        let done = progress.done.min(progress.total);
        let full = done * WIDTH / progress.total;
        let bar: String = (0..WIDTH).map(|at| if at < full { '#' } else { '.' }).collect();
        text.push_str(&format!(" [{bar}] {done}/{}", progress.total));
    }
    if !progress.note.is_empty() {
        text.push_str(&format!(" ({})", progress.note));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_domain::storage::{MoveProgress, Sealed};
    use izanagi_shared::time::Timestamp;

    #[test]
    fn a_line_shows_how_far_a_move_is() {
        let at = Timestamp::from_micros(1);
        let progress =
            MoveProgress { done: 1, total: 3, note: "n".to_owned(), ..Default::default() };
        let row = StoreMove {
            id: uuid::Uuid::nil(),
            store: MovedStore::Documents,
            source: None,
            target: Sealed(Vec::new()),
            phase: MovePhase::Copying,
            progress,
            claim: None,
            started_at: at,
            updated_at: at,
        };
        let bar = format!("[{}{}]", "#".repeat(10), ".".repeat(20));
        assert_eq!(line(&row), format!("documents: copying   {bar} 1/3 (n)"));
    }
}
