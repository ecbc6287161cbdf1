//! Recorded editing traces (josephg/editing-traces) and a synthetic substitute.

mod synthetic;

use crate::report::progress;
use anyhow::{Context as _, Result, ensure};
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

/// All edits of a text, in order.
#[derive(Debug, Deserialize)]
pub(crate) struct Trace {
    #[serde(rename = "startContent")]
    start: String,
    #[serde(rename = "endContent")]
    end: String,
    txns: Vec<Transaction>,
    #[serde(skip)]
    origin: String,
}

/// Edits applied together.
#[derive(Debug, Deserialize)]
struct Transaction {
    patches: Vec<Patch>,
}

/// Position, number of deleted characters and inserted text. Positions count Unicode scalar values.
#[derive(Debug, Deserialize)]
struct Patch(usize, usize, String);

impl Trace {
    /// Loads the named trace, or generates a synthetic one of the same size if the file is missing.
    pub(crate) fn load(name: &str) -> Result<Self> {
        let path = folder().join(format!("{name}.json.gz"));
        if path.exists() {
            return Self::read(&path).with_context(|| path.display().to_string());
        }
        let origin =
            format!("{} is missing; using a synthetic trace of the same size", path.display());
        progress(&origin);
        Ok(Self { origin, ..synthetic::blog_post() })
    }

    /// Describes the source of the trace, for the report.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    fn read(path: &Path) -> Result<Self> {
        let reader = BufReader::new(GzDecoder::new(File::open(path)?));
        let mut trace: Self = serde_json::from_reader(reader)?;
        trace.origin = format!("trace: {}", path.display());
        let last = trace.texts(1).last();
        ensure!(
            last.is_some_and(|last| last == trace.end),
            "the edits do not produce the final text"
        );
        Ok(trace)
    }

    /// Returns the number of transactions: about one per keystroke.
    pub(crate) fn transactions(&self) -> usize {
        self.txns.len()
    }

    /// Returns the text at `count` points, evenly spaced over the edits; the last one is the final
    /// text. If a text equals its predecessor, further edits are applied until it differs.
    pub(crate) fn texts(&self, count: usize) -> Texts<'_> {
        let text = self.start.chars().collect();
        Texts { trace: self, count, taken: 0, applied: 0, text, before: self.start.clone() }
    }
}

/// Returns `IZANAGI_TRACES`, or the directory `shared/data` next to the repository.
fn folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    std::env::var_os("IZANAGI_TRACES").map_or_else(default, PathBuf::from)
}

/// Iterator over the texts of a trace.
#[derive(Debug)]
pub(crate) struct Texts<'a> {
    trace: &'a Trace,
    count: usize,
    taken: usize,
    applied: usize,
    text: Vec<char>,
    before: String,
}

impl Texts<'_> {
    /// Applies the next edits; returns `false` when there are none left.
    fn advance(&mut self) -> bool {
        let Some(transaction) = self.trace.txns.get(self.applied) else { return false };
        self.applied += 1;
        for Patch(at, deleted, inserted) in &transaction.patches {
            // Clamp invalid positions: such a trace fails the check of the final text.
            let end = at.saturating_add(*deleted).min(self.text.len());
            self.text.splice((*at).min(end)..end, inserted.chars());
        }
        true
    }
}

impl Iterator for Texts<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.taken == self.count {
            return None;
        }
        self.taken += 1;
        let until = (self.taken * self.trace.txns.len()).div_ceil(self.count);
        while self.applied < until && self.advance() {}
        let mut text: String = self.text.iter().collect();
        while text == self.before && self.advance() {
            text = self.text.iter().collect();
        }
        self.before.clone_from(&text);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_texts_at_character_positions() {
        let json = r#"{"startContent": "né", "endContent": "nix!", "txns": [
            {"patches": [[1, 1, "ix"]]}, {"patches": [[3, 0, "?"]]},
            {"patches": [[3, 1, "?"]]}, {"patches": [[3, 1, "!"]]}]}"#;
        let trace: Trace = serde_json::from_str(json).unwrap();
        assert_eq!(Vec::from_iter(trace.texts(2)), ["nix?", "nix!"]);
        // The third edit changes nothing, so the third text is the one after the fourth edit.
        assert_eq!(Vec::from_iter(trace.texts(3)), ["nix?", "nix!", "nix!"]);
    }

    #[test]
    fn synthetic_trace_matches_the_real_size() {
        let trace = synthetic::blog_post();
        let last = trace.texts(1).last().unwrap();
        assert_eq!(last, trace.end);
        assert_eq!((trace.txns.len(), last.chars().count()), (137_154, 56_769));
    }
}
