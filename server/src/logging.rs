//! Logging as JSON lines with request ids (PRODUCT O5), and terminal output.

use crate::config::LogConfig;
use std::io::Write as _;
use tracing::Dispatch;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, util::SubscriberInitExt as _};

/// Initialises logging to standard error.
///
/// # Errors
/// Fails if the filter is invalid or logging is already initialised.
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    Ok(dispatch(config, std::io::stderr)?.try_init()?)
}

/// Creates a log subscriber that writes to `writer`.
///
/// # Errors
/// Fails if the filter is invalid.
pub fn dispatch<W>(config: &LogConfig, writer: W) -> anyhow::Result<Dispatch>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&config.filter)?;
    // By default, a failure to write is printed to standard error, which panics if that is what has
    // failed: a full disk must not end tasks because they log.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .log_internal_errors(false);
    Ok(if config.json {
        let json = builder.json().flatten_event(true).with_current_span(true);
        json.with_span_list(false).finish().into()
    } else {
        builder.finish().into()
    })
}

/// Prints a line to standard output.
pub fn say(line: impl std::fmt::Display) {
    // Ignore a closed pipe.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints the error that made a command fail to standard error.
pub fn say_error(error: &anyhow::Error) {
    let _ = writeln!(std::io::stderr(), "izanagi: {error:#}");
}
