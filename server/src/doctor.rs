//! `izanagi doctor`: examines what a server needs, and says how to mend what is wrong.

use crate::{config::Config, logging};
use anyhow::Result;
use izanagi_storage::doctor::{self, Check, Examined, Verdict};
use rustix::process::{Resource, getrlimit};
use std::{os::unix::fs::PermissionsExt as _, path::Path};

/// Open files below which many clients cannot connect.
const FEW_FILES: u64 = 4096;

/// Prints the outcome of each check; returns the worst.
///
/// # Errors
/// The settings contradict each other.
pub(crate) async fn run(config: &Config) -> Result<Verdict> {
    let stores = config.stores()?;
    let mut all = vec![this_machine(config)];
    all.extend(doctor::examine(&stores).await);
    for examined in &all {
        print(examined);
    }
    let count = |verdict| {
        let checks = all.iter().flat_map(|examined| &examined.checks);
        checks.filter(|check| check.verdict == verdict).count()
    };
    let (good, notes, bad) = (count(Verdict::Good), count(Verdict::Note), count(Verdict::Bad));
    logging::say(format_args!("{good} checks are good, {notes} have a note, {bad} are bad"));
    Ok(all.iter().map(Examined::verdict).max().unwrap_or(Verdict::Good))
}

fn print(examined: &Examined) {
    logging::say(format_args!("{}: {}", examined.store, examined.place));
    for Check { subject, verdict, found, mend } in &examined.checks {
        logging::say(format_args!("  {verdict:<5} {subject:<16} {found}"));
        if let Some(mend) = mend {
            logging::say(format_args!("  {:<5} {:<16} → {mend}", "", ""));
        }
    }
}

/// What belongs to this machine rather than to a store.
fn this_machine(config: &Config) -> Examined {
    let mut examined = Examined::new("server", format!("izanagi {}", env!("CARGO_PKG_VERSION")));
    folder(&mut examined, &config.data_dir);
    keys(&mut examined, config);
    match getrlimit(Resource::Nofile).maximum {
        Some(files) if files < FEW_FILES => {
            let mend = "raise the hard limit, such as with LimitNOFILE= in the systemd unit";
            examined.note("open files", format!("at most {files}"), mend);
        }
        Some(files) => examined.good("open files", format!("at most {files}")),
        None => examined.good("open files", "no limit"),
    }
    match &config.public_url {
        Some(url) if config.is_https() => examined.good("public URL", url.as_str()),
        Some(url) => {
            let mend =
                "serve it by https, so that cookies are sent over encrypted connections only";
            examined.note("public URL", url.as_str(), mend);
        }
        None if config.listen.ip().is_loopback() => {
            examined.good("public URL", "none: for use on this machine");
        }
        None => {
            let mend = "set IZANAGI_PUBLIC_URL: without it, requests to a host name are refused";
            examined.note("public URL", "none", mend);
        }
    }
    examined
}

fn folder(examined: &mut Examined, path: &Path) {
    let shown = path.display();
    let facts = match path.metadata() {
        Ok(facts) => facts,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mend = "the first start of “izanagi serve” creates it";
            return examined.note("data directory", format!("{shown} does not exist"), mend);
        }
        Err(error) => {
            let found = format!("{shown}: {error}");
            return examined.bad("data directory", found, "let the server's user open it");
        }
    };
    let mode = facts.permissions().mode() & 0o777;
    if let Err(error) = tempfile_in(path) {
        let found = format!("{shown} cannot be written: {error}");
        examined.bad("data directory", found, "let the server's user write it");
    } else if mode & 0o077 != 0 {
        let found = format!("{shown} can be opened by other users (mode {mode:o})");
        examined.note("data directory", found, format!("chmod 700 {shown}"));
    } else {
        examined.good("data directory", format!("{shown}, mode {mode:o}"));
    }
}

/// Creates a file and removes it.
fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(".doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().write(true).create_new(true).open(&probe)?;
    std::fs::remove_file(probe)
}

fn keys(examined: &mut Examined, config: &Config) {
    if config.keys_secret.is_some() {
        return examined.good("signing keys", "in the relational database, encrypted");
    }
    match config.keys().check(&config.data_dir) {
        Ok(Some(path)) => examined.good("signing keys", path.display().to_string()),
        Ok(None) => {
            let mend = "the first start of “izanagi serve” generates them";
            examined.note("signing keys", "none yet", mend);
        }
        Err(error) => {
            let mend = "restore the file from a backup; without it, everybody must sign in again";
            examined.bad("signing keys", format!("{error:#}"), mend);
        }
    }
}
