//! Dependency rules between crates (DESIGN §1), checked in manifests and sources.

use crate::tree::{File, assert_none, file, files};

/// Dependency rules of one crate.
struct Layer {
    folder: &'static str,
    /// Workspace members that it may depend on.
    members: &'static [&'static str],
    /// Crates and `std` modules that it must not use.
    forbidden: &'static [&'static str],
}

const LAYERS: [Layer; 9] = [
    // No I/O, clock or randomness: callers pass these in. `Duration` is allowed because it is a
    // plain value.
    Layer {
        folder: "shared",
        members: &[],
        forbidden: &[
            "axum",
            "leptos",
            "mongodb",
            "rand",
            "redis",
            "reqwest",
            "sqlx",
            "tokio",
            "std::env",
            "std::fs",
            "std::net",
            "std::process",
            "std::thread",
            "Instant",
            "SystemTime",
        ],
    },
    Layer {
        folder: "server/domain",
        members: &["izanagi-shared"],
        forbidden: &["axum", "leptos", "mongodb", "redis", "sqlx", "std::fs", "std::net"],
    },
    Layer {
        folder: "server/storage",
        members: &["izanagi-shared", "izanagi-domain"],
        forbidden: &["axum", "leptos"],
    },
    Layer {
        folder: "server",
        members: &["izanagi-shared", "izanagi-domain", "izanagi-storage", "izanagi-app"],
        forbidden: &["mongodb", "redis", "sqlx"],
    },
    Layer {
        folder: "app",
        members: &["izanagi-shared", "izanagi-domain"],
        forbidden: &["argon2", "izanagi_storage", "mongodb", "redis", "sqlx"],
    },
    Layer {
        folder: "frontend/wasm-pages",
        members: &["izanagi-app"],
        forbidden: &["izanagi_domain", "izanagi_shared", "izanagi_storage"],
    },
    Layer {
        folder: "frontend/wasm-timeline",
        members: &["izanagi-app"],
        forbidden: &["izanagi_domain", "izanagi_shared", "izanagi_storage"],
    },
    Layer {
        folder: "frontend/wasm-editor",
        members: &["izanagi-app"],
        forbidden: &["izanagi_domain", "izanagi_shared", "izanagi_storage"],
    },
    Layer { folder: "frontend/wasm-preview", members: &["izanagi-shared"], forbidden: &["leptos"] },
];

impl Layer {
    fn findings_in_manifest(&self, manifest: &File) -> Vec<String> {
        let known = |name: &str| !name.starts_with("izanagi") || self.members.contains(&name);
        dependencies(&manifest.text)
            .filter(|name| !known(name) || self.forbidden.contains(name))
            .map(|name| format!("{}: must not depend on {name}", manifest.path))
            .collect()
    }

    fn findings_in_source(&self, source: &File) -> Vec<String> {
        let lines = source.production().lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .flat_map(|(index, line)| {
                let named = self.forbidden.iter().filter(move |name| names_path(line, name));
                named.map(move |name| format!("{}:{}: must not use {name}", source.path, index + 1))
            })
            .collect()
    }
}

/// Returns the names of all dependencies except dev-dependencies.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    manifest.lines().filter_map(move |line| {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]") && !line.contains("dev-dependencies");
            return None;
        }
        let name = line.split(['=', '.', ' ']).next()?;
        (inside && !name.is_empty() && !name.starts_with('#')).then_some(name)
    })
}

/// Returns whether the line uses `name` as a path (`sqlx::…`, `use sqlx;`, `std::fs`) rather than
/// as part of a longer word.
fn names_path(line: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_crate = name.chars().all(|c| c.is_lowercase() || c.is_numeric() || c == '_');
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        let whole = !before.ends_with(is_word) && !after.starts_with(is_word);
        // “use mongodb://…” in a text is no import.
        let ends = [";", " as "].iter().any(|end| after.starts_with(end));
        let as_path = after.starts_with("::") || (before.ends_with("use ") && ends);
        whole && (!is_crate || (as_path && !before.ends_with("::")))
    })
}

/// The only place that reads the system clock and draws random numbers.
const OUTSIDE: &str = "server/domain/src/storage/outside.rs";

/// Returns the lines that create an id without `Ids`. Tests are exempt.
fn direct_id_calls(source: &File) -> Vec<String> {
    let lines = source.production().lines().enumerate();
    lines
        .filter(|(_, line)| line.contains("Uuid::now_v7(") || line.contains("Uuid::new_v4("))
        .map(|(index, _)| format!("{}:{}: ids come from Ids", source.path, index + 1))
        .collect()
}

#[test]
fn ids_are_created_in_one_place_only() {
    let folders =
        ["shared/src", "server/domain/src", "server/storage/src", "server/src", "app/src"];
    let sources = folders.iter().flat_map(|folder| files(folder, &["rs"]));
    let findings: Vec<String> = sources
        .filter(|source| source.path != OUTSIDE)
        .flat_map(|source| direct_id_calls(&source))
        .collect();
    assert_none(&findings);
    assert_eq!(
        direct_id_calls(&file(OUTSIDE)).len(),
        1,
        "{OUTSIDE} is the only place that creates ids"
    );
}

#[test]
fn every_manifest_respects_its_layer() {
    let findings: Vec<String> = LAYERS
        .iter()
        .flat_map(|layer| {
            layer.findings_in_manifest(&file(&format!("{}/Cargo.toml", layer.folder)))
        })
        .collect();
    assert_none(&findings);
}

#[test]
fn every_source_respects_its_layer() {
    let findings: Vec<String> = LAYERS
        .iter()
        .flat_map(|layer| {
            let sources = files(&format!("{}/src", layer.folder), &["rs"]);
            sources.iter().flat_map(|source| layer.findings_in_source(source)).collect::<Vec<_>>()
        })
        .collect();
    assert_none(&findings);
}

#[test]
fn finds_a_dependency_that_skips_a_layer() {
    let text = "[dependencies]\nserde.workspace = true\nsqlx = { workspace = true }\nizanagi-storage.workspace = true\n\
                [dev-dependencies]\naxum.workspace = true\n";
    let manifest = File { path: "server/domain/Cargo.toml".to_owned(), text: text.to_owned() };
    let findings = LAYERS[1].findings_in_manifest(&manifest);
    assert_eq!(
        findings,
        [
            "server/domain/Cargo.toml: must not depend on sqlx",
            "server/domain/Cargo.toml: must not depend on izanagi-storage",
        ]
    );
}

#[test]
fn finds_forbidden_paths_in_shared_code() {
    let text = "// tokio::spawn is not used\nuse std::time::{Duration, Instant};\nlet operand::x = y;\nsqlx::query(q);\n";
    let source = File { path: "shared/src/a.rs".to_owned(), text: text.to_owned() };
    let findings = LAYERS[0].findings_in_source(&source);
    assert_eq!(
        findings,
        ["shared/src/a.rs:2: must not use Instant", "shared/src/a.rs:4: must not use sqlx"]
    );
}
