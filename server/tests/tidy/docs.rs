//! Paths named in documents must exist.

use crate::tree::{assert_none, file, paths};

/// The documents that describe the code.
const DOCUMENTS: [&str; 6] = [
    "docs/ARCHITECTURE.md",
    "docs/adding-an-endpoint.md",
    "docs/differences.md",
    "docs/operations/set-up.md",
    "docs/scaling.md",
    "docs/upstream.md",
];
const EXTENSIONS: [&str; 11] =
    [".rs", ".md", ".toml", ".ts", ".mjs", ".css", ".json", ".sql", ".yaml", ".svg", ".lock"];
/// Code spans that look like repository paths but are routes, media types or generated files.
const OTHER: [&str; 5] = ["/", "application/", "text/", "target/", "data/"];

/// Returns the paths named in a Markdown text: code spans with a slash or a file extension.
fn named_paths(markdown: &str) -> impl Iterator<Item = &str> {
    let is_path = |span: &&str| {
        span.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
            && (span.contains('/') || EXTENSIONS.iter().any(|ending| span.ends_with(ending)))
            && !OTHER.iter().any(|start| span.starts_with(start))
    };
    let lines = markdown.lines().filter(|line| !line.trim_start().starts_with("```"));
    lines.flat_map(|line| line.split('`').skip(1).step_by(2)).filter(is_path)
}

/// Returns whether the repository contains the path, in full or as a suffix such as
/// `http/versions.rs`.
fn is_there(known: &[String], named: &str) -> bool {
    let named = named.trim_end_matches('/');
    known.iter().any(|path| path == named || path.ends_with(&format!("/{named}")))
}

#[test]
fn every_path_in_a_document_exists() {
    let known = paths("");
    let mut findings = Vec::new();
    for document in DOCUMENTS {
        let text = file(document).text;
        let named: Vec<&str> = named_paths(&text).collect();
        assert!(!named.is_empty(), "{document} does not name any path");
        let missing = named.into_iter().filter(|path| !is_there(&known, path));
        findings.extend(missing.map(|path| format!("{document}: {path} does not exist")));
    }
    assert_none(&findings);
}

#[test]
fn distinguishes_paths_from_other_code() {
    let text = "`a/b.rs` and `Cargo.toml`, not `/api/v1`, `text/html`, `Vec<u8>` or a/c.rs\n```\n`x/y`\n```\n";
    assert_eq!(named_paths(text).collect::<Vec<_>>(), ["a/b.rs", "Cargo.toml", "x/y"]);
}

#[test]
fn finds_paths_by_their_suffix_only() {
    let known = ["server/src/http/versions.rs".to_owned()];
    assert!(is_there(&known, "http/versions.rs"));
    assert!(!is_there(&known, "ttp/versions.rs"));
}
