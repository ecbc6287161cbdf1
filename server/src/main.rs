//! The `izanagi` binary: server and administration commands.

use clap::Parser as _;
use izanagi::{allocator, cli::Cli, logging};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    only_for_owner();
    if cli.serves() {
        allocator::tune();
    }
    run(cli)
}

/// Makes the files that this process creates accessible only to its user: they hold passwords' hashes
/// and private texts.
fn only_for_owner() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

#[tokio::main]
async fn run(cli: Cli) -> ExitCode {
    if let Err(error) = allocator::ignore_broken_pipes() {
        logging::say_error(&error.into());
        return ExitCode::FAILURE;
    }
    match cli.run().await {
        Ok(code) => code,
        Err(error) => {
            logging::say_error(&error);
            ExitCode::FAILURE
        }
    }
}
