//! Comparing versions with word highlights, against npm `diff` on the same pairs.

use super::{
    Setting,
    history::VERSIONS,
    node::{self, Contenders, Pair},
};
use crate::{
    random::Random,
    report::{Figure, Number, Report, Target, progress},
    statistics::milliseconds,
    trace::Trace,
};
use anyhow::{Context as _, Result, ensure};
use izanagi_bench_wasm::compare;
use std::{collections::HashMap, time::Instant};

/// How many pairs are compared, and how often each.
const PAIRS: usize = 500;
const ROUNDS: usize = 3;
/// Versions so close together have most of their text in common.
const NEAR: usize = 100;

/// Measures row 5.
pub(super) fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let numbers = choose();
    let pairs = texts_of(&setting.trace, &numbers)?;
    progress("natively");
    let (native, native_count) = measure_natively(&pairs);
    progress("in Node");
    let times = node::compare(setting, &pairs, ROUNDS, Contenders::Both)?;
    ensure!(
        times.wasm_count == native_count,
        "the results differ: {native_count} natively, {} in Node",
        times.wasm_count
    );
    let sum = |times: &[f64]| times.iter().sum::<f64>();
    for (name, ours) in [("natively", &native), ("as WebAssembly", &times.wasm)] {
        report.add(Figure {
            what: format!("comparison of {PAIRS} pairs with words, {name}, against npm diff 9"),
            measured: format!("{} ms", Number(sum(ours))),
            peer: format!("{} ms", Number(sum(&times.peer))),
            value: sum(&times.peer) / sum(ours),
            unit: "× faster",
            target: Target::AtLeast(5.0),
        });
    }
    for (name, wanted) in [("at most", true), ("more than", false)] {
        let group: Vec<usize> = (0..PAIRS)
            .filter(|index| (numbers[*index].1 - numbers[*index].0 <= NEAR) == wanted)
            .collect();
        let sum = |times: &[f64]| group.iter().map(|index| times[*index]).sum::<f64>();
        let peer = sum(&times.peer);
        report.note(format!(
            "{} pairs {name} {NEAR} versions apart: {} ms natively ({} × faster), {} ms as WebAssembly \
             ({} × faster), {} ms by npm diff",
            group.len(),
            Number(sum(&native)),
            Number(peer / sum(&native)),
            Number(sum(&times.wasm)),
            Number(peer / sum(&times.wasm)),
            Number(peer),
        ));
    }
    Ok(())
}

/// Pairs of version numbers: as many close together as far apart, whatever the scale.
fn choose() -> Vec<(usize, usize)> {
    let mut random = Random::new(500);
    let mut pair = || {
        let distance = (VERSIONS as f64).powf(random.fraction()) as usize;
        let older = 1 + random.below(VERSIONS - distance);
        (older, older + distance)
    };
    (0..PAIRS).map(|_| pair()).collect()
}

fn texts_of(trace: &Trace, numbers: &[(usize, usize)]) -> Result<Vec<Pair>> {
    let mut texts: HashMap<usize, String> =
        numbers.iter().flat_map(|(old, new)| [*old, *new]).map(|n| (n, String::new())).collect();
    for (number, text) in (1..).zip(trace.texts(VERSIONS)) {
        if let Some(place) = texts.get_mut(&number) {
            *place = text;
        }
    }
    let text = |number| texts.get(number).cloned().context("a version is missing");
    numbers.iter().map(|(old, new)| Ok((text(old)?, text(new)?))).collect()
}

/// For each pair the milliseconds of the fastest round; and what was counted.
fn measure_natively(pairs: &[Pair]) -> (Vec<f64>, usize) {
    let mut fastest = vec![f64::INFINITY; pairs.len()];
    let mut count = 0;
    for _ in 0..ROUNDS {
        count = 0;
        for (index, (old, new)) in pairs.iter().enumerate() {
            let start = Instant::now();
            count += compare(old, new);
            fastest[index] = fastest[index].min(milliseconds(start.elapsed()));
        }
    }
    (fastest, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_versions_at_all_distances() {
        let pairs = choose();
        assert_eq!(pairs.len(), PAIRS);
        assert!(pairs.iter().all(|(old, new)| 1 <= *old && old < new && *new <= VERSIONS));
        let near = pairs.iter().filter(|(old, new)| new - old <= NEAR).count();
        assert!((200..300).contains(&near), "{near}");
    }
}
