//! Logs: JSON lines with request ids (PRODUCT O5), and the few words for the person at the terminal.

use crate::config::LogConfig;
use std::io::Write as _;
use tracing_subscriber::EnvFilter;

/// Starts logging to standard error.
///
/// # Errors
/// The filter makes no sense.
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if config.json {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).init();
    } else {
        builder.init();
    }
    Ok(())
}

/// A line on standard output, for the person or program that started this.
pub fn say(line: impl std::fmt::Display) {
    // Whoever closed the pipe does not want to hear.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The last words of a start that failed.
pub fn say_error(error: &anyhow::Error) {
    let _ = writeln!(std::io::stderr(), "izanagi: {error:#}");
}
