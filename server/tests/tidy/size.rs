//! Size limits for files and functions.

use crate::tree::{File, assert_none, file, files};

const FILE_LIMIT: usize = 400;
const STYLE_LIMIT: usize = 200;
const SERVER_FUNCTION_LIMIT: usize = 35;
const ARCHITECTURE_LIMIT: usize = 150;

/// Directories and extensions with their limit in lines, tests excluded.
const MEASURED: [(&str, &[&str], usize); 9] = [
    ("shared/src", &["rs"], FILE_LIMIT),
    ("server/domain/src", &["rs"], FILE_LIMIT),
    ("server/storage/src", &["rs"], FILE_LIMIT),
    ("server/src", &["rs"], FILE_LIMIT),
    ("app/src", &["rs"], FILE_LIMIT),
    ("bench", &["rs", "mjs"], FILE_LIMIT),
    ("frontend", &["rs", "ts"], FILE_LIMIT),
    ("scripts", &["mjs", "sh"], FILE_LIMIT),
    ("style", &["css"], STYLE_LIMIT),
];

fn too_long(file: &File, limit: usize) -> Option<String> {
    let lines = file.production().lines().count();
    (lines > limit).then(|| format!("{}: {lines} lines, {limit} are allowed", file.path))
}

/// Returns the functions longer than `limit`, from the line of `fn` to the closing brace. rustfmt
/// aligns both to the same column.
fn long_functions(file: &File, limit: usize) -> Vec<String> {
    let lines: Vec<&str> = file.production().lines().collect();
    let mut findings = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = &line[..line.len() - line.trim_start().len()];
        let end =
            lines[start..].iter().position(|line| *line == format!("{indent}}}")).unwrap_or(0);
        if end + 1 > limit {
            findings.push(format!(
                "{}:{}: {name} has {} lines, {limit} are allowed",
                file.path,
                start + 1,
                end + 1
            ));
        }
    }
    findings
}

fn function_name(line: &str) -> Option<&str> {
    let words = line.trim_start();
    let signature =
        ["pub async fn ", "pub(crate) async fn ", "async fn ", "pub fn ", "pub(crate) fn ", "fn "]
            .iter()
            .find_map(|start| words.strip_prefix(start))?;
    signature.split(['(', '<']).next()
}

#[test]
fn files_stay_within_their_line_limits() {
    let findings: Vec<String> = MEASURED
        .iter()
        .flat_map(|(folder, extensions, limit)| {
            files(folder, extensions)
                .iter()
                .filter_map(|file| too_long(file, *limit))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_none(&findings);
}

#[test]
fn server_functions_stay_short() {
    let findings: Vec<String> = files("app/src/api", &["rs"])
        .iter()
        .flat_map(|file| long_functions(file, SERVER_FUNCTION_LIMIT))
        .collect();
    assert_none(&findings);
}

#[test]
fn architecture_document_stays_short() {
    let lines = file("docs/ARCHITECTURE.md").text.lines().count();
    assert!(lines <= ARCHITECTURE_LIMIT, "{lines} lines, {ARCHITECTURE_LIMIT} are allowed");
}

#[test]
fn counts_only_lines_outside_of_tests() {
    let text = format!("{}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "a\n".repeat(3), "b\n".repeat(9));
    let file = File { path: "shared/src/a.rs".to_owned(), text };
    assert_eq!(too_long(&file, 3), None);
    assert_eq!(too_long(&file, 2).as_deref(), Some("shared/src/a.rs: 3 lines, 2 are allowed"));
}

#[test]
fn finds_a_function_that_is_too_long() {
    let text =
        "fn short() {\n}\n\npub async fn long(\n    a: u8,\n) {\n    if a {\n    }\n}\n".to_owned();
    let file = File { path: "app/src/api/a.rs".to_owned(), text };
    assert_eq!(long_functions(&file, 5), ["app/src/api/a.rs:4: long has 6 lines, 5 are allowed"]);
    assert_eq!(long_functions(&file, 6), [""; 0]);
}
