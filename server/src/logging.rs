//! Logs: JSON lines with request ids (PRODUCT O5), and the few words for the person at the terminal.

use crate::config::LogConfig;
use std::io::Write as _;
use tracing::Dispatch;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter, util::SubscriberInitExt as _};

/// Starts logging to standard error.
///
/// # Errors
/// The filter makes no sense; logging was started before.
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    Ok(dispatch(config, std::io::stderr)?.try_init()?)
}

/// What writes the log to `writer`.
///
/// # Errors
/// The filter makes no sense.
pub fn dispatch<W>(config: &LogConfig, writer: W) -> anyhow::Result<Dispatch>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&config.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    Ok(if config.json {
        let json = builder.json().flatten_event(true).with_current_span(true);
        json.with_span_list(false).finish().into()
    } else {
        builder.finish().into()
    })
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
