//! Access to the files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// Root directories without hand-written files; `node_modules` is skipped everywhere.
const SKIPPED: [&str; 3] = [".git", "data", "target"];

/// A text file.
pub(crate) struct File {
    /// Path relative to the repository root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Returns whether the whole file is test code.
    pub(crate) fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.path.split('/').any(|part| matches!(part, "tests" | "end2end"))
            || matches!(name, "tests.rs" | "testing.rs")
            || name.ends_with("_tests.rs")
            || name.contains(".test.")
    }

    /// Returns the part before the first `#[cfg(test)]`; by convention the test module is last.
    pub(crate) fn production(&self) -> &str {
        if self.is_test() { "" } else { self.split().0 }
    }

    /// Returns the test module.
    pub(crate) fn tests(&self) -> &str {
        if self.is_test() { &self.text } else { self.split().1 }
    }

    fn split(&self) -> (&str, &str) {
        let at = self.text.find("\n#[cfg(test)]\nmod ").unwrap_or(self.text.len());
        self.text.split_at(at)
    }
}

/// Returns the repository root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads a file, which must exist.
pub(crate) fn file(path: &str) -> File {
    let text =
        fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    File { path: path.to_owned(), text }
}

/// Returns the files under `folder` with one of these extensions, sorted by path. Fails if there
/// are none, because a rule without input would pass unnoticed.
pub(crate) fn files(folder: &str, extensions: &[&str]) -> Vec<File> {
    let found: Vec<File> = paths(folder)
        .into_iter()
        .filter(|path| extensions.iter().any(|extension| path.ends_with(&format!(".{extension}"))))
        .map(|path| file(&path))
        .collect();
    assert!(!found.is_empty(), "no {extensions:?} file under {folder:?}");
    found
}

/// Returns every path under `folder` including directories, sorted. `""` is the root.
pub(crate) fn paths(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&root().join(folder), folder, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_made = prefix.is_empty() && SKIPPED.contains(&name.as_str());
        if is_made || name == "node_modules" {
            continue;
        }
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if entry.file_type().unwrap().is_dir() {
            collect(&entry.path(), &path, found);
        }
        found.push(path);
    }
}

/// Fails and lists every finding on its own line.
pub(crate) fn assert_none(findings: &[String]) {
    assert!(findings.is_empty(), "{} finding(s):\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn splits_a_file_at_its_test_module() {
    let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {}\n".to_owned();
    let file = File { path: "shared/src/a.rs".to_owned(), text };
    assert_eq!(file.production(), "fn a() {}\n");
    assert_eq!(file.tests(), "\n#[cfg(test)]\nmod tests {}\n");
}

#[test]
fn treats_files_under_tests_as_test_code() {
    let file = File { path: "server/tests/a.rs".to_owned(), text: "fn a() {}".to_owned() };
    assert_eq!((file.production(), file.tests()), ("", "fn a() {}"));
}
