//! Command line interface (PRODUCT O1).

use crate::{
    config::{self, Config},
    doctor, health, logging,
    migrate_store::{MigrateStore, migrate_store},
    run::{self, Running},
};
use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use izanagi_domain::{
    accounts::{ManagedAccount, Role},
    fsck::Repair,
};
use izanagi_storage::{self as storage, doctor::Verdict};
use std::process::ExitCode;

/// Self-hosted collaborative document editor.
#[derive(Debug, Parser)]
#[command(name = "izanagi", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and the API (default).
    Serve,
    /// Migrate the database to the schema of this version.
    Migrate,
    /// Check the integrity of all stored data. Exits with code 1 if it finds a fault.
    Fsck {
        /// Repair what can be repaired without losing data: rebuild cached texts, restore damaged
        /// documents, soft-delete unreferenced contents. Not beside a running server.
        #[arg(long)]
        repair: bool,
        /// With --repair: if a damaged document cannot be restored otherwise, continue from its
        /// stored text, even if that lacks the last edits.
        #[arg(long, requires = "repair")]
        restart: bool,
    },
    /// Clean up after interrupted commits and compact old versions. Not beside a running server,
    /// which does this by itself.
    Gc,
    /// Check each store, the signing keys and this machine: what can be reached, versions, rights,
    /// durability, clocks, schema, indexes, free space; says how to mend what is wrong. Changes
    /// nothing, also beside a running server. Exits with code 1 if something is bad.
    Doctor,
    /// Ask the server on this machine whether it is ready, for health checks of containers. Exits with
    /// code 1 if not.
    Health,
    /// Move a store to another place while the server runs, or follow a move.
    MigrateStore(MigrateStore),
    /// Print an `izanagi.yaml` with every setting, its documentation and its default.
    Config,
    /// Manage user accounts.
    #[command(subcommand)]
    User(User),
    /// Manage the keys that sign access tokens.
    #[command(subcommand)]
    Keys(Keys),
}

#[derive(Debug, Subcommand)]
enum User {
    /// Deactivate an account: end its sessions and block sign-in.
    Deactivate {
        /// Username or email.
        login: String,
    },
    /// Reactivate an account.
    Activate {
        /// Username or email.
        login: String,
    },
    /// Set the role of an account.
    Role {
        /// Username or email.
        login: String,
        /// The role.
        role: RoleName,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    User,
    Premium,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::User => Self::User,
            RoleName::Premium => Self::Premium,
            RoleName::Admin => Self::Admin,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// Create a new signing key. Tokens signed with the current key stay valid. A key in a file is
    /// used from the next start, one in the database on every node after two minutes.
    Rotate,
}

impl Cli {
    /// Whether this starts the server.
    #[must_use]
    pub const fn serves(&self) -> bool {
        matches!(self.command, None | Some(Command::Serve))
    }

    /// Runs the command.
    ///
    /// # Errors
    /// Any error that makes the command fail.
    pub async fn run(self) -> Result<ExitCode> {
        let command = self.command.unwrap_or(Command::Serve);
        if matches!(command, Command::Config) {
            // Before the settings are read: it helps when they are wrong.
            logging::say(config::template().trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        let config = Config::load()?;
        logging::start(&config.log)?;
        match command {
            Command::Config => {}
            Command::Serve => run::serve(config, run::told_to_end()).await?,
            Command::Migrate => migrate(&config).await?,
            Command::Fsck { repair, restart } => {
                let repair = match (repair, restart) {
                    (false, _) => Repair::No,
                    (true, false) => Repair::Lossless,
                    (true, true) => Repair::MayLoseEdits,
                };
                return fsck(&config, repair).await;
            }
            Command::Gc => return gc(&config).await,
            Command::Doctor => return doctor(&config).await,
            Command::Health => health::check(&config).await?,
            Command::MigrateStore(options) => return migrate_store(&config, options).await,
            Command::User(user) => manage_user(&config, user).await?,
            Command::Keys(Keys::Rotate) => rotate_keys(&config).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn migrate(config: &Config) -> Result<()> {
    storage::migrate(&config.stores()?.for_one("migrate")).await?;
    logging::say("The database schema is up to date.");
    Ok(())
}

async fn fsck(config: &Config, repair: Repair) -> Result<ExitCode> {
    let alone = (repair > Repair::No).then_some("fsck --repair");
    let running = Running::open_existing(config, alone).await?;
    let report = running.services.fsck.run(repair).await;
    running.close().await;
    let report = report?;
    for fault in &report.faults {
        logging::say(fault);
    }
    for note in &report.notes {
        logging::say(format_args!("note: {note}"));
    }
    for line in &report.repaired {
        logging::say(format_args!("repaired: {line}"));
    }
    logging::say(format_args!(
        "{} documents, {} versions, {} faults",
        report.documents,
        report.versions,
        report.faults.len()
    ));
    Ok(if report.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn doctor(config: &Config) -> Result<ExitCode> {
    let worst = doctor::run(config).await?;
    Ok(if worst == Verdict::Bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn gc(config: &Config) -> Result<ExitCode> {
    let running = Running::open_existing(config, Some("gc")).await?;
    let failed = running.services.jobs.run_now().await;
    running.close().await;
    let failed = failed?;
    logging::say(format_args!("{failed} jobs failed"));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn rotate_keys(config: &Config) -> Result<()> {
    if config.keys_secret.is_none() {
        config.keys().rotate(&config.data_dir)?;
        logging::say("The server will sign with the new key after its next start.");
        return Ok(());
    }
    // Beside a server, which reads the keys again by itself.
    let running = Running::open_existing(config, None).await?;
    let rotated = running.rotate_keys().await;
    running.close().await;
    logging::say(format_args!("Every server signs with the new key from {}.", rotated?));
    Ok(())
}

async fn manage_user(config: &Config, command: User) -> Result<()> {
    // Beside a server: accounts are only kept in the database.
    let running = Running::open_existing(config, None).await?;
    let accounts = &running.services.accounts;
    let (changed, effect) = match command {
        User::Deactivate { login } => (
            accounts.set_active(&login, false).await,
            "The account is deactivated: its sessions have ended, and it cannot sign in.",
        ),
        User::Activate { login } => {
            (accounts.set_active(&login, true).await, "The account is active: it can sign in.")
        }
        User::Role { login, role } => (
            accounts.set_role(&login, role.into()).await,
            "The role takes effect within half an hour, when the user's browser renews its token.",
        ),
    };
    running.close().await;
    let ManagedAccount { user, is_active } = changed?;
    let state = if is_active { "active" } else { "deactivated" };
    logging::say(format_args!("{} <{}>: {}, {state}", user.username, user.email, user.role));
    logging::say(effect);
    Ok(())
}
