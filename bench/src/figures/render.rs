//! Rendering texts of 10 MiB to checked HTML: every construct against plain text.

use super::Setting;
use crate::{
    report::{Figure, Number, Report, Target, progress},
    statistics::{median, milliseconds},
    world::World,
};
use anyhow::{Context as _, Result};
use izanagi_domain::live::LiveText;
use izanagi_shared::{markdown::Labels, rules::DocumentKind};
use std::time::Instant;

/// Bytes of a text.
const SIZE: usize = 10 << 20;
const ROUNDS: usize = 3;

const PLAIN: &str = "Plain words of a text that has no markup at all, line after line.\n";

/// Constructs, each repeated to the length of a text.
const CONSTRUCTS: [&str; 46] = [
    "&amp;",
    "&",
    "\u{a0}",
    "£",
    "<",
    "<b>",
    "<div>\n\n",
    "<!-- a -->",
    "<https://a.example/> ",
    "*a* ",
    "*a **b* c** ",
    "*",
    "_a",
    "~~a~~ ",
    "a~b~",
    "`a` ",
    "`",
    "[",
    "![",
    "[a](b) ",
    "![a](https://a.example/b) ",
    "[a]: b\n",
    "[^a] ",
    "[^a]: b\n\n[^a] ",
    "# a\n",
    "a\n=\n",
    "> ",
    "> a\n\n",
    "- a\n",
    "- - - a\n",
    "1. a\n\n   b\n\n",
    "- [ ] a\n",
    "|",
    "|a|b|\n|-|-|\n|c|d|\n\n",
    "```rust\nlet a = \"b\";\n```\n",
    "    a\n\n",
    "***\n",
    "a\n\n",
    "a  \n",
    "\n",
    "\\*",
    "\r",
    "\0",
    "ש ",
    "日本語",
    "a",
];

/// Measures the rendering of each construct, in process, as a request does.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let folder = setting.folder.join("render");
    std::fs::create_dir_all(&folder)?;
    let world = World::new(&folder).await?;
    let plain = render(&world, PLAIN).await?;
    let mut times = Vec::new();
    for construct in CONSTRUCTS {
        progress(format_args!("{construct:?}"));
        times.push((construct, render(&world, construct).await?));
    }
    world.close().await;
    times.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let &(worst, slowest) = times.first().context("there are no constructs")?;
    let measured = format!("{worst:?} {} ms", Number(slowest));
    report.add(Figure {
        what: "HTML of 10 MiB, the worst construct against plain text".to_owned(),
        measured: measured.clone(),
        peer: format!("plain text {} ms", Number(plain)),
        value: slowest / plain,
        unit: "×",
        target: Target::AtMost(3.0),
    });
    report.add(Figure {
        what: "HTML of 10 MiB, the worst construct".to_owned(),
        measured,
        peer: String::new(),
        value: slowest,
        unit: "ms",
        target: Target::AtMost(1_000.0),
    });
    let others: Vec<String> = times
        .iter()
        .skip(1)
        .take(9)
        .map(|(construct, time)| format!("{construct:?} {} ms", Number(*time)))
        .collect();
    report.note(format!("the next constructs: {}", others.join(", ")));
    Ok(())
}

/// Returns the median time of rendering a text of this piece, in milliseconds.
async fn render(world: &World, piece: &str) -> Result<f64> {
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        // Different texts, so that none is in the cache.
        let mut text = piece.repeat(SIZE / piece.len() - 1);
        text.push_str(&format!("\n{round}"));
        let text = LiveText::new(text, 1);
        let start = Instant::now();
        world
            .services
            .documents
            .render_text(DocumentKind::Markdown, &text, Labels::ENGLISH, false)
            .await?;
        times.push(milliseconds(start.elapsed()));
    }
    Ok(median(&times))
}
