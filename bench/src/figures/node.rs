//! Runs the peer and this project's comparison as WebAssembly in one Node process.

use super::Setting;
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Two texts to compare.
pub(super) type Pair = (String, String);

/// Results from Node: the fastest round of each pair in milliseconds.
#[derive(Debug, Deserialize)]
pub(super) struct Times {
    /// Times of npm `diff`; empty if it was not run.
    pub(super) peer: Vec<f64>,
    /// Times of this project's comparison as WebAssembly.
    pub(super) wasm: Vec<f64>,
    /// Sum of the counts returned by the WebAssembly module over all pairs.
    pub(super) wasm_count: usize,
}

/// Implementations to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contenders {
    Both,
    WasmOnly,
}

/// Compares every pair `rounds` times in a fresh Node process.
pub(super) fn compare(
    setting: &Setting,
    pairs: &[Pair],
    rounds: usize,
    contenders: Contenders,
) -> Result<Times> {
    let module = wasm_module(setting);
    ensure!(module.exists(), "{} is missing: `make bench` builds it", module.display());
    let file = setting.folder.join("pairs.json");
    let mut writer = BufWriter::new(File::create(&file)?);
    serde_json::to_writer(&mut writer, pairs)?;
    writer.flush()?;

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peer/measure.mjs");
    let output = Command::new("node")
        .arg(script)
        .args([&file, &module])
        .arg(rounds.to_string())
        .arg(if contenders == Contenders::Both { "both" } else { "wasm" })
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start node")?;
    ensure!(output.status.success(), "node: {}", output.status);
    let times: Times = serde_json::from_slice(&output.stdout)?;
    ensure!(times.wasm.len() == pairs.len(), "node measured {} pairs", times.wasm.len());
    Ok(times)
}

/// Returns the path at which `make bench` places the wasm-bindgen module.
fn wasm_module(setting: &Setting) -> PathBuf {
    setting.build.join("../bench-wasm/izanagi_bench_wasm.js")
}
