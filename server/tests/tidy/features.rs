//! Cargo features are selected in manifests. Sources use them only to select modules in `app/`, in
//! few places.

use crate::tree::{File, assert_none, files};

const LIMIT: usize = 10;
const CRATES: [&str; 7] = [
    "shared/src",
    "server/domain/src",
    "server/storage/src",
    "server/src",
    "app/src",
    "frontend",
    "bench/src",
];

/// Returns the line numbers that test for a feature. `cfg_attr` is exempt because it only adds a
/// derive.
fn feature_lines(file: &File) -> Vec<usize> {
    let lines = file.text.lines().enumerate();
    let asks = |line: &str| {
        (line.contains("cfg(") || line.contains("cfg!(")) && line.contains("feature =")
    };
    lines.filter(|(_, line)| asks(line)).map(|(index, _)| index + 1).collect()
}

/// Returns the violations in this file.
fn findings(file: &File) -> Vec<String> {
    let lines: Vec<&str> = file.text.lines().collect();
    let chooses_module = |number: usize| {
        let next = lines.get(number).map_or("", |line| line.trim_start());
        file.path.starts_with("app/")
            && ["mod ", "pub mod ", "pub(crate) mod "].iter().any(|start| next.starts_with(start))
    };
    feature_lines(file)
        .into_iter()
        .filter(|number| !chooses_module(*number))
        .map(|number| {
            format!("{}:{number}: a feature may only choose a module, in app/", file.path)
        })
        .collect()
}

#[test]
fn features_only_select_app_modules() {
    let sources: Vec<File> = CRATES.iter().flat_map(|folder| files(folder, &["rs"])).collect();
    assert_none(&sources.iter().flat_map(findings).collect::<Vec<_>>());
    let count: usize = sources.iter().map(|file| feature_lines(file).len()).sum();
    assert!(count <= LIMIT, "{count} places test for a feature, {LIMIT} are allowed");
}

#[test]
fn finds_a_feature_outside_app_modules() {
    let text =
        "#[cfg(feature = \"ssr\")]\nmod a;\n#[cfg(feature = \"ssr\")]\nfn b() {}\n".to_owned();
    let app = File { path: "app/src/lib.rs".to_owned(), text: text.clone() };
    assert_eq!(findings(&app), ["app/src/lib.rs:3: a feature may only choose a module, in app/"]);
    let shared = File { path: "shared/src/lib.rs".to_owned(), text };
    assert_eq!(findings(&shared).len(), 2);
}
