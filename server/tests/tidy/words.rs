//! Forbidden words: notes to oneself, machine-specific paths, and tests that sleep or are disabled.

use crate::tree::{File, assert_none, file, paths};

const EXTENSIONS: [&str; 12] = [
    ".rs", ".ts", ".mjs", ".css", ".md", ".toml", ".json", ".yaml", ".sql", ".sh", "Makefile",
    ".ci/run",
];

/// Split in two, so that this file is not a finding itself.
const NOTES: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const MACHINE_PATHS: [&str; 3] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];
const BAD_IN_TESTS: [&str; 9] = [
    concat!("thread::", "sleep"),
    concat!("time::", "sleep("),
    concat!("waitFor", "Timeout"),
    concat!("#[ig", "nore"),
    concat!("should_", "panic"),
    concat!("test.", "skip("),
    concat!("test.", "only("),
    concat!("describe.", "skip("),
    concat!("describe.", "only("),
];

/// Returns each line number of `text` with the whole word from `words` that it contains.
fn lines_with<'a>(text: &'a str, words: &'a [&str]) -> impl Iterator<Item = (usize, &'a str)> {
    text.lines().enumerate().flat_map(move |(index, line)| {
        words
            .iter()
            .filter(move |word| contains_word(line, word))
            .map(move |word| (index + 1, *word))
    })
}

fn contains_word(line: &str, word: &str) -> bool {
    let touches = |c: char| c.is_alphanumeric() || c == '_';
    let starts = |at: usize| !word.starts_with(touches) || !line[..at].ends_with(touches);
    let ends = |at: usize| !word.ends_with(touches) || !line[at..].starts_with(touches);
    line.match_indices(word).any(|(at, _)| starts(at) && ends(at + word.len()))
}

fn findings(file: &File) -> Vec<String> {
    let everywhere = lines_with(&file.text, &NOTES).chain(lines_with(&file.text, &MACHINE_PATHS));
    let before = file.text.lines().count() - file.tests().lines().count();
    let in_tests =
        lines_with(file.tests(), &BAD_IN_TESTS).map(|(line, word)| (before + line, word));
    everywhere.chain(in_tests).map(|(line, word)| format!("{}:{line}: {word}", file.path)).collect()
}

#[test]
fn no_file_contains_a_forbidden_word() {
    let read: Vec<File> = paths("")
        .into_iter()
        .filter(|path| EXTENSIONS.iter().any(|ending| path.ends_with(ending)))
        .map(|path| file(&path))
        .collect();
    assert!(read.len() > 30, "only {} files were read", read.len());
    assert_none(&read.iter().flat_map(findings).collect::<Vec<_>>());
}

#[test]
fn finds_notes_anywhere_and_sleeps_in_tests() {
    let note = NOTES[0];
    let wait = BAD_IN_TESTS[1];
    let text = format!(
        "// {note}: later\ntokio::{wait}d);\n\n#[cfg(test)]\nmod tests {{\n    tokio::{wait}d);\n}}\n"
    );
    let file = File { path: "server/src/a.rs".to_owned(), text };
    assert_eq!(
        findings(&file),
        [format!("server/src/a.rs:1: {note}"), format!("server/src/a.rs:6: {wait}")]
    );
}

#[test]
fn ignores_matches_in_longer_words() {
    assert!(!contains_word(concat!("MAS", "TO", "DO", "N"), NOTES[0]));
}
