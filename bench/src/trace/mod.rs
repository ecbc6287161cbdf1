//! Editing traces of real people (josephg/editing-traces), and what stands in for them.

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

/// Every edit of a text, in order.
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

/// Edits that were made at once.
#[derive(Debug, Deserialize)]
struct Transaction {
    patches: Vec<Patch>,
}

/// Where, how many characters go, what comes. Positions count Unicode characters.
#[derive(Debug, Deserialize)]
struct Patch(usize, usize, String);

impl Trace {
    /// The trace of that name in the folder of traces; one of the same size when there is none.
    pub(crate) fn load(name: &str) -> Result<Self> {
        let path = folder().join(format!("{name}.json.gz"));
        if path.exists() {
            return Self::read(&path).with_context(|| path.display().to_string());
        }
        let origin =
            format!("{} is missing: an invented trace of its size stands in", path.display());
        progress(&origin);
        Ok(Self { origin, ..synthetic::blog_post() })
    }

    /// Where it comes from, for the reader of the figures.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    fn read(path: &Path) -> Result<Self> {
        let reader = BufReader::new(GzDecoder::new(File::open(path)?));
        let mut trace: Self = serde_json::from_reader(reader)?;
        trace.origin = format!("trace: {}", path.display());
        let last = trace.texts(1).last();
        ensure!(last.is_some_and(|last| last == trace.end), "the edits do not give the end");
        Ok(trace)
    }

    /// The text at `count` moments, evenly spaced over the edits; the last one is the end. Where
    /// the text is as it was the moment before, the next edits are taken in until it is not.
    pub(crate) fn texts(&self, count: usize) -> Texts<'_> {
        let text = self.start.chars().collect();
        Texts { trace: self, count, taken: 0, applied: 0, text, before: self.start.clone() }
    }
}

/// `IZANAGI_TRACES`, or the folder `shared/data` beside the repository.
fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    std::env::var_os("IZANAGI_TRACES").map_or_else(beside, PathBuf::from)
}

/// Texts of a trace, one after the other.
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
    /// Applies the next edits; `false` when there are none left.
    fn advance(&mut self) -> bool {
        let Some(transaction) = self.trace.txns.get(self.applied) else { return false };
        self.applied += 1;
        for Patch(at, deleted, inserted) in &transaction.patches {
            // A trace that says otherwise does not arrive at its end, which is noticed there.
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
    fn counts_positions_in_characters_and_takes_even_steps() {
        let json = r#"{"startContent": "né", "endContent": "nix!", "txns": [
            {"patches": [[1, 1, "ix"]]}, {"patches": [[3, 0, "?"]]},
            {"patches": [[3, 1, "?"]]}, {"patches": [[3, 1, "!"]]}]}"#;
        let trace: Trace = serde_json::from_str(json).unwrap();
        assert_eq!(Vec::from_iter(trace.texts(2)), ["nix?", "nix!"]);
        // The third edit changes nothing, so the third text is that after the fourth.
        assert_eq!(Vec::from_iter(trace.texts(3)), ["nix?", "nix!", "nix!"]);
    }

    #[test]
    fn an_invented_trace_has_the_size_of_the_real_one() {
        let trace = synthetic::blog_post();
        let last = trace.texts(1).last().unwrap();
        assert_eq!(last, trace.end);
        assert_eq!((trace.txns.len(), last.chars().count()), (137_154, 56_769));
    }
}
