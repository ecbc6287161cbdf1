//! What a browser has to fetch before a page is alive: bytes of bodies on the wire, from the real
//! server, to a client that understands brotli.

use super::Setting;
use crate::{
    report::{Figure, Number, Report, Target},
    server::{Server, Session},
};
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;

/// What a page loads has one of these endings; what it merely links to has none.
const ENDINGS: [&str; 9] =
    [".js", ".wasm", ".css", ".svg", ".png", ".ico", ".woff2", ".webmanifest", ".json"];
/// What the editor's page fetches when it opens, whatever its HTML says about it.
const EDITOR: &str = "editor.js";

/// Measures row 8.
pub(super) async fn measure(setting: &Setting, report: &mut Report) -> Result<()> {
    let server = Server::start(&setting.build, &setting.folder.join("first-load"))?;
    let mut visitor = Session::sign_up(server.address(), "visitor").await?;
    let document = visitor.create("# Notes\n\nA few words.\n").await?;
    let kilobytes = |bytes: usize| bytes as f64 / 1_000.0;
    let reading = load(&mut visitor, &format!("/documents/{document}/read"), false).await?;
    let is_script = |name: &&String| [".js", ".wasm"].iter().any(|end| name.ends_with(end));
    report.add(Figure {
        what: "first load, brotli: scripts of the reading page".to_owned(),
        measured: format!("{} files", reading.keys().filter(is_script).count()),
        peer: String::new(),
        value: reading
            .iter()
            .filter(|(name, _)| is_script(name))
            .map(|(_, file)| kilobytes(file.bytes))
            .sum(),
        unit: "KB",
        target: Target::AtMost(0.0),
    });
    for (name, path, limit) in [
        ("reading page", format!("/documents/{document}/read"), 150.0),
        ("documents page", "/documents".to_owned(), 150.0),
        ("editor page", format!("/documents/{document}"), 450.0),
        ("timeline page", format!("/documents/{document}/timeline"), 225.0),
    ] {
        let files = load(&mut visitor, &path, name == "editor page").await?;
        let sum = kilobytes(files.values().map(|file| file.bytes).sum());
        report.add(Figure {
            what: format!("first load, brotli: {name}"),
            measured: format!("{} files", files.len()),
            peer: String::new(),
            value: sum,
            unit: "KB",
            target: Target::AtMost(limit),
        });
        let short = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let each: Vec<String> = files
            .iter()
            .map(|(path, Fetched { bytes, is_packed })| {
                let note = if *is_packed { "" } else { " (not packed)" };
                format!("{} {} KB{note}", short(path), Number(kilobytes(*bytes)))
            })
            .collect();
        report.note(format!("{name}: {}", each.join(", ")));
    }
    Ok(())
}

/// A file as it came.
struct Fetched {
    bytes: usize,
    is_packed: bool,
}

/// Loads a page and everything it needs.
async fn load(
    visitor: &mut Session,
    page: &str,
    with_editor: bool,
) -> Result<BTreeMap<String, Fetched>> {
    let mut files = BTreeMap::new();
    let mut wanted = vec![page.to_owned()];
    while let Some(path) = wanted.pop() {
        if files.contains_key(&path) {
            continue;
        }
        // Once to read it, once as a browser would get it.
        let plain = visitor.get(&path, "").await?.ok().with_context(|| path.clone())?;
        let is_text = path == page || path.ends_with(".js") || path.ends_with(".css");
        if is_text {
            wanted.extend(references(&path, &String::from_utf8_lossy(&plain)));
        }
        if with_editor && let Some(folder) = path.strip_suffix("wasm-editor.js") {
            wanted.push(format!("{folder}{EDITOR}"));
        }
        let answer = visitor.get(&path, "accept-encoding: br\r\n").await?;
        let is_packed = answer.header("content-encoding") == Some("br");
        let bytes = answer.ok()?.len();
        let name = if path == page { "/HTML".to_owned() } else { path };
        files.insert(name, Fetched { bytes, is_packed });
    }
    Ok(files)
}

/// The files that a text asks for at once: quoted absolute paths, what a script imports from
/// beside it, `url(/…)` of a style sheet.
fn references(of: &str, text: &str) -> Vec<String> {
    let folder = of.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (at, _) in text.match_indices(['"', '\'', '(']) {
        let (before, after) = (&text[..at], &text[at + 1..]);
        let path: &str = after.split(['"', '\'', ')']).next().unwrap_or_default();
        if path.len() > 200 || !ENDINGS.iter().any(|ending| path.ends_with(ending)) {
            continue;
        }
        if path.starts_with('/') && !path.starts_with("//") {
            found.push(path.to_owned());
        } else if let Some(name) = path.strip_prefix("./") {
            let before = before.trim_end();
            if before.ends_with("from") || before.ends_with("import") {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_loaded_and_not_what_is_linked() {
        let html = r#"<link href="/pkg/1/main.css"><a href="/documents/2">x</a><a href="//a/b.js">
            <script type="module" src="/pkg/1/wasm-pages.js"></script>"#;
        assert_eq!(references("/documents", html), ["/pkg/1/main.css", "/pkg/1/wasm-pages.js"]);
        let script =
            r#"import{a}from"./chunk.js";import "./more.js";const later=()=>import("./lazy.js")"#;
        assert_eq!(references("/pkg/1/a.js", script), ["/pkg/1/chunk.js", "/pkg/1/more.js"]);
        assert_eq!(references("/pkg/1/a.css", "a{src:url(/font.woff2)}"), ["/font.woff2"]);
    }
}
