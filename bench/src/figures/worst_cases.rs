//! Texts of 1 MB that are as hard to compare as texts get.

use super::{
    Setting,
    node::{self, Contenders},
};
use crate::{
    random::Random,
    report::{Figure, Number, Report, Target},
    statistics::{median, milliseconds},
};
use anyhow::{Result, ensure};
use izanagi_shared::text::{
    delta::TextDelta,
    diff::{Diff, DiffOptions, LineKind, diff_lines},
};
use std::{hint::black_box, time::Instant};

/// Bytes of a text.
const SIZE: usize = 1_000_000;
const ROUNDS: usize = 5;

struct Case {
    name: &'static str,
    old: String,
    new: String,
}

/// Measures row 6: the comparison that is shown and the delta that is stored, the slower of both.
pub(super) fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let cases = cases();
    for Case { name, old, new } in &cases {
        let (mut shown, mut stored) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            black_box(diff_lines(old, new, &DiffOptions::default()));
            shown.push(milliseconds(start.elapsed()));
            let start = Instant::now();
            black_box(TextDelta::between(old, new));
            stored.push(milliseconds(start.elapsed()));
        }
        check(old, new)?;
        check(new, old)?;
        let (shown, stored) = (median(&shown), median(&stored));
        report.add(Figure {
            what: format!("1 MB, {name}; result applied: equal"),
            measured: format!("shown {} ms, stored {} ms", Number(shown), Number(stored)),
            peer: String::new(),
            value: shown.max(stored),
            unit: "ms",
            target: Target::AtMost(500.0),
        });
    }
    let pairs: Vec<_> = cases.into_iter().map(|case| (case.old, case.new)).collect();
    let in_node = node::compare(setting, &pairs, ROUNDS, Contenders::WasmOnly)?;
    let times: Vec<String> =
        in_node.wasm.iter().map(|time| format!("{} ms", Number(*time))).collect();
    report.note(format!("the worst cases as WebAssembly in Node, shown: {}", times.join(", ")));
    Ok(())
}

fn cases() -> Vec<Case> {
    let mut random = Random::new(6);
    let mut words = |count: usize| -> String {
        let mut word = || format!("{:x} ", random.below(1 << 20));
        (0..count).map(|_| word()).collect()
    };
    let mut lines = || {
        let mut text = String::new();
        while text.len() < SIZE {
            text.push_str(words(8).trim_end());
            text.push('\n');
        }
        text
    };
    let (one, other) = (lines(), lines());
    let each_changed: String = one
        .lines()
        .map(|line| format!("{}, but not here\n", line.replacen(' ', " and ", 1)))
        .collect();
    let in_one_line = |text: &str| text.replace('\n', " ");
    let equal_lines = "the same line\n".repeat(100_000);
    let mut sparse = String::new();
    for index in 0..100_000 {
        sparse.push_str(if index % 10 == 3 { "another line\n" } else { "the same line\n" });
    }
    let reversed: String = one.split_inclusive('\n').rev().collect();
    let case = |name, old: &str, new: &str| Case { name, old: old.to_owned(), new: new.to_owned() };
    vec![
        case("all lines differ", &one, &other),
        case("all lines differ a little", &one, &each_changed),
        case("one single line, all words differ", &in_one_line(&one), &in_one_line(&other)),
        case(
            "one single line, a little everywhere",
            &in_one_line(&one),
            &in_one_line(&each_changed),
        ),
        case("100,000 equal lines, every tenth changed", &equal_lines, &sparse),
        case("100,000 equal lines, half of them gone", &equal_lines, &equal_lines[..SIZE * 7 / 10]),
        case("reversed", &one, &reversed),
    ]
}

/// Applies what a comparison says, in both of its forms.
fn check(old: &str, new: &str) -> Result<()> {
    let stored = TextDelta::between(old, new);
    ensure!(stored.apply(old)? == new, "the delta does not give the other text");
    let shown = diff_lines(old, new, &DiffOptions::default());
    ensure!(applied(old, &shown) == Some(new.to_owned()), "the hunks do not give the other text");
    Ok(())
}

/// The new text as the hunks make it of the old one; `None` when they do not fit it.
fn applied(old: &str, diff: &Diff) -> Option<String> {
    let mut old_lines = old.split_inclusive('\n');
    let (mut at, mut new) = (0, String::new());
    for hunk in &diff.hunks {
        // A hunk without lines of the old text names the line before it.
        let start = hunk.old_start - usize::from(hunk.old_lines > 0);
        new.extend(old_lines.by_ref().take(start - at));
        at = start + hunk.old_lines;
        for line in &hunk.lines {
            let text = line.text() + if line.no_newline { "" } else { "\n" };
            if line.kind != LineKind::Insert && old_lines.next() != Some(&text) {
                return None;
            }
            if line.kind != LineKind::Delete {
                new.push_str(&text);
            }
        }
    }
    new.extend(old_lines);
    Some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_apply_to_their_own_text_only() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni";
        let new = "0\na\nb\nc\nd\ne\nF\ng\nh\ni\n";
        let diff = diff_lines(old, new, &DiffOptions::default());
        assert_eq!(applied(old, &diff), Some(new.to_owned()));
        assert_eq!(applied("another text", &diff), None);
    }

    #[test]
    fn every_case_has_the_size_it_says() {
        for case in cases() {
            assert!(case.old.len() >= SIZE && case.new.len() >= SIZE * 7 / 10, "{}", case.name);
        }
    }
}
