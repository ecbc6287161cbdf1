//! The binary: `izanagi serve`, and the commands of the person who hosts it.

use clap::Parser as _;
use izanagi::{cli::Cli, logging};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.run().await {
        Ok(code) => code,
        Err(error) => {
            logging::say_error(&error);
            ExitCode::FAILURE
        }
    }
}
