//! The `izanagi` binary: server and administration commands.

use clap::Parser as _;
use izanagi::{allocator, cli::Cli, logging};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.serves() {
        allocator::tune();
    }
    run(cli)
}

#[tokio::main]
async fn run(cli: Cli) -> ExitCode {
    match cli.run().await {
        Ok(code) => code,
        Err(error) => {
            logging::say_error(&error);
            ExitCode::FAILURE
        }
    }
}
