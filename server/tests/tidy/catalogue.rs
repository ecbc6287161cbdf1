//! Texts that a person reads come from the catalogue, so that each exists in every language.

use crate::tree::{File, assert_none, file, files};

/// Sources of pages and islands.
const FOLDERS: [&str; 6] = [
    "app/src/api",
    "app/src/browser",
    "app/src/components",
    "app/src/editor",
    "app/src/islands",
    "app/src/pages",
];
const FILES: [&str; 3] = ["app/src/app.rs", "app/src/toasts.rs", "app/src/ssr/visit.rs"];

/// Names and keys that look like words: products, keys of keyboards, tag names, header names.
const NAMES: [&str; 17] = [
    "Android",
    "Chrome",
    "Content",
    "Date",
    "Edge",
    "Enter",
    "Escape",
    "Files",
    "Firefox",
    "Izanagi",
    "Linux",
    "Mac OS X",
    "Opera",
    "Retry-After",
    "Safari",
    "Windows",
    "iPhone",
];

/// Returns the string literals of a line, without comments and character literals.
fn literals(line: &str) -> Vec<&str> {
    let code = if line.trim_start().starts_with("//") { "" } else { line };
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find('"') {
        if rest[..start].ends_with('\'') {
            rest = &rest[start + 1..];
            continue;
        }
        let text = &rest[start + 1..];
        let mut escaped = false;
        let end = text.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some(end) = end else {
            // Continues on the next line.
            found.push(text);
            break;
        };
        found.push(&text[..end]);
        rest = &text[end + 1..];
    }
    found
}

/// Returns whether a literal looks like something to read: it starts like a sentence or a label,
/// or ends like a sentence.
fn is_read(text: &str) -> bool {
    let mut chars = text.chars();
    let starts = chars.next().is_some_and(|c| c.is_ascii_uppercase())
        && chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == ' ');
    let ends = text.contains(' ') && text.trim_end().ends_with(['.', '…', '?', '!']);
    let is_code = text.contains(['/', '+', '=', '<', '#', ';']) || text.contains("::");
    (starts || ends) && !is_code && !NAMES.contains(&text.trim())
}

fn findings(file: &File) -> Vec<String> {
    let lines = file.production().lines().enumerate();
    lines
        .flat_map(|(index, line)| {
            let read = literals(line).into_iter().filter(|text| is_read(text));
            read.map(move |text| format!("{}:{}: “{text}”", file.path, index + 1))
        })
        .collect()
}

#[test]
fn pages_and_islands_have_no_words_of_their_own() {
    let mut sources: Vec<File> = FOLDERS.iter().flat_map(|folder| files(folder, &["rs"])).collect();
    sources.extend(FILES.map(file));
    assert_none(&sources.iter().flat_map(findings).collect::<Vec<_>>());
}

#[test]
fn finds_words_outside_the_catalogue() {
    let text = "view! { <p>\"Nothing here yet.\"</p> <b class=\"button\">{t::open()}</b> }\n\
                // \"A comment.\"\nlet key = \"Escape\";\nlet label = \"Open\";\nlet c = '\"';\n\
                let reason = \"try once more.\";\n";
    let file = File { path: "app/src/pages/a.rs".to_owned(), text: text.to_owned() };
    assert_eq!(
        findings(&file),
        [
            "app/src/pages/a.rs:1: “Nothing here yet.”",
            "app/src/pages/a.rs:4: “Open”",
            "app/src/pages/a.rs:6: “try once more.”",
        ]
    );
}
