//! Texts that a person reads come from the catalogue, so that each exists in every language.

use crate::tree::{File, assert_none, file, files};

/// Sources of pages and islands.
const FOLDERS: [&str; 9] = [
    "app/src/api",
    "app/src/browser",
    "app/src/components",
    "app/src/editor",
    "app/src/islands",
    "app/src/pages",
    "app/src/parts",
    "app/src/ssr",
    "app/src/timeline",
];
const FILES: [&str; 2] = ["app/src/app.rs", "app/src/toasts.rs"];

/// Has the English details of problems, which a page words by their code.
const DETAILS: &str = "app/src/ssr/plain_forms.rs";

/// Names and keys that look like words: products, keys of keyboards, tag names, header names.
const NAMES: [&str; 30] = [
    "Android",
    "ArrowDown",
    "ArrowLeft",
    "ArrowRight",
    "ArrowUp",
    "Chrome",
    "ChromeOS",
    "Content",
    "CrOS",
    "Date",
    "Edge",
    "End",
    "Enter",
    "Escape",
    "Files",
    "Firefox",
    "Home",
    "Izanagi",
    "Linux",
    "Mac OS X",
    "Markdown",
    "Opera",
    "PageDown",
    "PageUp",
    "Retry-After",
    "Safari",
    "Samsung Internet",
    "Vivaldi",
    "Windows",
    "iPhone",
];

/// Sources of field errors that a form of a page can cause.
const RULES: [&str; 3] = ["shared/src", "server/domain/src", "server/src/extract"];

/// Errors of fields that only programs send.
const OF_PROGRAMS: [(&str, &str); 8] = [
    ("Idempotency-Key", "invalid"),
    ("If-Match", "invalid"),
    ("body", "invalid"),
    ("content", "invalid_json"),
    ("content", "too_large"),
    ("cursor", "invalid"),
    ("opId", "invalid"),
    ("path", "invalid"),
];

/// Returns the field and the code of each field error that a source names literally.
fn field_errors(text: &str) -> Vec<(&str, &str)> {
    let calls = text.split("FieldError::new(").skip(1);
    calls
        .filter_map(|call| {
            let (field, rest) = call.trim_start().strip_prefix('"')?.split_once('"')?;
            let rest = rest.trim_start_matches([',', ' ', '\n']);
            Some((field, rest.strip_prefix('"')?.split_once('"')?.0))
        })
        .collect()
}

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
    let ends = text.contains(' ')
        && text.contains(char::is_alphabetic)
        && text.trim_end().ends_with(['.', '…', '?', '!']);
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
    sources.retain(|file| file.path != DETAILS);
    sources.extend(FILES.map(file));
    assert_none(&sources.iter().flat_map(findings).collect::<Vec<_>>());
}

#[test]
fn every_error_of_a_form_has_words() {
    let words = file("app/src/words/problem_texts.rs").text;
    let has_words = |(field, code): (&str, &str)| {
        words.contains(&format!("\"error.{field}.{code}\""))
            || words.contains(&format!("\"error.{code}\""))
    };
    let sources: Vec<File> = RULES.iter().flat_map(|folder| files(folder, &["rs"])).collect();
    let errors: Vec<_> = sources.iter().flat_map(|file| field_errors(file.production())).collect();
    assert!(errors.contains(&("file", "too_many")) && errors.contains(&("email", "invalid")));
    assert!(OF_PROGRAMS.iter().all(|error| errors.contains(error)), "{errors:?}");
    let missing = errors.iter().filter(|error| !OF_PROGRAMS.contains(error) && !has_words(**error));
    assert_none(&missing.map(|(field, code)| format!("error.{field}.{code}")).collect::<Vec<_>>());
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
